"""What a risk rule sees, and how it answers."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from vnpy_aiagent.config import RiskLimits
from vnpy_aiagent.domain import Action, Mode, RuleLine, Side, Text, TradingState
from vnpy_aiagent.market import InstrumentRules
from vnpy_aiagent.tools.snapshot import QuoteView


@dataclass(frozen=True, slots=True)
class RiskContext:
    """One wanted trade and the figures around it. Prices and amounts in CNY, volumes in shares.

    `price` is the order's limit, the most that a buy may pay: amounts are bounded by it. `reference` is the
    price at which the plan means to enter, before the limit's slippage: distances are measured from it. None
    stands for the limit itself. `external` are shares of the symbol that a human took over, which the account
    may enter beside them only where `beside_external` is set. `margin` is what the account's contracts bind;
    `exposure` counts it, and shares at their value. `sized_down` where the plan was made smaller already for
    its low certainty.
    """

    account: str
    symbol: str
    action: Action
    side: Side
    wanted: int
    price: Decimal
    stop: Decimal | None
    confidence: float
    mode: Mode
    state: TradingState
    limits: RiskLimits
    rules: InstrumentRules
    fund: bool
    quote: QuoteView | None
    equity: Decimal
    available: Decimal
    held: int
    sellable: int
    working: int
    exposure: Decimal
    positions: int
    entries_today: int
    day_start_equity: Decimal
    peak_equity: Decimal
    average_volume: float | None
    allowlist: tuple[str, ...] | None = None
    capital_limit: Decimal | None = None
    quote_age: float = 0.0
    reference: Decimal | None = None
    external: int = 0
    beside_external: bool = False
    margin: Decimal = Decimal(0)
    sized_down: bool = False

    @property
    def unit_margin(self) -> Decimal:
        """What one share costs, or one contract binds, at the order's limit (CNY)."""
        return self.rules.value(self.price, 1) * self.rules.margin_ratio

    @property
    def entry_price(self) -> Decimal:
        """Where the plan means to enter."""
        return self.price if self.reference is None else self.reference

    @property
    def entry(self) -> bool:
        """Whether the trade opens or adds."""
        return self.side is Side.BUY


class Rule(Protocol):
    """One risk rule. `entries_only` rules are not asked about exits, which they must never hinder."""

    name: str
    entries_only: bool

    def check(self, context: RiskContext) -> RuleLine:
        """The largest volume it allows and why, with figures that can be recomputed by hand."""
        ...


def passed(rule: str, sentence: Text, max_volume: int | None = None) -> RuleLine:
    """A line that allows the trade, up to `max_volume` shares where it sets a bound."""
    return RuleLine(rule=rule, passed=True, max_volume=max_volume, text=sentence)


def refused(rule: str, sentence: Text) -> RuleLine:
    """A line that allows nothing."""
    return RuleLine(rule=rule, passed=False, max_volume=0, text=sentence)


def bounded(rule: str, context: RiskContext, max_volume: int, sentence: Text) -> RuleLine:
    """A line that allows up to `max_volume` shares; refused where that is less than one order may be."""
    max_volume = max(0, max_volume)
    if context.entry and context.rules.round_buy(min(max_volume, max(context.wanted, 1))) == 0:
        smallest_fits = context.rules.round_buy(max_volume) > 0
        if not smallest_fits:
            return RuleLine(rule=rule, passed=False, max_volume=0, text=sentence)
    return RuleLine(rule=rule, passed=True, max_volume=max_volume, text=sentence)


def percent(value: float | Decimal) -> str:
    """A ratio as people read it, 0.124 as 12.4%."""
    return f"{float(value) * 100:.1f}%"
