"""Ex-days that nobody entered: the day's first quote names a previous close that was not the close.

A lower one moves stops and triggers in the same proportion, with an alert that says what to enter; nothing is
booked, since what the holder receives is not known. A higher or an absurd one moves nothing and is told.
Where the close of the day before was not seen, and no daily bar shows it, a stop at or above the reference
price does not sell: it is put 8 % below that price, and a human is told. So a gap alone never sells, and no
position is left without a stop.
"""

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal

from vnpy.trader.object import TickData

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.ex_day_fold import shift_level
from vnpy_aiagent.agents.ex_levels import ExLevels
from vnpy_aiagent.agents.restore import Restored
from vnpy_aiagent.data.corporate_file import Actions
from vnpy_aiagent.domain import (
    MARKET_TZ,
    BarInterval,
    ClosingPrices,
    Mode,
    ReferenceShifted,
    Severity,
    StopState,
    is_number,
    say,
    to_decimal,
)
from vnpy_aiagent.errors import CalendarError, DataError
from vnpy_aiagent.market import ex_reference
from vnpy_aiagent.market.futures import is_contract
from vnpy_aiagent.portfolio import AccountBook
from vnpy_aiagent.triggers import fallback_stop

CLOSES_TIMER = "closing_prices"
CLOSES_AT = time(15, 5)
LAST_TICK = time(15, 0)
LAST_SIMULATED_TICK = time(14, 56)
MOST_APART = Decimal(2)
"""How many times the reference price, or what part of it, a last price may be to make it credible."""


