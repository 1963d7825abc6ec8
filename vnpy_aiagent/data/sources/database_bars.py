"""vnpy's own database as the first source: it answers where it covers the request, and asks no network."""

from collections.abc import Callable
from datetime import date, datetime

from vnpy.trader.database import BaseDatabase

from vnpy_aiagent.data.active_pool import last_complete_day
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.port import INTERVAL_NAMES, BarRequest, Turn, no_rows
from vnpy_aiagent.data.vnpy_database import load_from_database, release
from vnpy_aiagent.domain.text import say
from vnpy_aiagent.errors import CalendarError
from vnpy_aiagent.market import TradingCalendar

SOURCE, LABEL = "database", "vnpy database"


class DatabaseBars:
    """Stored bars. They cover a request that begins and ends inside them, by the sessions of the calendar.

    What was stored may be adjusted for dividends, and its source is not known: whoever imported it knows.
    """

    name = SOURCE
    is_kept = False

    def __init__(self, database: Callable[[], BaseDatabase], calendar: TradingCalendar) -> None:
        """`database` gives vnpy's database; its connection is released after each request."""
        self._database = database
        self._calendar = calendar

    def missing(self) -> SourceAbsence | None:
        """Nothing: vnpy always has one."""
        return None

    def fetch(self, request: BarRequest, now: datetime, turn: Turn) -> BarSeries:
        """All stored bars of the request; SourceAbsence (NO_ROWS) where some sessions lack at either end."""
        database = self._database()
        try:
            data = load_from_database(
                [request.vt_symbol], request.start, request.end, request.interval, database, may_lack=True
            )
        finally:
            release(database)
        bars = data.series[request.vt_symbol, request.interval].upto(now)
        if not len(bars):
            raise no_rows(SOURCE, LABEL, request)
        first, last = bars.day_of(0), bars.day_of(-1)
        if not self._covers(request, first, last, now):
            text = say(
                "数据库里 {symbol} 的{interval}只有 {first} 至 {last}",
                symbol=request.vt_symbol,
                interval=INTERVAL_NAMES[request.interval],
                first=first,
                last=last,
            )
            raise SourceAbsence(SOURCE, AbsenceKind.NO_ROWS, text)
        return bars

    def _covers(self, request: BarRequest, first: date, last: date, now: datetime) -> bool:
        """Whether no session of the request lies before the first or after the last stored day."""
        try:
            opening = self._next_session(request.start)
            closing = min(last_complete_day(self._calendar, now), request.end)
            return first <= opening and (last >= closing or self._next_session(last, after=True) > closing)
        except CalendarError:
            return False  # outside the known calendar nobody can tell

    def _next_session(self, day: date, *, after: bool = False) -> date:
        if not after and self._calendar.is_session(day):
            return day
        return self._calendar.next_session(day)
