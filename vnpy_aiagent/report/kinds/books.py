"""What changes cash and holdings besides fills: ex-days, the settlement of futures, the broker's own word."""

from vnpy_aiagent.domain import (
    AccountChecked,
    CashAdjusted,
    ClosingPrices,
    CorporateActionApplied,
    DividendTaxTaken,
    HoldingAdjusted,
    ReferenceShifted,
    SettledBy,
    Settlement,
)
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.kinds.base import Words, counted, joined, words
from vnpy_aiagent.report.numbers import money, signed_money


@words.register
def _(message: Settlement, say: Localizer) -> Words:
    own = message.basis is SettledBy.SETTLEMENT
    text = say(
        "{symbol} {day} 按 {price} 结算 {volume} 手，盈亏 {profit} 元计入现金",
        symbol=message.symbol,
        day=message.trading_day,
        price=message.price,
        volume=message.volume,
        profit=money(message.profit),
    )
    basis = say("交易所结算价") if own else say("未知结算价，以当日最后价代替")
    return Words(say("期货结算"), text, (basis,))


@words.register
def _(message: CorporateActionApplied, say: Localizer) -> Words:
    text = say(
        "{symbol} 除权日 {day}：每股税前派息 {cash} 元，每股送转 {bonus} 股",
        symbol=message.symbol,
        day=message.ex_date,
        cash=message.cash,
        bonus=message.bonus,
    )
    if message.rights:
        text += say(
            "，每股配股 {rights} 股（配股价 {price} 元）", rights=message.rights, price=message.rights_price
        )
    if not message.booked:
        return Words(say("除权除息"), text, (say("股数和现金以柜台为准，账本未变"),))
    booked = say("入账 {shares} 股、{amount} 元", shares=message.shares, amount=money(message.amount))
    return Words(say("除权除息"), text, (booked,))


@words.register
def _(message: ReferenceShifted, say: Localizer) -> Words:
    text = say(
        "{symbol} {day} 昨日收盘 {close}，参考价 {reference}：止损和触发价同比例调整",
        symbol=message.symbol,
        day=message.day,
        close=message.close,
        reference=message.reference,
    )
    return Words(say("疑似除权除息"), text)


@words.register
def _(message: DividendTaxTaken, say: Localizer) -> Words:
    text = say("{symbol} 卖出时补缴红利税 {amount} 元", symbol=message.symbol, amount=money(message.amount))
    return Words(say("红利税"), text)


@words.register
def _(message: ClosingPrices, say: Localizer) -> Words:
    return Words(say("持仓收盘价"), f"{message.day}: {joined(message.prices.items())}")


@words.register
def _(message: HoldingAdjusted, say: Localizer) -> Words:
    text = say(
        "{symbol} {volume}（其中外部持仓 {external}），价格 {price}，接口 {gateway}",
        symbol=message.symbol,
        volume=counted(f"{message.volume:+}", message.symbol, say),
        external=f"{message.external:+}",
        price=message.price,
        gateway=message.gateway,
    )
    return Words(say("持仓按柜台调整"), text, (say.show(message.reason),))


@words.register
def _(message: CashAdjusted, say: Localizer) -> Words:
    text = say("{amount} 元，接口 {gateway}", amount=signed_money(message.amount), gateway=message.gateway)
    return Words(say("资金按柜台调整"), text, (say.show(message.reason),))


@words.register
def _(message: AccountChecked, say: Localizer) -> Words:
    state = say("一致，可以下单") if message.reconciled else say("尚未一致，暂停下单")
    return Words(say("柜台核对"), f"{message.gateway} {state}", (say.show(message.reason),))
