"""Recorded bars played through the simulated exchange as ticks, on a virtual clock.

What happens inside a bar follows one stated, pessimistic rule (for holders): open, then down to the low,
then up to the high, then the close. On each leg the price passes every level in between, so a tick is
published exactly at each watched level (stop, trigger, working limit) that the leg crosses, adverse rounding
included in the level itself. Between bars the price jumps: a gap crosses nothing. Times inside a bar are
nominal. A bar's volume counts a quarter for each of open, fall, rise and close, and is told only when the
bar ends.

A tick that nobody can notice is not published: no timer comes before the symbol's next one, no order works
anywhere, and nobody holds, watches or listens to the symbol (`unnoticed`). What it would have told is in the
next one. The journal is the same, byte for byte.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from vnpy.event import Event
from vnpy.trader.constant import Exchange
from vnpy.trader.object import TickData

from vnpy_aiagent.base import EVENT_AI_TIMER
from vnpy_aiagent.config import SimSettings
from vnpy_aiagent.data.market_data import MarketData
from vnpy_aiagent.domain import MARKET_TZ, BarInterval, TimerQueue, VirtualClock, to_decimal
from vnpy_aiagent.market import InstrumentRules, PriceBand, ex_reference
from vnpy_aiagent.market.matching import MarketView
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.sim.exchange import MarketPoint, SimExchange

RulesFor = Callable[[str, date], InstrumentRules]
Levels = Callable[[str], Iterable[Decimal]]
Unnoticed = Callable[[str], bool]
QUARTER = 4
BEFORE_CLOSE = timedelta(minutes=4)


class Publisher(Protocol):
    """Who publishes ticks: one gateway for all accounts."""

    gateway_name: str

    def on_tick(self, tick: TickData) -> None:
        """Publish a tick."""
        ...


@dataclass(slots=True)
class _Bar:
    """One bar of one symbol with what its day knows."""

    symbol: str
    start: datetime
    end: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


@dataclass(slots=True)
class _Day:
    """A symbol's day so far. `told` are the fields of its ticks that stay the same all day."""

    prev_close: Decimal | None
    band: PriceBand | None
    rules: InstrumentRules
    open: Decimal
    high: Decimal
    low: Decimal
    last: Decimal
    told: dict[str, Any]
    volume: int = 0

    def move(self, price: Decimal) -> None:
        """Trade at a price."""
        self.last = price
        self.high = max(self.high, price)
        self.low = min(self.low, price)


