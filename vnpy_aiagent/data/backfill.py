"""Daily bars that a running universe lacks: downloaded into vnpy's database, or named with what to do."""

from collections.abc import Callable, Sequence
from datetime import date

from vnpy.trader.database import get_database

from vnpy_aiagent.data.active_pool import last_complete_day
from vnpy_aiagent.data.live_bars import LiveBars
from vnpy_aiagent.data.sources.absence import SourceAbsence
from vnpy_aiagent.data.sources.database_bars import SOURCE as DATABASE
from vnpy_aiagent.data.sources.download import UNADJUSTED, Download, download
from vnpy_aiagent.data.sources.notebook import SourceNotebook
from vnpy_aiagent.data.sources.port import NoSource, one_line
from vnpy_aiagent.data.sources.router import BarRouter
from vnpy_aiagent.data.vnpy_database import import_market_data
from vnpy_aiagent.domain.clock import Clock
from vnpy_aiagent.domain.enums import BarInterval, Severity
from vnpy_aiagent.domain.text import Text, say
from vnpy_aiagent.errors import AiAgentError, CalendarError
from vnpy_aiagent.market import TradingCalendar

YEARS = 3
SAME_PRICE = 0.0005  # CNY, half of a fund's tick: closes that differ by less are the same
NAMED = 5  # symbols named in one sentence
Tell = Callable[[Severity, Text], None]


class Backfill:
    """Looks after the daily bars of the symbols that run. `run` waits for the network: call it in a thread.

    Bars that end too early are continued only where the downloaded ones agree with the last stored close:
    what is stored may be adjusted for dividends, what sources send is not.
    """

    def __init__(
        self,
        bars: LiveBars,
        clock: Clock,
        calendar: TradingCalendar,
        tell: Tell,
        router: BarRouter,
        notebook: SourceNotebook | None = None,
    ) -> None:
        """`tell` gets sentences for people, in the thread of `run`. `notebook` keeps where bars came from."""
        self._bars, self._clock, self._calendar, self._tell = bars, clock, calendar, tell
        self._router, self._notebook = router, notebook
        self._told: set[str] = set()

    def run(self, symbols: Sequence[str], indices: Sequence[str] = ()) -> None:
        """Download what is missing, continue what is old, name what is left. `indices` are only seen."""
        self._told.clear()
        bare = [symbol for symbol in symbols if not self._count(symbol)]
        why = self._download(bare) if bare else None
        still = [symbol for symbol in bare if not self._count(symbol)]
        if len(still) < len(bare):
            count = len(bare) - len(still)
            self._tell(Severity.INFO, say("{count} 个标的的历史日线已下载，下一次扫描起生效", count=count))
        if still:
            self._tell(
                Severity.WARNING,
                say(
                    "{count} 个标的没有历史日线，不会被分析：{symbols}。{why}。补齐：在“数据管理”里下载，"
                    "或运行 aiagent data download {first}",
                    count=len(still),
                    symbols=_some(still),
                    why=one_line(why) if why else "",
                    first=still[0],
                ),
            )
        old = self._old(symbols)
        if old and not self._not_set_up():
            self._continue(old)
        self._name_old(self._old(symbols))
        self._see_to(indices)

    def _see_to(self, indices: Sequence[str]) -> None:
        """Bars of indices; without them decisions say that they lack."""
        if not indices or self._not_set_up():
            return
        bare = [symbol for symbol in indices if not self._count(symbol)]
        why = self._download(bare) if bare else None
        if why is not None:
            reason = say("指数日线没有取到，分析时没有指数环境：{why}", why=one_line(why))
            self._tell(Severity.INFO, reason)
        self._continue(self._old(indices))

    def _not_set_up(self) -> list[SourceAbsence]:
        """What each source lacks; empty where at least one can be asked."""
        missing = [self._router.missing(name) for name in self._router.names if name != DATABASE]
        told = [absence for absence in missing if absence is not None]
        return told if len(told) == len(missing) else []

    def _fetch(self, symbol: str, first: date, last: date) -> Download:
        found = download(self._router, [symbol], first, last)
        for note in found.data.notes:
            if note.template not in (UNADJUSTED, *self._told):
                self._told.add(note.template)
                self._tell(Severity.WARNING, note)
        return found

    def _store(self, found: Download) -> None:
        """Bars into vnpy's database, and a note of where they came from."""
        import_market_data(found.data, get_database())
        if self._notebook is not None:
            for key, provenance in found.provenance.items():
                self._notebook.note_origin(found.data.series[key], provenance)

    def _download(self, symbols: Sequence[str]) -> Text | None:
        """The reason why the last failure failed; None where all came."""
        lacking = self._not_set_up()
        if lacking:
            return lacking[0].text
        self._tell(
            Severity.INFO,
            say("正在下载 {count} 个标的的历史日线：{symbols}", count=len(symbols), symbols=_some(symbols)),
        )
        today, why = self._clock.now().date(), None
        first = today.replace(year=today.year - YEARS, day=1)
        for symbol in symbols:
            try:
                self._store(self._fetch(symbol, first, today))
            except NoSource as error:
                why = error.text
                if error.is_outage:
                    break  # the next one would fail after the same wait
            except AiAgentError as error:
                why = say("{trouble}", trouble=error)
        self._bars.refresh()
        return why

    def _continue(self, symbols: Sequence[str]) -> None:
        """Add the days since the last stored one, where both agree on that day's close."""
        today, added = self._clock.now().date(), 0
        for symbol in symbols:
            stored = self._bars.bars(symbol, BarInterval.DAILY, 1)
            last = stored.end_of(-1).date()
            try:
                found = self._fetch(symbol, last, today)
            except NoSource as error:
                if error.is_outage:
                    break  # the next one would fail after the same wait
                continue
            except AiAgentError:
                continue  # the symbol stays old, and is named
            fresh = found.data.bars(symbol, BarInterval.DAILY)
            same_day = [i for i in range(len(fresh)) if fresh.end_of(i).date() == last]
            agrees = same_day and abs(fresh.close[same_day[0]] - stored.close[-1]) < SAME_PRICE
            if agrees and fresh.end_of(-1).date() > last:
                self._store(found)
                added += 1
        if added:
            self._bars.refresh()
            self._tell(Severity.INFO, say("{count} 个标的的历史日线已续到最近的交易日", count=added))

    def _old(self, symbols: Sequence[str]) -> list[str]:
        """Symbols whose bars end before the last complete trading day."""
        try:
            due = last_complete_day(self._calendar, self._clock.now())
        except CalendarError:
            return []  # the calendar's end is told by whoever plans the day
        last = {s: self._bars.bars(s, BarInterval.DAILY, 1) for s in symbols}
        return [s for s, bars in last.items() if len(bars) and bars.end_of(-1).date() < due]

    def _name_old(self, old: Sequence[str]) -> None:
        if old:
            due = last_complete_day(self._calendar, self._clock.now())
            self._tell(
                Severity.WARNING,
                say(
                    "{count} 个标的的日线没有更新到 {due}：{symbols}。停牌的不必理会；"
                    "其余请在“数据管理”里更新，或运行 aiagent data download {first}"
                    "（已复权的日线不会自动续接）",
                    count=len(old),
                    due=due,
                    symbols=_some(old),
                    first=old[0],
                ),
            )

    def _count(self, symbol: str) -> int:
        return len(self._bars.bars(symbol, BarInterval.DAILY, 1))


def _some(symbols: Sequence[str]) -> str:
    """The first few, and that there are more."""
    return "、".join(symbols[:NAMED]) + ("…" if len(symbols) > NAMED else "")
