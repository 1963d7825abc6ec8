"""A whole engine in one thread: a clock that the test moves, quotes that it makes, a brain that listens."""

import os
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from vnpy.event import Event
from vnpy.trader.constant import Exchange
from vnpy.trader.engine import MainEngine
from vnpy.trader.event import EVENT_TICK
from vnpy.trader.object import TickData

from vnpy_aiagent.agents import Universe
from vnpy_aiagent.agents.restore import KINDS, Restorer
from vnpy_aiagent.base import EVENT_AI_SIGNAL, EVENT_AI_TIMER
from vnpy_aiagent.config import AccountSettings, Settings, load_settings
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import (
    MARKET_TZ,
    BarInterval,
    Message,
    Mode,
    ResolvedTrigger,
    Side,
    Signal,
    Style,
    TimerQueue,
    TriggerKind,
    parse_message,
    say,
)
from vnpy_aiagent.engine import AiAgentEngine
from vnpy_aiagent.market import TradingCalendar
from vnpy_aiagent.market.order_hours import Handling, handling
from vnpy_aiagent.market.sessions import session_close
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.sim.exchange import SimExchange
from vnpy_aiagent.store.journal import Journal, JournalReader
from vnpy_aiagent.store.writer import EntryWriter, InlineWriter, JournalWriter
from vnpy_aiagent.wiring import Parts, Trouble, rules_provider

BANK = "601988.SSE"
STAR = "688981.SSE"
PREVIOUS = 5.0


def at(text: str) -> datetime:
    """A moment in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=MARKET_TZ)


class HandClock:
    """A clock whose hands the test puts where it likes, back as well."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


class NoBars:
    """No history."""

    def bars(self, vt_symbol: str, interval: BarInterval, count: int) -> BarSeries:
        return BarSeries.from_rows(vt_symbol, interval, [])


