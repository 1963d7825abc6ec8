"""The orders of an intent, with their offsets; of futures also what a fill closes and costs.

A buy opens a long position and a sale closes it. Where the exchange keeps today's and yesterday's positions
apart (SHFE, INE) a sale of both becomes two orders of one intent: yesterday's first. Volumes in shares or
contracts.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from vnpy.trader.constant import Direction, Exchange, Offset, OrderType
from vnpy.trader.object import OrderRequest, TradeData

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.domain import ContractTerms, Intent, Severity, Side, Text, say
from vnpy_aiagent.market import Fees, contracts
from vnpy_aiagent.portfolio import AccountBook


def order_requests(house: AgentContext, intent: Intent) -> list[OrderRequest]:
    """The orders that an intent is sent as: one, or one for each of yesterday and today."""
    return [_request(intent, offset, volume) for offset, volume in _offsets(house, intent) if volume]


def send_orders(
    house: AgentContext, intent: Intent, was_taken: Callable[[str], bool]
) -> tuple[str, ...] | Text:
    """Send an intent's orders; their vt_orderids, or why the gateway took none.

    `was_taken` says whether a gateway's answer is the id of an order. Where it takes the first and not the
    second, or raises then, the rest is left out and a human is told.
    """
    taken: list[str] = []
    for request in order_requests(house, intent):
        try:
            answer = house.broker.send(request, intent.gateway)
        except Exception as error:
            if not taken:
                raise
            _tell_open(house, intent, request, error)
            continue
        if not isinstance(answer, Text) and was_taken(answer):
            taken.append(answer)
        elif not taken:
            return answer if isinstance(answer, Text) else ()
        else:
            sentence = say(
                "{account} {symbol} 平仓委托的一部分（{offset} {volume} 手）未被接口 {gateway} 接受，请核对",
                account=intent.account,
                symbol=intent.symbol,
                offset=request.offset.name,
                volume=int(request.volume),
                gateway=intent.gateway,
            )
            house.bus.alert(Severity.CRITICAL, sentence, cause=intent.id, account=intent.account)
    return tuple(taken)


def _tell_open(house: AgentContext, intent: Intent, request: OrderRequest, error: Exception) -> None:
    """The second of two orders may have left: it is never sent again, a human looks."""
    sentence = say(
        "{account} {symbol} 平仓委托的一部分（{offset} {volume} 手）状态不明（{error}），"
        "请在柜台核对；系统不会重发",
        account=intent.account,
        symbol=intent.symbol,
        offset=request.offset.name,
        volume=int(request.volume),
        error=f"{type(error).__name__}: {error}",
    )
    house.bus.alert(Severity.CRITICAL, sentence, cause=intent.id, account=intent.account)


def terms_of(house: AgentContext, intent: Intent, data: TradeData, day: date) -> ContractTerms | None:
    """What a broker's trade of an intent is worth, and what it closes; None for shares and funds."""
    rules = house.portfolio.rules_for(intent.symbol, day)
    if rules.futures is None:
        return None
    closing = 0
    if intent.side is Side.SELL:
        today, older = _held(house.portfolio.books[intent.account], intent.symbol, day)
        closing = contracts.closed_today(
            data.offset.name,
            apart=rules.futures.close_today_apart,
            today=today,
            older=older,
            volume=int(data.volume),
        )
    return ContractTerms(multiplier=rules.multiplier, margin=rules.margin_ratio, closed_today=closing)


def contract_fees(
    house: AgentContext, intent: Intent, terms: ContractTerms, data: TradeData, day: date
) -> Fees:
    """The exchange's fees of a trade (CNY)."""
    rules = house.portfolio.rules_for(intent.symbol, day)
    if rules.futures is None:
        raise ValueError(f"{intent.symbol} is no futures contract")
    volume = int(data.volume)
    value = rules.value(Decimal(repr(float(data.price))), volume)
    return rules.futures.fees(value, volume, opening=intent.side is Side.BUY, today=terms.closed_today)


def _offsets(house: AgentContext, intent: Intent) -> list[tuple[Offset, int]]:
    if intent.side is Side.BUY:
        return [(Offset.OPEN, intent.volume)]
    rules = house.portfolio.rules(intent.symbol)
    if rules.futures is None or not rules.futures.close_today_apart:
        return [(Offset.CLOSE, intent.volume)]
    book = house.portfolio.books[intent.account]
    _, older = _held(book, intent.symbol, house.portfolio.trading_day(intent.symbol))
    others = sum(
        held_back.volume
        for name, held_back in book.reservations.items()
        if name not in (intent.id, intent.parent_id)
        and held_back.symbol == intent.symbol
        and held_back.side is Side.SELL
    )
    yesterday = min(intent.volume, max(0, older - others))
    return [(Offset.CLOSEYESTERDAY, yesterday), (Offset.CLOSETODAY, intent.volume - yesterday)]


def _held(book: AccountBook, symbol: str, day: date) -> tuple[int, int]:
    """Contracts opened on a trading day, and before."""
    position = book.positions.get(symbol)
    if position is None:
        return 0, 0
    today = position.bought_on(day)
    return today, position.volume - today


def _request(intent: Intent, offset: Offset, volume: int) -> OrderRequest:
    symbol, _, suffix = intent.symbol.rpartition(".")
    return OrderRequest(
        symbol=symbol,
        exchange=Exchange(suffix),
        direction=Direction.LONG if intent.side is Side.BUY else Direction.SHORT,
        type=OrderType.LIMIT,
        volume=volume,
        price=float(intent.price),
        offset=offset,
        reference=intent.reference,
    )
