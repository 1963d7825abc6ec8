"""Each kind of message as one labelled line with details, for chains and reports."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import singledispatch

from vnpy_aiagent.domain import (
    MARKET_TZ,
    AccountOpened,
    Action,
    Alert,
    AnalysisRequest,
    AnalysisSkipped,
    ApprovalAnswered,
    ApprovalAsked,
    BaselineMark,
    CommandTaken,
    Decision,
    EquityMark,
    Fill,
    HandlerFailed,
    Intent,
    JobSkipped,
    Lesson,
    ManualSlip,
    Message,
    Note,
    OrderUpdate,
    ParentDone,
    ParentOrder,
    PoolChosen,
    PositionHandedBack,
    PositionTakenOver,
    PriceBasis,
    PriceRef,
    Proposal,
    ProposalHeld,
    Review,
    RunEnded,
    RunStarted,
    ScanResult,
    ScheduleFired,
    Sent,
    Signal,
    StateChanged,
    StopUpdate,
    TradeRecord,
    TriggerEnded,
    TriggerFired,
    TriggerPlan,
    TriggerSpec,
    Verdict,
    Withheld,
)
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.numbers import moment, money, percent, share, signed_money

MAX_RAW = 300
SIZED = (Action.BUY, Action.ADD, Action.REDUCE)
"""Actions to which a target weight belongs."""


@dataclass(frozen=True, slots=True)
class Line:
    """A message for people: what it is, what it says, and further lines."""

    id: str
    at: datetime
    account: str
    label: str
    text: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Words:
    label: str
    text: str
    details: tuple[str, ...] = field(default=())


def describe(message: Message, say: Localizer) -> Line:
    """A message as a line in the localizer's language."""
    words = _words(message, say)
    return Line(message.id, message.at, message.account, words.label, words.text, words.details)


def price_text(ref: PriceRef, say: Localizer) -> str:
    """A price reference in words."""
    offset = f"{ref.offset:+g}"
    match ref.basis:
        case PriceBasis.LAST:
            return say("最新价 {offset}%", offset=offset)
        case PriceBasis.PREV_CLOSE:
            return say("昨收 {offset}%", offset=offset)
        case PriceBasis.ENTRY:
            return say("入场价 {offset}%", offset=offset)
        case PriceBasis.ATR:
            return say("入场价 {offset} 倍 ATR", offset=offset)
        case PriceBasis.BAND:
            return say("涨跌停区间的 {place}", place=share(ref.offset))
        case PriceBasis.LEVEL:
            return say(
                "{level} {offset}%（依据 {evidence}）", level=ref.level, offset=offset, evidence=ref.evidence
            )


def trigger_text(plan: TriggerPlan, say: Localizer) -> str:
    """A planned trigger in words."""
    if plan.price is not None:
        what = f"{say.label(plan.trigger)} {price_text(plan.price, say)}"
    else:
        what = say("{sessions} 个交易日后", sessions=plan.sessions)
    return f"{what} [{say.label(plan.note)}]" if plan.note else what


def plan_lines(proposal: Proposal, say: Localizer) -> tuple[str, ...]:
    """Prices and triggers of a proposal, one line each."""
    lines = []
    for name, ref in (
        (say("入场"), proposal.entry),
        (say("止损"), proposal.stop),
        (say("目标"), proposal.target),
    ):
        if ref is not None:
            lines.append(f"{name}: {price_text(ref, say)}")
    lines += [f"{say('触发条件')}: {trigger_text(plan, say)}" for plan in proposal.triggers]
    return tuple(lines)


def verdict_lines(verdict: Verdict, say: Localizer) -> tuple[str, ...]:
    """One line a rule: passed or not, its name, its sentence with figures, the volume that it allows."""
    lines = []
    for line in verdict.lines:
        mark = "+" if line.passed else "x"
        bound = "" if line.max_volume is None else say("（至多 {volume} 股）", volume=line.max_volume)
        name, sentence = say.label(line.rule), say.show(line.text)
        named = sentence if sentence.startswith(name) else f"{name}: {sentence}"
        lines.append(f"[{mark}] {named}{bound}")
    return tuple(lines)


