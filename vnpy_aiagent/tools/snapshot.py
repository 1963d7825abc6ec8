"""What a decision may see: an immutable picture of one symbol, its market and the accounts.

Built by the engine at the moment of the request, handed to the brain (which may be another process), and
read by tools. Nothing in it lies after `at`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.facts import FactView
from vnpy_aiagent.domain import BarInterval, Lesson, Style


@dataclass(frozen=True, slots=True)
class QuoteView:
    """Today's trading so far. Prices in CNY; `volume` in shares, None where not yet known."""

    at: datetime
    last: Decimal
    open: Decimal
    high: Decimal
    low: Decimal
    prev_close: Decimal | None
    limit_up: Decimal | None
    limit_down: Decimal | None
    volume: int | None = None


@dataclass(frozen=True, slots=True)
class InstrumentView:
    """What an instrument is. `fund` and `multiplier` set which weight limit applies.

    `multiplier` is CNY per point of a futures contract's price, `margin` the part of its value that it binds;
    None for shares and funds.
    """

    vt_symbol: str
    name: str
    board: str
    tick: Decimal
    lot: int
    min_buy: int
    t_plus: int
    fund: bool
    hypothetical: bool = False
    multiplier: Decimal | None = None
    margin: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PositionView:
    """A holding. Volumes in shares, prices in CNY; `triggers` is how many are being watched."""

    vt_symbol: str
    volume: int
    sellable: int
    cost: Decimal
    last: Decimal
    opened: date
    sessions: int
    setup: str
    stop: Decimal | None = None
    triggers: int = 0

    @property
    def return_ratio(self) -> float:
        """Unrealised return on cost, before fees."""
        return float(self.last / self.cost - 1) if self.cost else 0.0


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account in CNY; `position` is that in the decision's symbol, `weights` of all holdings."""

    name: str
    style: Style
    cash: Decimal
    equity: Decimal
    position: PositionView | None
    weights: Mapping[str, float]
    max_weight: float


@dataclass(frozen=True, slots=True)
class MarketOverview:
    """The scan's view of the whole universe. `breadth` is the share of symbols above their 20-day mean."""

    scanned: int
    breadth: float | None
    regime: str
    median_return_5d: float | None


@dataclass(frozen=True, slots=True)
class DecisionSnapshot:
    """Everything that one decision may see."""

    at: datetime
    instrument: InstrumentView
    bars: Mapping[BarInterval, BarSeries]
    quote: QuoteView | None
    accounts: tuple[AccountView, ...]
    market: MarketOverview
    lessons: tuple[Lesson, ...] = ()
    language: Literal["zh", "en"] = "zh"
    session: date | None = None
    valid_until: datetime | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    facts: FactView = field(default_factory=FactView)

    def account(self, name: str) -> AccountView:
        """The account of that name; KeyError where it takes no part."""
        for account in self.accounts:
            if account.name == name:
                return account
        raise KeyError(name)
