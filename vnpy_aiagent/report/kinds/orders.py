"""From a signal to its fills."""

from vnpy_aiagent.domain import (
    MARKET_TZ,
    ApprovalAnswered,
    ApprovalAsked,
    CancelAsked,
    ExecutionReport,
    Fill,
    Intent,
    ManualSlip,
    OrderUpdate,
    ParentDone,
    ParentOrder,
    Sent,
    Signal,
    TradeRecord,
    Withheld,
)
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.kinds.base import Words, counted, words
from vnpy_aiagent.report.numbers import moment, money, percent, signed_money


@words.register
def _(message: Signal, say: Localizer) -> Words:
    text = say(
        "{side} {symbol} {volume}，限价 {limit}（{low} 至 {high}），{until} 前有效",
        side=message.side.name,
        symbol=message.symbol,
        volume=counted(message.volume, message.symbol, say),
        limit=message.limit,
        low=message.low,
        high=message.high,
        until=moment(message.valid_until),
    )
    name = say("保护性信号") if message.protective else say("信号")
    return Words(name, text, (say.show(message.reason),))


@words.register
def _(message: ApprovalAsked, say: Localizer) -> Words:
    text = say(
        "{side} {symbol} {volume}，限价 {price}，{until} 前未答则作废",
        side=message.side.name,
        symbol=message.symbol,
        volume=counted(message.volume, message.symbol, say),
        price=message.price,
        until=f"{message.lapses_at.astimezone(MARKET_TZ):%H:%M:%S}",
    )
    return Words(say("等待批准"), text, (say.show(message.reason),))


@words.register
def _(message: ApprovalAnswered, say: Localizer) -> Words:
    answer = say("已批准") if message.approved else say("未批准")
    return Words(answer, f"{message.symbol} ({message.by}: {say.show(message.reason)})")


@words.register
def _(message: ManualSlip, say: Localizer) -> Words:
    text = say(
        "{side} {symbol} {volume}，限价 {price}，接口 {gateway}",
        side=message.side.name,
        symbol=message.symbol,
        volume=counted(message.volume, message.symbol, say),
        price=message.price,
        gateway=message.gateway,
    )
    return Words(say("人工下单单据"), text, (say.show(message.reason),))


@words.register
def _(message: ParentOrder, say: Localizer) -> Words:
    volume = counted(message.volume, message.symbol, say)
    return Words(say("母单"), f"{say.label(message.side)} {message.symbol} {volume}")


@words.register
def _(message: Intent, say: Localizer) -> Words:
    text = say(
        "{side} {symbol} {volume} @ {price}，编号 {reference}",
        side=message.side.name,
        symbol=message.symbol,
        volume=counted(message.volume, message.symbol, say),
        price=message.price,
        reference=message.reference,
    )
    return Words(say("委托意图"), text)


@words.register
def _(message: Sent, say: Localizer) -> Words:
    return Words(say("委托已发"), ", ".join(message.vt_orderids))


@words.register
def _(message: Withheld, say: Localizer) -> Words:
    return Words(say("委托未发"), say.show(message.reason))


@words.register
def _(message: OrderUpdate, say: Localizer) -> Words:
    text = say("{state}，累计成交 {traded}", state=message.state.name, traded=message.traded)
    return Words(say("委托状态"), f"{text} ({message.reason})" if message.reason else text)


@words.register
def _(message: CancelAsked, say: Localizer) -> Words:
    return Words(say("请求撤单"), f"{', '.join(message.vt_orderids)}: {say.show(message.reason)}")


@words.register
def _(message: ExecutionReport, say: Localizer) -> Words:
    text = say(
        "{algo}，成交 {filled}/{volume}，子单 {children} 笔，撤单 {cancels} 笔",
        algo=message.algo.name,
        filled=message.filled,
        volume=counted(message.volume, message.symbol, say),
        children=message.children,
        cancels=message.cancels,
    )
    if message.slippage is not None:
        text += say(
            "，到达价 {arrival}，滑点 {slippage}，首笔成交 {seconds} 秒",
            arrival=message.arrival,
            slippage=percent(message.slippage),
            seconds=f"{message.first_fill or 0:.0f}",
        )
    return Words(say("执行质量"), text, (say.show(message.reason),) if message.reason else ())


@words.register
def _(message: ParentDone, say: Localizer) -> Words:
    text = say(
        "{state}，成交 {filled}",
        state=message.state.name,
        filled=counted(message.filled, message.symbol, say),
    )
    average = say("，均价 {price}", price=f"{message.average_price:.4f}") if message.average_price else ""
    return Words(say("母单结束"), text + average)


@words.register
def _(message: Fill, say: Localizer) -> Words:
    text = say(
        "{side} {symbol} {volume} @ {price}，费用 {fees} 元",
        side=message.side.name,
        symbol=message.symbol,
        volume=counted(message.volume, message.symbol, say),
        price=message.price,
        fees=money(message.fees),
    )
    if message.terms is not None:
        parts = say(
            "交易日 {day}，合约乘数 {multiplier}，平今 {today} 手，成交编号 {tradeid}",
            day=message.trading_day,
            multiplier=message.terms.multiplier,
            today=message.terms.closed_today,
            tradeid=message.tradeid,
        )
    else:
        parts = say(
            "佣金 {commission}，印花税 {duty}，过户费 {transfer}，成交编号 {tradeid}",
            commission=message.commission,
            duty=message.stamp_duty,
            transfer=message.transfer_fee,
            tradeid=message.tradeid,
        )
    return Words(say("成交"), text, (parts,))


@words.register
def _(message: TradeRecord, say: Localizer) -> Words:
    text = say(
        "{symbol} {opened} 至 {closed}，{volume}，买 {buy} 卖 {sell}，盈亏 {pnl} 元（{change}）",
        symbol=message.symbol,
        opened=message.opened,
        closed=message.closed,
        volume=counted(message.volume, message.symbol, say),
        buy=message.buy_price,
        sell=message.sell_price,
        pnl=signed_money(message.pnl),
        change=percent(message.return_ratio),
    )
    return Words(say("交易了结"), text, (say.show(message.exit_reason),))