@singledispatch
def _words(message: Message, say: Localizer) -> _Words:
    raw = message.model_dump_json(exclude={"id", "at", "cause", "account"})
    return _Words(message.kind, raw[:MAX_RAW])


def _joined(parts: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parts if value is not None)


@_words.register
def _(message: RunStarted, say: Localizer) -> _Words:
    text = f"{say.label(message.mode)}, {message.model}, {message.data}, {message.version}"
    return _Words(say("运行开始"), text)


@_words.register
def _(message: RunEnded, say: Localizer) -> _Words:
    return _Words(say("运行结束"), message.reason)


@_words.register
def _(message: AccountOpened, say: Localizer) -> _Words:
    return _Words(
        say("账户开立"), say("{style}，资金 {cash} 元", style=message.style.name, cash=money(message.cash))
    )


@_words.register
def _(message: ScheduleFired, say: Localizer) -> _Words:
    return _Words(say("定时任务"), f"{message.job} ({moment(message.due)})")


@_words.register
def _(message: JobSkipped, say: Localizer) -> _Words:
    return _Words(say("任务跳过"), f"{message.job}: {say.show(message.reason)}")


@_words.register
def _(message: Note, say: Localizer) -> _Words:
    return _Words(say("记录"), say.show(message.title), tuple(say.show(line) for line in message.lines))


@_words.register
def _(message: StateChanged, say: Localizer) -> _Words:
    paused = say("，AI 已暂停") if message.paused else ""
    return _Words(say("状态变更"), f"{say.label(message.state)}{paused} ({message.by}: {message.reason})")


@_words.register
def _(message: CommandTaken, say: Localizer) -> _Words:
    given = " ".join(value for value in message.arguments.values() if value)
    return _Words(
        say("人工命令"),
        say("人工操作（{by}）：{command} {given}", by=message.by, command=message.command, given=given),
    )


@_words.register
def _(message: Alert, say: Localizer) -> _Words:
    return _Words(say("警报"), f"{say.label(message.severity)}: {say.show(message.text)}")


@_words.register
def _(message: HandlerFailed, say: Localizer) -> _Words:
    return _Words(say("程序错误"), f"{message.handler} ({message.event}): {message.error}")


@_words.register
def _(message: EquityMark, say: Localizer) -> _Words:
    held = _joined(message.positions.items()) or say("空仓")
    text = say("{day} 权益 {equity} 元", day=message.day, equity=money(message.equity))
    return _Words(say("收盘估值"), f"{text}: {held}")


@_words.register
def _(message: BaselineMark, say: Localizer) -> _Words:
    return _Words(say("基准估值"), f"{message.day} {say.show(message.label)} {money(message.value)}")


@_words.register
def _(message: PoolChosen, say: Localizer) -> _Words:
    text = say(
        "{day} 成交额最大的 {count} 只，候选 {candidates} 只，来源 {source}",
        day=message.day,
        count=len(message.picks),
        candidates=message.candidates,
        source=message.source,
    )
    picks = [f"{each.vt_symbol} {each.name} {each.turnover / 1e8:.2f}e8 CNY" for each in message.picks]
    held = [say("{symbol}（持仓，保留）", symbol=symbol) for symbol in message.held]
    return _Words(say("自动股票池"), text, (*picks, *held))


@_words.register
def _(message: AnalysisSkipped, say: Localizer) -> _Words:
    return _Words(
        say("未分析"), say("{symbol}：今日分析已达上限 {cap} 次", symbol=message.symbol, cap=message.cap)
    )


@_words.register
def _(message: ScanResult, say: Localizer) -> _Words:
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
    return _Words(say("扫描"), text, (*picks, *out))


@_words.register
def _(message: AnalysisRequest, say: Localizer) -> _Words:
    return _Words(
        say("分析请求"), f"{message.symbol} {say.label(message.request)}: {say.show(message.reason)}"
    )


