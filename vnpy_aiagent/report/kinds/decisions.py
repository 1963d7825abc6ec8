"""From the pool to the risk rules' verdict, and what was learnt."""

from vnpy_aiagent.domain import (
    Action,
    AnalysisRequest,
    AnalysisSkipped,
    Decision,
    Lesson,
    PoolChosen,
    Proposal,
    ProposalHeld,
    Review,
    ScanResult,
    SnapshotKept,
    Verdict,
)
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.kinds.base import Words, counted, joined, words
from vnpy_aiagent.report.kinds.debate import certainty, debate_text
from vnpy_aiagent.report.kinds.findings import finder, model_name, signal, sum_lines
from vnpy_aiagent.report.kinds.plans import plan_lines, verdict_lines
from vnpy_aiagent.report.numbers import moment, percent, share

SIZED = (Action.BUY, Action.ADD, Action.REDUCE)
"""Actions to which a target weight belongs."""


@words.register
def _(message: PoolChosen, say: Localizer) -> Words:
    text = say(
        "{day} 成交额最大的 {count} 只，候选 {candidates} 只，来源 {source}",
        day=message.day,
        count=len(message.picks),
        candidates=message.candidates,
        source=message.source,
    )
    picks = [f"{each.vt_symbol} {each.name} {each.turnover / 1e8:.2f}e8 CNY" for each in message.picks]
    held = [say("{symbol}（持仓，保留）", symbol=symbol) for symbol in message.held]
    return Words(say("自动股票池"), text, (*picks, *held))


@words.register
def _(message: AnalysisSkipped, say: Localizer) -> Words:
    return Words(
        say("未分析"), say("{symbol}：今日分析已达上限 {cap} 次", symbol=message.symbol, cap=message.cap)
    )


@words.register
def _(message: ScanResult, say: Localizer) -> Words:
    text = say(
        "扫描 {scanned} 只，入选 {picked} 只，市场 {regime}",
        scanned=message.scanned,
        picked=len(message.picked),
        regime=message.regime,
    )
    out = [f"{say.label(name)}: {count}" for name, count in message.left_out.items() if count]
    picks = [
        f"{each.vt_symbol} {say.label(each.setup) if each.setup else '-'} {each.score:+.2f}"
        for each in message.picked
    ]
    return Words(say("扫描"), text, (*picks, *out))


@words.register
def _(message: AnalysisRequest, say: Localizer) -> Words:
    return Words(
        say("分析请求"), f"{message.symbol} {say.label(message.request)}: {say.show(message.reason)}"
    )


@words.register
def _(message: SnapshotKept, say: Localizer) -> Words:
    text = say("{symbol} 的数据快照，可供重放", symbol=message.symbol)
    return Words(
        say("数据快照"), text, tuple(f"{each.interval.name}: {each.bars}" for each in message.series)
    )


@words.register
def _(message: Decision, say: Localizer) -> Words:
    findings = [f"{finder(each, say)}: {say.show(each.text)}" for each in message.findings]
    findings += sum_lines(message, say)
    turns = debate_text(message.debate, say)
    told = {
        "symbol": message.symbol,
        "count": len(message.evidence),
        "model": model_name(message, say),
    }
    if message.aggregate is None:
        text = say("{symbol}，证据 {count} 条，{model}", **told)
    else:
        total = signal(message.aggregate, say)
        text = say("{symbol}，证据 {count} 条，{model}，{signal}", **told, signal=total)
    return Words(say("分析决策"), text, (*findings, *turns, *message.failures))


@words.register
def _(message: Proposal, say: Localizer) -> Words:
    text = say(
        "{action} {symbol}，把握 {confidence}",
        action=message.action.name,
        symbol=message.symbol,
        confidence=share(message.confidence),
    )
    if message.action in SIZED:
        text += say("，目标仓位 {weight}", weight=share(message.target_weight))
    mark = certainty(message, say)
    text += f" [{mark}]" if mark else ""
    reasons = tuple(say.show(reason.text) for reason in message.reasons)
    return Words(say("提案"), text, (*plan_lines(message, say), *reasons))


@words.register
def _(message: ProposalHeld, say: Localizer) -> Words:
    return Words(say("提案等待"), say("市场未开，等到 {until} 重新核价", until=moment(message.until)))


@words.register
def _(message: Verdict, say: Localizer) -> Words:
    if not message.requested and not message.volume:  # no order: a stop or triggers of a position
        text = say(
            "{action} {symbol}：{outcome}，不需委托",
            action=message.action.name,
            symbol=message.symbol,
            outcome=message.outcome.name,
        )
        return Words(say("风控结论"), _priced(text, message, say), verdict_lines(message, say))
    text = say(
        "{action} {symbol}：{outcome}，申请 {requested}，允许 {volume}",
        action=message.action.name,
        symbol=message.symbol,
        outcome=message.outcome.name,
        requested=counted(message.requested, message.symbol, say),
        volume=counted(message.volume, message.symbol, say),
    )
    return Words(say("风控结论"), _priced(text, message, say), verdict_lines(message, say))


def _priced(text: str, verdict: Verdict, say: Localizer) -> str:
    prices = joined(
        ((say("价格"), verdict.price), (say("止损"), verdict.stop), (say("目标"), verdict.target))
    )
    return f"{text} ({prices})" if prices else text


@words.register
def _(message: Lesson, say: Localizer) -> Words:
    state = say("已确认") if message.confirmed else say("观察中")
    return Words(say("经验"), f"{state}: {say.show(message.text)}")


@words.register
def _(message: Review, say: Localizer) -> Words:
    returns = [f"{name} {percent(value)}" for name, value in message.account_returns.items()]
    return Words(say("复盘"), f"{say.label(message.period)}: {say.show(message.text)}", tuple(returns))
