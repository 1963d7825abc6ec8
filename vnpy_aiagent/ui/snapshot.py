"""What the engine looks like at one moment, as plain values. Taken off the GUI thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from vnpy_aiagent.domain import (
    ApprovalAsked,
    ManualSlip,
    Mode,
    StopState,
    Style,
    TradingState,
    TriggerSpec,
)
from vnpy_aiagent.engine import AiAgentEngine
from vnpy_aiagent.portfolio import AccountBook
from vnpy_aiagent.portfolio.book import Position


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account; money in CNY, ratios as such. `day_change` is measured from the session's start.

    `reconciled`: it agrees with its broker, so that orders may be sent; always so outside mode LIVE.
    """

    name: str
    style: Style
    gateway: str
    equity: Decimal
    cash: Decimal
    total_return: float
    day_change: float
    drawdown: float
    holdings: int
    reconciled: bool = True


@dataclass(frozen=True, slots=True)
class PositionRow:
    """One holding and its protective stop; `stop` is None where there is none.

    `external`: shares that people manage, not the AI.
    """

    account: str
    symbol: str
    name: str
    volume: int
    sellable: int
    cost: Decimal
    last: Decimal | None
    profit: Decimal
    profit_ratio: float
    stop: Decimal | None
    stop_state: StopState | None
    triggers: int
    external: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """Account and symbol."""
        return self.account, self.symbol

    @property
    def managed(self) -> int:
        """Shares that the AI manages."""
        return self.volume - self.external


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The engine at one moment of market time.

    `heartbeats`: when each agent last handled something. `breadth`: symbols up, flat and down today.
    """

    at: datetime
    mode: Mode
    model: str
    is_llm: bool
    state: TradingState
    paused: bool
    closed: bool
    failures: int
    accounts: tuple[AccountRow, ...]
    positions: tuple[PositionRow, ...]
    triggers: tuple[TriggerSpec, ...]
    jobs: tuple[str, ...]
    heartbeats: Mapping[str, datetime]
    breadth: tuple[int, int, int]
    approvals: tuple[ApprovalAsked, ...]
    slips: tuple[ManualSlip, ...]
    prices: Mapping[str, Decimal]

    @property
    def day(self) -> date:
        """The market date."""
        return self.at.date()

    def last_of(self, symbol: str) -> Decimal | None:
        """A symbol's last price (CNY), None where none is known."""
        return self.prices.get(symbol)


def take_snapshot(engine: AiAgentEngine) -> Snapshot:
    """Read a started engine; waits for the handler that is at work, so not on the GUI thread.

    Of an engine that was closed it tells what it was at the end, without what needs a running one.
    """
    with engine.bus.turn:
        house, parts, running = engine.house, engine.parts, not engine.closed
        accounts = [_account(engine, book) for book in house.portfolio.books.values()]
        positions = [
            _position(engine, book, symbol, position)
            for book in house.portfolio.books.values()
            for symbol, position in sorted(book.positions.items())
        ]
        return Snapshot(
            at=parts.clock.now(),
            mode=parts.settings.mode,
            model=parts.model_name,
            is_llm=parts.is_llm,
            state=house.control.state,
            paused=house.control.paused,
            closed=not running,
            failures=house.bus.failures,
            accounts=tuple(accounts),
            positions=tuple(positions),
            triggers=tuple(engine.monitoring.book),
            jobs=tuple(job.name for job in parts.settings.schedule),
            heartbeats=engine.heartbeats() if running else {},
            breadth=engine.breadth() if running else (0, 0, 0),
            approvals=tuple(engine.pending_approvals()) if running else (),
            slips=tuple(engine.slips()) if running else (),
            prices=dict(house.portfolio.quotes.last_prices),
        )


def _account(engine: AiAgentEngine, book: AccountBook) -> AccountRow:
    house, reconciler = engine.house, engine.reconciler
    equity = house.portfolio.equity(book.name)
    return AccountRow(
        name=book.name,
        style=book.style,
        gateway=house.account(book.name).gateway_name,
        equity=equity,
        cash=book.cash,
        total_return=_ratio(equity, book.opening_cash),
        day_change=_ratio(equity, book.day_start_equity),
        drawdown=abs(_ratio(equity, max(book.peak_equity, equity))),
        holdings=len(book.positions),
        reconciled=reconciler is None or reconciler.is_reconciled(book.name),
    )


def _position(engine: AiAgentEngine, book: AccountBook, symbol: str, position: Position) -> PositionRow:
    house, account = engine.house, book.name
    last = house.portfolio.quotes.last_prices.get(symbol)
    cost, volume = position.cost, position.volume
    paid = cost * volume * position.multiplier
    profit = last * volume * position.multiplier - paid if last is not None else Decimal(0)
    stop = engine.monitoring.stops.get(account, symbol)
    return PositionRow(
        account=account,
        symbol=symbol,
        name=house.universe.names.get(symbol, ""),
        volume=volume,
        sellable=house.portfolio.sellable(account, symbol),
        cost=cost,
        last=last,
        profit=profit,
        profit_ratio=float(profit / paid) if paid else 0.0,
        stop=stop.price if stop else None,
        stop_state=stop.state if stop else None,
        triggers=len(engine.monitoring.book.of(account, symbol)),
        external=book.external.get(symbol, 0),
    )


def _ratio(value: Decimal, base: Decimal) -> float:
    return float(value / base - 1) if base else 0.0