@_words.register
def _(message: Decision, say: Localizer) -> _Words:
    findings = [
        f"{say.label(each.role)} {say.label(each.stance)}: {say.show(each.text)}" for each in message.findings
    ]
    turns = [
        f"{say.label(each.role)} {say.label(each.stance)}: {say.show(each.text)}" for each in message.debate
    ]
    text = say(
        "{symbol}，证据 {count} 条，{model}",
        symbol=message.symbol,
        count=len(message.evidence),
        model=message.model,
    )
    return _Words(say("决策"), text, (*findings, *turns, *message.failures))


@_words.register
def _(message: Proposal, say: Localizer) -> _Words:
    text = say(
        "{action} {symbol}，把握 {confidence}",
        action=message.action.name,
        symbol=message.symbol,
        confidence=share(message.confidence),
    )
    if message.action in SIZED:
        text += say("，目标仓位 {weight}", weight=share(message.target_weight))
    reasons = tuple(say.show(reason.text) for reason in message.reasons)
    return _Words(say("提案"), text, (*plan_lines(message, say), *reasons))


@_words.register
def _(message: ProposalHeld, say: Localizer) -> _Words:
    return _Words(say("提案等待"), say("市场未开，等到 {until} 重新核价", until=moment(message.until)))


@_words.register
def _(message: Verdict, say: Localizer) -> _Words:
    text = say(
        "{action} {symbol}：{outcome}，申请 {requested} 股，允许 {volume} 股",
        action=message.action.name,
        symbol=message.symbol,
        outcome=message.outcome.name,
        requested=message.requested,
        volume=message.volume,
    )
    prices = _joined(
        ((say("价格"), message.price), (say("止损"), message.stop), (say("目标"), message.target))
    )
    return _Words(say("风控结论"), f"{text} ({prices})" if prices else text, verdict_lines(message, say))


@_words.register
def _(message: Signal, say: Localizer) -> _Words:
    text = say(
        "{side} {symbol} {volume} 股，限价 {limit}（{low} 至 {high}），{until} 前有效",
        side=message.side.name,
        symbol=message.symbol,
        volume=message.volume,
        limit=message.limit,
        low=message.low,
        high=message.high,
        until=moment(message.valid_until),
    )
    name = say("保护性信号") if message.protective else say("信号")
    return _Words(name, text, (say.show(message.reason),))


@_words.register
def _(message: ApprovalAsked, say: Localizer) -> _Words:
    text = say(
        "{side} {symbol} {volume} 股，限价 {price}，{until} 前未答则作废",
        side=message.side.name,
        symbol=message.symbol,
        volume=message.volume,
        price=message.price,
        until=f"{message.lapses_at.astimezone(MARKET_TZ):%H:%M:%S}",
    )
    return _Words(say("等待批准"), text, (say.show(message.reason),))


@_words.register
def _(message: ApprovalAnswered, say: Localizer) -> _Words:
    answer = say("已批准") if message.approved else say("未批准")
    return _Words(answer, f"{message.symbol} ({message.by}: {say.show(message.reason)})")


@_words.register
def _(message: ManualSlip, say: Localizer) -> _Words:
    text = say(
        "{side} {symbol} {volume} 股，限价 {price}，接口 {gateway}",
        side=message.side.name,
        symbol=message.symbol,
        volume=message.volume,
        price=message.price,
        gateway=message.gateway,
    )
    return _Words(say("人工下单单据"), text, (say.show(message.reason),))


@_words.register
def _(message: PositionTakenOver, say: Localizer) -> _Words:
    text = say("{symbol} {volume} 股", symbol=message.symbol, volume=message.volume)
    return _Words(say("人工接管"), f"{text} ({message.by})")


@_words.register
def _(message: PositionHandedBack, say: Localizer) -> _Words:
    text = say(
        "{symbol} {volume} 股，止损 {stop}", symbol=message.symbol, volume=message.volume, stop=message.stop
    )
    return _Words(say("交还系统"), f"{text} ({message.by})")


