"""Lessons, reviews, written notes and alerts."""

from vnpy_aiagent.domain import Alert, Lesson, Message, Note, Period, Review
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.describe import describe
from vnpy_aiagent.report.markup import Markup, details, join, table, tag
from vnpy_aiagent.report.numbers import moment, percent, share, signed_money

MAX_NOTES = 60
"""The last notes, alerts and daily reviews; the journal holds all."""


def lessons(contents: Contents, say: Localizer) -> Markup:
    """The latest lesson of each setup and market regime."""
    latest = {(lesson.setup, lesson.regime): lesson for lesson in contents.record.of(Lesson)}
    if not latest:
        return tag("p", say("没有经验记录"))
    rows: list[list[object]] = [
        [
            say.label(lesson.setup),
            say.label(lesson.regime),
            say("已确认") if lesson.confirmed else say("观察中"),
            lesson.wins,
            lesson.losses,
            percent(lesson.mean_return),
            f"{lesson.adjustment:+.3f}",
        ]
        for lesson in latest.values()
    ]
    header = [say("形态"), say("行情"), say("状态"), say("胜"), say("负"), say("平均收益"), say("把握调整")]
    note = tag("p", say("观察中的经验不改变任何决策；样本足够并确认后才调整把握。"), class_="note")
    return join([table(header, rows, numeric_from=3), note])


def reviews(contents: Contents, say: Localizer) -> Markup:
    """Reviews of weeks and longer as a table; daily ones below, collapsed."""
    found = contents.record.of(Review)
    if not found:
        return tag("p", say("没有复盘记录"))
    longer = [review for review in found if review.period is not Period.DAY]
    days = [review for review in found if review.period is Period.DAY]
    parts = []
    if longer:
        parts.append(details(say("周、月、季复盘（{count}）", count=len(longer)), _review_table(longer, say)))
    if days:
        shown = days[-MAX_NOTES:]
        title = say("日复盘（共 {count} 次，显示最近 {shown} 次）", count=len(days), shown=len(shown))
        parts.append(details(title, _review_table(shown, say)))
    return join(parts)


def notes(contents: Contents, say: Localizer) -> Markup:
    """Alerts, and the last written notes."""
    alerts, written = contents.record.of(Alert), contents.record.of(Note)
    return join(
        [
            details(say("警报（{count}）", count=len(alerts)), _messages(alerts, say)),
            details(say("盘前计划与午间小结（{count}）", count=len(written)), _messages(written, say)),
        ]
    )


def _review_table(found: list[Review], say: Localizer) -> Markup:
    names = sorted({name for review in found for name in review.account_returns})
    rows: list[list[object]] = [
        [
            f"{review.start} – {review.end}" if review.start != review.end else review.end.isoformat(),
            say.label(review.period),
            review.proposals,
            review.approved + review.reduced,
            review.rejected,
            review.fills,
            review.trades_closed,
            signed_money(review.pnl),
            "-" if review.win_rate is None else share(review.win_rate),
            *[_return(review, name) for name in names],
        ]
        for review in found
    ]
    header = [
        say("时段"), say("周期"), say("提案"), say("通过"), say("拒绝"), say("成交笔数"), say("了结"),
        say("盈亏（元）"), say("胜率"), *names,
    ]  # fmt: skip
    return table(header, rows, numeric_from=2)


def _return(review: Review, account: str) -> str:
    value = review.account_returns.get(account)
    return "-" if value is None else percent(value)


def _messages(messages: tuple[Message, ...], say: Localizer) -> Markup:
    parts = []
    for message in messages[-MAX_NOTES:]:
        line = describe(message, say)
        below = tag("ul", [tag("li", detail) for detail in line.details]) if line.details else ""
        parts.append(tag("li", tag("time", moment(line.at)), " ", line.text, below))
    left = len(messages) - MAX_NOTES
    more = tag("p", say("更早的 {count} 条见日志", count=left), class_="note") if left > 0 else ""
    return join([more, tag("ul", parts)])
