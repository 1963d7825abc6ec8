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
class BookLevel:
    """A price (CNY) and what stands there (shares)."""

    price: Decimal
    volume: int


@dataclass(frozen=True, slots=True)
class TickWindow:
    """What the last ticks of today add up to; a tick is a snapshot of some seconds, not one order.

    `seconds` from the first tick to the last. `volume` (shares) and `turnover` (CNY) traded between them,
    `at_ask` and `at_bid` the parts of the volume that traded at or beyond the best price of the tick before:
    the quote rule; the rest lies between. None where the gateway tells no such figure.
    """

    ticks: int
    seconds: float
    volume: int | None
    turnover: Decimal | None
    at_ask: int | None
    at_bid: int | None
    mean_imbalance: float | None


@dataclass(frozen=True, slots=True)
class OrderBookView:
    """The known levels of the order book at its last tick, best first, and the ticks of late."""

    at: datetime
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    window: TickWindow | None = None


@dataclass(frozen=True, slots=True)
class IndexView:
    """An index at its latest complete daily bar: points, returns as ratios, None where history is short.

    `above_sma20` is points against their 20-day mean as a ratio less 1; `volatility20` the daily standard
    deviation of the last 20 returns; `drawdown60` the fall from the highest close of 60 days (not positive).
    """

    vt_symbol: str
    available_at: datetime
    points: float
    return_1d: float | None
    return_5d: float | None
    return_20d: float | None
    above_sma20: float | None
    above_sma60: float | None
    volatility20: float | None
    drawdown60: float | None


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
    """An account in CNY; `position` is that in the decision's symbol, `weights` of all holdings.

    `low_confidence_scale` is the part of a plan of low certainty that it buys, a ratio.
    """

    name: str
    style: Style
    cash: Decimal
    equity: Decimal
    position: PositionView | None
    weights: Mapping[str, float]
    max_weight: float
    low_confidence_scale: float = 0.5


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
    book: OrderBookView | None = None
    indices: tuple[IndexView, ...] = ()

    def account(self, name: str) -> AccountView:
        """The account of that name; KeyError where it takes no part."""
        for account in self.accounts:
            if account.name == name:
                return account
        raise KeyError(name)