class ReferenceWatch:
    """Keeps closing prices, and compares each day's first previous close with them."""

    def __init__(self, house: AgentContext, levels: ExLevels, actions: Callable[[], Actions]) -> None:
        """`actions` are the known ex-days, which explain what they explain."""
        self.house = house
        self.levels = levels
        self.actions = actions
        self.shifted: dict[tuple[str, str], date] = {}
        """The last day on which an unknown ex-day moved a position's levels."""
        self._closes: dict[str, tuple[date, Decimal]] = {}
        self._seen: set[str] = set()
        self._day: date | None = None

    def restore(self, restored: Restored) -> None:
        """What the journal says of closes, and of days that were looked at."""
        self.shifted.update(restored.shifted)
        if restored.closing is not None:
            for symbol, price in restored.closing.prices.items():
                self._closes[symbol] = restored.closing.day, price

    def begin(self, day: date) -> None:
        """A session opens: each symbol's first quote is looked at again."""
        self._day = day
        self._seen.clear()

    def plan_closes(self, day: date) -> None:
        """After a session's close: look at its last prices once the closing auction has been told."""
        self.house.timers.set(datetime.combine(day, CLOSES_AT, MARKET_TZ), CLOSES_TIMER, day)

    def note_closes(self, day: date) -> None:
        """Keep the day's last prices; those of held shares are journaled outside simulations."""
        house, quotes = self.house, self.house.portfolio.quotes
        simulated = house.settings.mode is Mode.SIMULATION
        least = datetime.combine(day, LAST_SIMULATED_TICK if simulated else LAST_TICK, MARKET_TZ)
        fresh: dict[str, Decimal] = {}
        for symbol, price in quotes.last_prices.items():
            at = quotes.at(symbol)
            if at is not None and at.date() == day and at >= least and not is_contract(symbol):
                fresh[symbol] = price
                self._closes[symbol] = day, price
        held = {symbol for book in house.portfolio.books.values() for symbol in book.positions}
        prices = {symbol: fresh[symbol] for symbol in sorted(held & fresh.keys())}
        if prices and not simulated:
            house.bus.post(ClosingPrices, cause=None, day=day, prices=prices)

    def on_tick(self, tick: TickData) -> None:
        """The day's first quote with a previous close: does it fit the close of the day before?"""
        symbol = tick.vt_symbol
        if symbol in self._seen or self._day != self.house.today() or is_contract(symbol):
            return
        if is_number(tick.pre_close) and tick.pre_close > 0:
            self._seen.add(symbol)
            self._compare(tick, to_decimal(tick.pre_close))

    def _compare(self, tick: TickData, reference: Decimal) -> None:
        house, symbol, today = self.house, tick.vt_symbol, self.house.today()
        holders = [book for book in house.portfolio.books.values() if self._concerns(book, symbol, today)]
        if not holders:
            return
        step = house.portfolio.rules(symbol).tick_size
        close = self._expected(symbol, today, step)
        if close is None:
            if not self._bars_agree(symbol, today, reference, step):
                self._hold_stops(holders, symbol, reference, step)
        elif reference < close - step and _is_near(tick.last_price, reference):
            for book in holders:
                self._shift(book, symbol, close, reference, step)
        elif abs(reference - close) > step:
            self._tell_odd(symbol, close, reference)

    def _concerns(self, book: AccountBook, symbol: str, today: date) -> bool:
        """Whether an account holds shares from before today that were not looked at today."""
        position = book.positions.get(symbol)
        if position is None or self.shifted.get((book.name, symbol)) == today:
            return False
        return any(lot.day < today for lot in position.lots)

    def _expected(self, symbol: str, today: date, step: Decimal) -> Decimal | None:
        """The reference price that today should have: the close of the day before, less known actions."""
        known = self._closes.get(symbol)
        if known is None:
            return None
        day, close = known
        if self.house.settings.mode is not Mode.SIMULATION and day != self._previous(today):
            return None
        for action in self.actions().get(symbol, ()):
            if day < action.ex_date <= today:
                close = ex_reference(close, action, step)
        return close

    def _bars_agree(self, symbol: str, today: date, reference: Decimal, step: Decimal) -> bool:
        """Whether the daily bar of the session before closed at the reference price: then nothing went ex."""
        try:
            series = self.house.bars.bars(symbol, BarInterval.DAILY, 1)
        except DataError:
            return False
        if not len(series) or series.day_of(-1) != self._previous(today):
            return False
        return abs(to_decimal(float(series.close[-1])) - reference) <= step

    def _previous(self, today: date) -> date | None:
        try:
            return self.house.calendar.previous_session(today)
        except CalendarError:
            return None

    def _shift(
        self, book: AccountBook, symbol: str, close: Decimal, reference: Decimal, step: Decimal
    ) -> None:
        today = self.house.today()
        self.shifted[book.name, symbol] = today
        shifted = self.house.bus.post(
            ReferenceShifted,
            cause=None,
            account=book.name,
            symbol=symbol,
            day=today,
            close=close,
            reference=reference,
            tick=step,
        )
        reason = say("昨收 {close} 变为参考价 {reference}，止损同比例调整", close=close, reference=reference)
        self.levels.move(book.name, symbol, today, shift_level(shifted), reason, shifted.id)
        sentence = say(
            "{account} {symbol} 疑似除权除息：昨日收盘 {close}，今日参考价 {reference}，"
            "止损和触发价已同比例下调；送转和红利未入账，请用 aiagent data import 导入除权除息表",
            account=book.name,
            symbol=symbol,
            close=close,
            reference=reference,
        )
        self.house.bus.alert(Severity.WARNING, sentence, cause=shifted.id, account=book.name)

    def _tell_odd(self, symbol: str, close: Decimal, reference: Decimal) -> None:
        sentence = say(
            "{symbol} 今日参考价 {reference} 与应有的 {close} 不符，止损和触发价未动，请核对",
            symbol=symbol,
            close=close,
            reference=reference,
        )
        self.house.bus.alert(Severity.WARNING, sentence)

    def _hold_stops(self, holders: list[AccountBook], symbol: str, reference: Decimal, step: Decimal) -> None:
        """The close of the day before is not known: a stop that the reference price itself reaches waits."""
        monitoring, today = self.levels.monitoring, self.house.today()
        for book in holders:
            stop = monitoring.stops.get(book.name, symbol)
            if stop is None or stop.state is not StopState.ARMED or stop.price < reference:
                continue
            if not self.levels.is_older(book.name, symbol, today):
                continue
            price = fallback_stop(reference, step)
            sentence = say(
                "{account} {symbol} 止损 {stop} 不低于今日参考价 {reference}，而昨日收盘未知："
                "可能是除权除息，未卖出，止损暂设为 {price}，请核对",
                account=book.name,
                symbol=symbol,
                stop=stop.price,
                reference=reference,
                price=price,
            )
            monitoring.move_stop(book.name, symbol, price, stop.cause or "", sentence)
            self.house.bus.alert(Severity.CRITICAL, sentence, cause=stop.cause, account=book.name)


def _is_near(last: float, reference: Decimal) -> bool:
    """Whether a quote's last price makes its reference price credible; none yet is no objection."""
    if not (is_number(last) and last > 0):
        return True
    return reference / MOST_APART <= to_decimal(last) <= reference * MOST_APART
