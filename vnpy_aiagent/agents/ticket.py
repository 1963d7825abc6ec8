"""A dry run: the order that a buy of the smallest size would be now, and what the risk rules say of it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.risk import RiskAgent
from vnpy_aiagent.domain import (
    Action,
    PriceBasis,
    PriceRef,
    Proposal,
    RuleLine,
    Side,
    UnresolvedPrice,
    cny,
)
from vnpy_aiagent.errors import ConfigError

STOP_PERCENT = -8.0


@dataclass(frozen=True, slots=True)
class OrderTicket:
    """What would be sent; nothing was. Volume in shares, prices and amounts in CNY.

    `cash` is what the order would hold back, `fees` included. `passed` says that every one of the risk rules'
    `lines` lets it through; `asks` that a human would be asked first.
    """

    at: datetime
    account: str
    symbol: str
    side: Side
    volume: int
    price: Decimal
    stop: Decimal | None
    cash: Decimal
    fees: Decimal
    gateway: str
    passed: bool
    asks: bool
    lines: tuple[RuleLine, ...]


def dry_run(house: AgentContext, risk: RiskAgent, account: str, symbol: str) -> OrderTicket:
    """The smallest buy at the present price, with full confidence and a stop 8 % below it.

    Raises ConfigError where the symbol has no quote of today.
    """
    rules = house.portfolio.rules(symbol)
    volume, now = rules.min_buy, house.clock.now()
    wish = Proposal(
        id="",
        at=now,
        account=account,
        request_id="",
        decision_id="",
        symbol=symbol,
        action=Action.BUY,
        entry=PriceRef(basis=PriceBasis.LAST),
        stop=PriceRef(basis=PriceBasis.ENTRY, offset=STOP_PERCENT),
        confidence=1.0,
        valid_until=now,
    )
    try:
        prices, assessment = risk.preview(wish, volume)
    except UnresolvedPrice as error:
        raise ConfigError(f"no order can be priced in {symbol}: {error}; try again while it trades") from None
    value = rules.value(prices.limit_buy, volume)
    fees = rules.order_fees(Side.BUY, value, volume).total
    return OrderTicket(
        at=now,
        account=account,
        symbol=symbol,
        side=Side.BUY,
        volume=volume,
        price=prices.limit_buy,
        stop=prices.stop,
        cash=cny(value * rules.margin_ratio + fees),
        fees=fees,
        gateway=house.account(account).gateway_name,
        passed=assessment.volume == volume,
        asks=house.settings.asks_for != "none",
        lines=assessment.lines,
    )
