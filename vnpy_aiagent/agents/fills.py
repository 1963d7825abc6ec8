"""Fills and round trips as journaled messages."""

from decimal import Decimal
from typing import Any

from vnpy.trader.object import TradeData

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.offsets import contract_fees, terms_of
from vnpy_aiagent.agents.reports import is_volume, market_moment, shape_fault, trade_fault
from vnpy_aiagent.base import EVENT_AI_TRADE
from vnpy_aiagent.domain import Fill, Text, TradeRecord, say, to_decimal
from vnpy_aiagent.execution import Child, Parent
from vnpy_aiagent.portfolio import RoundTrip
from vnpy_aiagent.portfolio.book import Origin


def fill_of(
    house: AgentContext, account: str, child: Child, parent: Parent | None, data: TradeData
) -> Fill | Text | None:
    """A broker's trade as a journaled fill, or why it cannot be one.

    None where this very fill is known, or its shares are in the book already by an adjustment.
    """
    intent = child.intent
    if (fault := shape_fault(data)) is not None:
        return fault
    fields: dict[str, Any] = {
        "trading_day": house.portfolio.trading_day(intent.symbol, market_moment(house, data)),
        "exchange": data.exchange.name,
        "symbol": intent.symbol,
        "side": intent.side,
        "orderid": data.orderid,
        "tradeid": data.tradeid,
        "intent_id": intent.id,
        "parent_id": intent.parent_id,
        "signal_id": parent.signal.id if parent else None,
        "setup": parent.signal.setup if parent else "",
    }
    free = {"commission": Decimal(0), "stamp_duty": Decimal(0), "transfer_fee": Decimal(0)}
    probe = Fill(id="", at=house.clock.now(), account=account, **fields, price=Decimal(0), volume=0, **free)
    if house.portfolio.books[account].knows(probe):
        return None
    if is_volume(data.volume) and data.volume and child.is_adjusted(data.tradeid, int(data.volume)):
        return None
    fault = trade_fault(house, child, data)
    if fault is not None:
        return fault
    price, volume = to_decimal(data.price), int(data.volume)
    day = fields["trading_day"]
    terms = terms_of(house, intent, data, day)
    if terms is None:
        fees = house.portfolio.fill_fees(
            account, data.vt_orderid, intent.side, intent.symbol, price, volume, day
        )
    else:
        fees = contract_fees(house, intent, terms, data, day)
    return house.bus.post(
        Fill,
        cause=intent.id,
        account=account,
        **fields,
        price=price,
        volume=volume,
        commission=fees.commission,
        stamp_duty=fees.stamp_duty,
        transfer_fee=fees.transfer_fee,
        terms=terms,
    )


def origin_of(parent: Parent | None) -> Origin | None:
    """The plan behind a parent order."""
    if parent is None:
        return None
    signal = parent.signal
    return Origin(signal.setup, signal.regime, signal.confidence, signal.proposal_id)


def record_trip(house: AgentContext, fill: Fill, trip: RoundTrip, parent: Parent | None) -> None:
    """Journal the round trip of a position that went flat."""
    position = trip.position
    bought, sold = position.bought_turnover, position.sold_turnover
    unit = position.bought * position.multiplier
    house.bus.post(
        TradeRecord,
        EVENT_AI_TRADE,
        cause=fill.id,
        account=fill.account,
        symbol=fill.symbol,
        opened=position.opened,
        closed=trip.closed,
        volume=position.bought,
        buy_price=(bought / unit).quantize(Decimal("0.0001")),
        sell_price=(sold / unit).quantize(Decimal("0.0001")),
        fees=position.fees,
        pnl=trip.pnl,
        return_ratio=round(float(trip.pnl / bought), 6),
        sessions=house.portfolio.sessions_since(position.opened),
        setup=position.origin.setup,
        regime=position.origin.regime,
        confidence=position.origin.confidence,
        proposal_id=position.origin.proposal_id,
        exit_reason=parent.signal.reason if parent else say("未知"),
    )