class Listener:
    """A brain that notes what it is asked and never answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def submit(self, request: Any, snapshot: Any, deliver: Any) -> None:
        self.asked.append(request.symbol)

    def cancel(self, reason: str) -> None: ...

    def close(self) -> None: ...


class SmallHouse:
    """An engine on paper: use as a context manager; `journal` may hold what an earlier one wrote."""

    def __init__(
        self,
        journal: Path,
        moment: str,
        symbols: Iterable[str] = (BANK,),
        *,
        threaded: bool = False,
        **overrides: Any,
    ) -> None:
        """`threaded` has the journal written by its own thread, as live."""
        overrides = {
            "schedule": (),
            "accounts": (AccountSettings(name="judge", style=Style.JUDGE),),
        } | overrides
        self.settings: Settings = load_settings(mode=Mode.PAPER, universe=list(symbols), **overrides)
        self.journal = journal
        self.clock = HandClock(at(moment))
        self.timers = TimerQueue()
        self.events = DeterministicEventEngine()
        self.brain = Listener()
        self.threaded = threaded
        self.volume = 0.0
        self._folder = os.getcwd()
        self.main = MainEngine(self.events)
        make: Any = partial(AiAgentEngine, parts=self._parts(tuple(symbols)))
        self.engine: AiAgentEngine = self.main.add_engine(make)

    def __enter__(self) -> "SmallHouse":
        self.engine.start()
        self.events.drain()
        return self

    def __exit__(self, *_: object) -> None:
        self.main.close()
        os.chdir(self._folder)

    def _parts(self, symbols: tuple[str, ...]) -> Parts:
        held = Journal.open(self.journal, owner="test", sync="OFF")
        restored = Restorer().fold(held.read(kinds=KINDS))
        calendar = TradingCalendar()
        rules_for = rules_provider({})

        def hours(vt_symbol: str, when: datetime) -> Handling:
            return handling(calendar, rules_for(vt_symbol, when.date()), when)

        run = f"r{restored.runs + 1}"
        return Parts(
            settings=self.settings,
            clock=self.clock,
            timers=self.timers,
            calendar=calendar,
            writer=self._writer(held),
            trouble=self.trouble,
            bars=NoBars(),
            universe=Universe(symbols, {}, (BarInterval.DAILY,)),
            rules_for=rules_for,
            runner=self.brain,
            exchange=SimExchange(self.clock, rules_for, self.settings.sim, hours, run=run),
            data_label="test",
            model_name="test",
            is_llm=False,
            live=False,
            restored=restored,
        )

    def _writer(self, held: Journal) -> EntryWriter:
        self.trouble = Trouble(lambda _: None)
        if not self.threaded:
            return InlineWriter(held)
        return JournalWriter(held, on_error=self.trouble.journal, backoff=(0.001, 0.01))

    # the world moves

    def go(self, moment: str) -> None:
        """Put the clock to a moment, and fire what is due on the way in the order of time."""
        target = at(moment)
        while (timer := self.timers.pop_due(target)) is not None:
            self.clock.moment = max(self.clock.moment, timer.when)
            self.events.put(Event(EVENT_AI_TIMER, timer))
            self.events.drain()
        self.clock.moment = target

    def tick(
        self,
        price: float,
        symbol: str = BANK,
        *,
        traded: float = 1e7,
        stamp: str = "",
        gateway: str = "SIM",
    ) -> None:
        """One quote, at the clock's time or another; limits are 10 % around the previous close."""
        self.volume += traded
        code, _, suffix = symbol.rpartition(".")
        tick = TickData(
            gateway,
            code,
            Exchange(suffix),
            at(stamp) if stamp else self.clock.now(),
            volume=self.volume,
            last_price=price,
            pre_close=PREVIOUS,
            limit_up=5.5,
            limit_down=4.5,
            bid_price_1=round(price - 0.01, 2),
            ask_price_1=round(price + 0.01, 2),
        )
        self.events.put(Event(EVENT_TICK, tick))
        self.events.drain()

    def quote(self, price: float = PREVIOUS, symbol: str = BANK) -> None:
        """Two quotes: shares have traded between them, so that orders find a counterparty."""
        self.tick(price, symbol)
        self.tick(price, symbol)

    def buy(
        self,
        volume: int,
        symbol: str = BANK,
        *,
        stop: str = "4.80",
        triggers: tuple[ResolvedTrigger, ...] = (),
    ) -> None:
        """An approved entry of the only account, filled at once."""
        self.quote(symbol=symbol)
        self.engine.bus.post(
            Signal,
            EVENT_AI_SIGNAL,
            cause=None,
            account="judge",
            symbol=symbol,
            side=Side.BUY,
            volume=volume,
            limit=Decimal("5.05"),
            low=Decimal("4.90"),
            high=Decimal("5.05"),
            stop=Decimal(stop),
            triggers=triggers,
            reason=say("测试"),
            valid_until=session_close(self.clock.now().date()),
        )
        self.events.drain()

    # the world is looked at

    @property
    def held(self) -> dict[str, int]:
        """Shares in the account's book."""
        return {s: p.volume for s, p in self.engine.house.portfolio.books["judge"].positions.items()}

    def stop_state(self, symbol: str = BANK) -> str:
        """State of the position's stop."""
        stop = self.engine.monitoring.stops.get("judge", symbol)
        return stop.state.name if stop else "none"

    def said(self, kind: type[Message]) -> list[Any]:
        """Messages of a kind in the journal so far, earlier runs included."""
        self.engine.parts.writer.flush()
        with JournalReader.open(self.journal) as reader:
            return [parse_message(entry.kind, entry.body) for entry in reader.read(kinds=[kind.__name__])]


def price_trigger(price: str, kind: TriggerKind = TriggerKind.PRICE_AT_OR_ABOVE) -> ResolvedTrigger:
    """A plan's trigger on a price."""
    return ResolvedTrigger(trigger=kind, price=Decimal(price), note="测试")