class BarReplay:
    """Plays MarketData from day to day; the rest of the house reacts to ticks and timers."""

    def __init__(
        self,
        data: MarketData,
        frequency: BarInterval,
        clock: VirtualClock,
        timers: TimerQueue,
        events: DeterministicEventEngine,
        exchange: SimExchange,
        publisher: Publisher,
        rules_for: RulesFor,
        levels: Levels,
        settings: SimSettings,
        unnoticed: Unnoticed | None = None,
    ) -> None:
        """`levels(vt_symbol)` gives the prices that are watched in a symbol at this moment.

        `unnoticed(vt_symbol)`: whether a tick of it could change nothing but the last price, before any timer
        fires; None publishes every tick.
        """
        self.data = data
        self.frequency = frequency
        self.clock = clock
        self.timers = timers
        self.events = events
        self.exchange = exchange
        self.publisher = publisher
        self.rules_for = rules_for
        self.levels = levels
        self.settings = settings
        self.unnoticed = unnoticed
        self._names = {symbol: instrument.name for symbol, instrument in data.instruments.items()}
        self._days: dict[str, _Day] = {}
        self._closes: dict[str, Decimal] = {}
        self.ticks = 0
        self.bars = 0

    def run(self, start: date, end: date, on_day: Callable[[date, int, int], None] | None = None) -> None:
        """Play all bars from `start` to `end` inclusive; `on_day(day, done, total)` reports progress."""
        days = self._by_day(start, end)
        for done, (day, bars) in enumerate(days, 1):
            self._play(day, bars)
            self.bars += len(bars)
            if on_day:
                on_day(day, done, len(days))

    def advance(self, when: datetime, *, inclusive: bool) -> None:
        """Move the clock, firing timers on the way; those due at `when` itself only if `inclusive`."""
        limit = when if inclusive else when - timedelta(microseconds=1)
        while (timer := self.timers.pop_due(limit)) is not None:
            self.clock.set(max(timer.when, self.clock.now()))
            self.events.put(Event(EVENT_AI_TIMER, timer))
            self.events.drain()
        self.clock.set(when)

    def _play(self, day: date, bars: list[_Bar]) -> None:
        self._days.clear()
        moments: dict[datetime, list[tuple[_Bar, str, datetime]]] = defaultdict(list)
        for bar in bars:
            legs = _legs(bar, self.frequency)
            for (when, leg), (until, _) in zip(legs, (*legs[1:], legs[-1]), strict=True):
                moments[when].append((bar, leg, until))
        for when in sorted(moments):
            self.advance(when, inclusive=False)
            for bar, leg, until in moments[when]:
                if leg == "close" or not self._is_unnoticed(bar.symbol, until):
                    self._leg(day, bar, leg)
                else:
                    self._pass_over(day, bar, leg)
            self.advance(when, inclusive=True)
        for bar in bars:
            self._closes[bar.symbol] = bar.close

    def _is_unnoticed(self, symbol: str, until: datetime) -> bool:
        """Whether nobody can notice a tick before the next one of its symbol, at `until`."""
        if self.unnoticed is None:
            return False
        timer = self.timers.next_deadline()
        return (timer is None or timer >= until) and self.unnoticed(symbol)

    def _pass_over(self, day: date, bar: _Bar, leg: str) -> None:
        """The price moves and is not told."""
        state = self._days.get(bar.symbol)
        if state is None:
            state = self._days[bar.symbol] = self._begin(day, bar)
        state.move({"open": bar.open, "low": bar.low, "high": bar.high}[leg])

    def _leg(self, day: date, bar: _Bar, leg: str) -> None:
        liquidity = int(bar.volume // QUARTER * self.settings.participation)
        if leg == "open":
            state = self._days.get(bar.symbol)
            if state is None:
                state = self._days[bar.symbol] = self._begin(day, bar)
            self._emit(bar, state, bar.open, liquidity, new_window=True, jump=True)
            return
        state = self._days[bar.symbol]
        to = {"low": bar.low, "high": bar.high, "close": bar.close}[leg]
        first = True
        while (level := self._next_level(bar.symbol, state.last, to)) is not None:
            self._emit(bar, state, level, liquidity, new_window=first)
            first = False
        if leg == "close":
            state.volume += bar.volume
        self._emit(bar, state, to, liquidity, new_window=first)
        if leg == "close":
            self.exchange.close_window(bar.symbol)

    def _next_level(self, symbol: str, at: Decimal, to: Decimal) -> Decimal | None:
        """The nearest watched level strictly between two prices, on the way from one to the other."""
        if at < to:
            return min((level for level in self.levels(symbol) if at < level < to), default=None)
        return max((level for level in self.levels(symbol) if to < level < at), default=None)

    def _begin(self, day: date, bar: _Bar) -> _Day:
        rules = self.rules_for(bar.symbol, day)
        prev_close = self._prev_close(bar)
        band = rules.price_band(prev_close) if prev_close is not None else None
        symbol, _, suffix = bar.symbol.rpartition(".")
        told = {
            "symbol": symbol,
            "exchange": Exchange(suffix),
            "name": self._names.get(bar.symbol, ""),
            "limit_up": float(band.up) if band else 0,
            "limit_down": float(band.down) if band else 0,
            "open_price": float(bar.open),
            "pre_close": float(prev_close) if prev_close is not None else 0,
            "gateway_name": self.publisher.gateway_name,
        }
        return _Day(prev_close, band, rules, bar.open, bar.open, bar.open, bar.open, told)

    def _prev_close(self, bar: _Bar) -> Decimal | None:
        """The recorded previous close (the reference on an ex-right day), else the last close seen.

        That one is put on the level of the known ex-days since.
        """
        series = self.data.bars(bar.symbol, BarInterval.DAILY)
        moment = int(
            datetime(bar.start.year, bar.start.month, bar.start.day, 15, tzinfo=MARKET_TZ).timestamp()
        )
        at = int(series.end.searchsorted(moment))
        if at < len(series) and int(series.end[at]) == moment:
            recorded = float(series.pre_close[at])
            if recorded > 0:
                return to_decimal(recorded)
        if at <= 0:
            return None
        close, since, day = to_decimal(float(series.close[at - 1])), series.day_of(at - 1), bar.start.date()
        tick = self.rules_for(bar.symbol, day).tick_size
        for action in self.data.actions.get(bar.symbol, ()):
            if since < action.ex_date <= day:
                close = ex_reference(close, action, tick)
        return close

    def _emit(
        self, bar: _Bar, state: _Day, price: Decimal, liquidity: int, *, new_window: bool, jump: bool = False
    ) -> None:
        state.move(price)
        view = MarketView(
            last=price,
            bid=None,
            ask=None,
            limit_up=state.band.up if state.band else None,
            limit_down=state.band.down if state.band else None,
            liquidity=liquidity,
            tick_size=state.rules.tick_size,
            suspended=self.frequency is BarInterval.DAILY and not bar.volume,
        )
        self.exchange.move(MarketPoint(bar.symbol, view, new_window, jump))
        self.publisher.on_tick(self._tick(state))
        self.ticks += 1
        self.events.drain()

    def _tick(self, state: _Day) -> TickData:
        return TickData(
            datetime=self.clock.now(),
            volume=state.volume,
            last_price=float(state.last),
            high_price=float(state.high),
            low_price=float(state.low),
            **state.told,
        )

    def _by_day(self, start: date, end: date) -> list[tuple[date, list[_Bar]]]:
        days: dict[date, list[_Bar]] = defaultdict(list)
        for symbol in self.data.symbols:
            for bar in self._bars(symbol):
                day = bar.start.date()
                if start <= day <= end:
                    days[day].append(bar)
        return sorted(days.items())

    def _bars(self, symbol: str) -> Iterator[_Bar]:
        series = self.data.bars(symbol, self.frequency)
        columns = zip(
            series.start.tolist(),
            series.end.tolist(),
            series.open.tolist(),
            series.high.tolist(),
            series.low.tolist(),
            series.close.tolist(),
            series.volume.tolist(),
            strict=True,
        )
        for start, end, open_, high, low, close, volume in columns:
            yield _Bar(
                symbol,
                datetime.fromtimestamp(start, MARKET_TZ),
                datetime.fromtimestamp(end, MARKET_TZ),
                to_decimal(open_),
                to_decimal(high),
                to_decimal(low),
                to_decimal(close),
                int(volume),
            )


def _legs(bar: _Bar, frequency: BarInterval) -> tuple[tuple[datetime, str], ...]:
    """Nominal times of a bar's four points; all lie in continuous trading."""
    start = bar.start
    if frequency is BarInterval.DAILY:
        low = start.replace(hour=10, minute=30)
        high = start.replace(hour=14, minute=0)
    else:
        quarter = (bar.end - start) / QUARTER
        low, high = start + quarter, start + 2 * quarter
    return (start, "open"), (low, "low"), (high, "high"), (bar.end - BEFORE_CLOSE, "close")
