"""What the engine hands to every agent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from vnpy.trader.object import OrderRequest

from vnpy_aiagent.agents.bus import Bus
from vnpy_aiagent.config import AccountSettings, Settings
from vnpy_aiagent.control import TradingControl
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.facts import NO_FACTS, FactSource
from vnpy_aiagent.domain import BarInterval, Clock, Text, TimerQueue
from vnpy_aiagent.market import TradingCalendar, hours
from vnpy_aiagent.market.sessions import session_close
from vnpy_aiagent.memory import LessonBook
from vnpy_aiagent.portfolio import Portfolio


class BarSource(Protocol):
    """Bars that were complete at the clock's present."""

    def bars(self, vt_symbol: str, interval: BarInterval, count: int) -> BarSeries:
        """The last `count` bars of a symbol."""
        ...


@dataclass(slots=True)
class Universe:
    """Symbols that may be traded, their names, and the intervals of bars that the data holds.

    `pool` are the automatic ones among them; it changes before `symbols` does, while their bars are loaded.
    `indices` are indices whose daily bars are held beside them; they are looked at, never traded.
    """

    symbols: tuple[str, ...]
    names: Mapping[str, str]
    intervals: tuple[BarInterval, ...]
    hypothetical: bool = False
    pool: tuple[str, ...] = ()
    indices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Broker:
    """The host's order functions.

    `send` returns the vt_orderid; where nothing was taken an empty string, or why.
    """

    send: Callable[[OrderRequest, str], str | Text]
    cancel: Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class AgentContext:
    """The house, as agents see it."""

    settings: Settings
    bus: Bus
    clock: Clock
    timers: TimerQueue
    calendar: TradingCalendar
    portfolio: Portfolio
    control: TradingControl
    lessons: LessonBook
    bars: BarSource
    universe: Universe
    broker: Broker
    facts: FactSource = NO_FACTS

    def account(self, name: str) -> AccountSettings:
        """Settings of an account; KeyError for an unknown name."""
        for account in self.settings.accounts:
            if account.name == name:
                return account
        raise KeyError(name)

    def account_of_gateway(self, gateway_name: str) -> AccountSettings | None:
        """The account that trades through a gateway, None for a gateway that is not ours."""
        for account in self.settings.accounts:
            if gateway_name in account.gateways:
                return account
        return None

    def holders(self, vt_symbol: str) -> tuple[str, ...]:
        """Accounts that hold shares of a symbol that are the app's to manage."""
        return tuple(name for name, book in self.portfolio.books.items() if book.managed(vt_symbol))

    def seekers(self, vt_symbol: str) -> tuple[str, ...]:
        """Accounts that may look for an entry: it is not held, or by a human, and the settings allow it."""
        beside = self.settings.execution.beside_external
        return tuple(
            name
            for name, book in self.portfolio.books.items()
            if not book.managed(vt_symbol) and (beside or not book.volume(vt_symbol))
        )

    def today(self) -> date:
        """The market date now."""
        return self.clock.now().date()

    def in_session(self, vt_symbol: str) -> bool:
        """Whether the symbol trades continuously now."""
        return hours.trades(self.calendar, self.portfolio.rules(vt_symbol), self.clock.now())

    def next_session_moment(self, vt_symbol: str) -> datetime:
        """Now if the symbol trades continuously, else when it next does."""
        return hours.next_trade(self.calendar, self.portfolio.rules(vt_symbol), self.clock.now())

    def session_end(self, vt_symbol: str) -> datetime:
        """The close of the session in which the symbol trades continuously now, or next does.

        In the closing auction that is the next session's: nothing new is judged before it opens. A night
        session of futures belongs to the next day, and ends with it.
        """
        return hours.close_of(self.calendar, self.portfolio.rules(vt_symbol), self.clock.now())

    def orders_end(self, vt_symbol: str) -> datetime:
        """When orders of now end: 15:00 today; for a contract the close of its trading day."""
        if self.portfolio.rules(vt_symbol).futures is None:
            return session_close(self.today())
        return self.session_end(vt_symbol)

    def session_date(self) -> date:
        """The trading day that is on, or the next one."""
        today = self.today()
        if self.calendar.is_session(today) and self.clock.now().hour < 15:
            return today
        return self.calendar.next_session(today)