@_words.register
def _(message: ParentOrder, say: Localizer) -> _Words:
    return _Words(say("母单"), f"{say.label(message.side)} {message.symbol} {message.volume}")


@_words.register
def _(message: Intent, say: Localizer) -> _Words:
    text = say(
        "{side} {symbol} {volume} 股 @ {price}，编号 {reference}",
        side=message.side.name,
        symbol=message.symbol,
        volume=message.volume,
        price=message.price,
        reference=message.reference,
    )
    return _Words(say("委托意图"), text)


@_words.register
def _(message: Sent, say: Localizer) -> _Words:
    return _Words(say("委托已发"), ", ".join(message.vt_orderids))


@_words.register
def _(message: Withheld, say: Localizer) -> _Words:
    return _Words(say("委托未发"), say.show(message.reason))


@_words.register
def _(message: OrderUpdate, say: Localizer) -> _Words:
    text = say("{state}，累计成交 {traded} 股", state=message.state.name, traded=message.traded)
    return _Words(say("委托状态"), f"{text} ({message.reason})" if message.reason else text)


@_words.register
def _(message: ParentDone, say: Localizer) -> _Words:
    text = say("{state}，成交 {filled} 股", state=message.state.name, filled=message.filled)
    average = say("，均价 {price}", price=f"{message.average_price:.4f}") if message.average_price else ""
    return _Words(say("母单结束"), text + average)


@_words.register
def _(message: Fill, say: Localizer) -> _Words:
    text = say(
        "{side} {symbol} {volume} 股 @ {price}，费用 {fees} 元",
        side=message.side.name,
        symbol=message.symbol,
        volume=message.volume,
        price=message.price,
        fees=money(message.fees),
    )
    parts = say(
        "佣金 {commission}，印花税 {duty}，过户费 {transfer}，成交编号 {tradeid}",
        commission=message.commission,
        duty=message.stamp_duty,
        transfer=message.transfer_fee,
        tradeid=message.tradeid,
    )
    return _Words(say("成交"), text, (parts,))


@_words.register
def _(message: TradeRecord, say: Localizer) -> _Words:
    text = say(
        "{symbol} {opened} 至 {closed}，{volume} 股，买 {buy} 卖 {sell}，盈亏 {pnl} 元（{change}）",
        symbol=message.symbol,
        opened=message.opened,
        closed=message.closed,
        volume=message.volume,
        buy=message.buy_price,
        sell=message.sell_price,
        pnl=signed_money(message.pnl),
        change=percent(message.return_ratio),
    )
    return _Words(say("交易了结"), text, (say.show(message.exit_reason),))


@_words.register
def _(message: TriggerSpec, say: Localizer) -> _Words:
    level = message.price if message.price is not None else (moment(message.when) if message.when else "")
    return _Words(
        say("触发登记"), f"{message.symbol} {say.label(message.trigger)} {level} [{say.label(message.note)}]"
    )


@_words.register
def _(message: TriggerFired, say: Localizer) -> _Words:
    price = "" if message.price is None else f" @ {message.price}"
    return _Words(say("触发"), f"{message.symbol}{price} [{say.label(message.note)}]")


@_words.register
def _(message: TriggerEnded, say: Localizer) -> _Words:
    return _Words(say("触发移除"), f"{message.trigger_id}: {say.label(message.end)}")


@_words.register
def _(message: StopUpdate, say: Localizer) -> _Words:
    text = say("止损 {stop}，保护 {volume} 股", stop=message.stop, volume=message.volume)
    return _Words(say("保护性止损"), f"{say.label(message.state)}, {text}", (say.show(message.reason),))


@_words.register
def _(message: Lesson, say: Localizer) -> _Words:
    state = say("已确认") if message.confirmed else say("观察中")
    return _Words(say("经验"), f"{state}: {say.show(message.text)}")


@_words.register
def _(message: Review, say: Localizer) -> _Words:
    returns = [f"{name} {percent(value)}" for name, value in message.account_returns.items()]
    return _Words(say("复盘"), f"{say.label(message.period)}: {say.show(message.text)}", tuple(returns))
