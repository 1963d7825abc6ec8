"""Trades: the best, the worst, and for each the chain from the schedule or tick to its last message."""

from collections.abc import Collection

from vnpy_aiagent.domain import Decision, Message, ScanResult
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report import words
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.describe import describe
from vnpy_aiagent.report.markup import Markup, details, join, lines, tag
from vnpy_aiagent.report.model_cost import ModelCost
from vnpy_aiagent.report.numbers import moment
from vnpy_aiagent.report.trades import Trade

FULL_BYTES = 4_000_000
"""Chains beyond this much HTML have no details, so that the page stays below about 15 MB."""

BRIEF = (ScanResult, Decision)
"""Kinds whose details stand elsewhere on the page, or would only repeat themselves."""


def extremes(contents: Contents, say: Localizer) -> Markup:
    """The best and the worst closed trade with their reasoning."""
    if contents.best is None or contents.worst is None:
        return tag("p", say("没有已了结的交易"))
    parts = [_extreme(say("最好的一笔"), contents.best, say)]
    if contents.worst is not contents.best:
        parts.append(_extreme(say("最差的一笔"), contents.worst, say))
    return join(parts)


def trades(
    contents: Contents, say: Localizer, detailed: Collection[str], full_bytes: int = FULL_BYTES
) -> Markup:
    """Every round trip with its chain; `detailed` are the decisions that the page shows in full."""
    if not contents.trades:
        return tag("p", say("没有成交"))
    parts: list[Markup] = []
    size, brief = 0, 0
    for trade, cost in zip(contents.trades, contents.costs.of_trades, strict=True):
        full = size < full_bytes
        parts.append(_trade(trade, cost, say, detailed, full=full))
        size += len(parts[-1].encode())
        brief += not full
    if brief:
        note = say("页面大小所限，最后 {count} 笔交易的步骤不带细节；细节见日志。", count=brief)
        parts.insert(0, tag("p", note, class_="note"))
    return join(parts)


def _extreme(title: str, trade: Trade, say: Localizer) -> Markup:
    debate = words.debate_lines(trade, say)
    return tag(
        "article",
        tag("h3", title),
        tag("p", tag("strong", words.trade_headline(trade, say))),
        tag("ul", [tag("li", lines(line)) for line in words.trade_reasons(trade, say)]),
        [tag("h4", say("辩论")), tag("ul", [tag("li", lines(turn)) for turn in debate])] if debate else [],
    )


def _trade(trade: Trade, cost: ModelCost, say: Localizer, detailed: Collection[str], *, full: bool) -> Markup:
    pnl = trade.pnl
    mood = "" if pnl is None else "up" if pnl > 0 else "down"
    steps = [_step(message, say, detailed, full=full) for message in trade.chain]
    return details(
        tag("span", words.trade_headline(trade, say), class_=mood),
        join(
            [
                tag("ol", steps, class_="chain"),
                tag("small", say("模型用量：{cost}", cost=words.model_cost(cost, say))),
            ]
        ),
        class_="trade",
    )


def _step(message: Message, say: Localizer, detailed: Collection[str], *, full: bool) -> Markup:
    line = describe(message, say)
    content: list[object] = [tag("time", moment(line.at)), " ", tag("b", line.label), " ", line.text]
    if message.id in detailed:
        content += [" ", tag("a", say("查看决策"), href=f"#{message.id}")]
    content.append(tag("small", line.id))
    if full and line.details and not isinstance(message, BRIEF):
        content.append(tag("ul", [tag("li", lines(detail)) for detail in line.details]))
    return tag("li", *content)
