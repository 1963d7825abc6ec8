"""The collector of a running engine: a thread that collects on a timetable, and says once what is missing."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from threading import Event, Thread

from vnpy_aiagent.data.fact_sources.collect import FamilyReport
from vnpy_aiagent.domain.clock import MARKET_TZ, Clock, wall_seconds
from vnpy_aiagent.domain.enums import Severity
from vnpy_aiagent.domain.text import Text, say
from vnpy_aiagent.errors import AiAgentError, CalendarError
from vnpy_aiagent.market import TradingCalendar

MARK_FILE = "facts-collected.txt"
SETTLE = timedelta(minutes=1)
"""After a start, before a collection that was missed meanwhile is made up for."""
LONGEST_WAIT = 60.0
JOIN = 2.0
NAMED = 6
SATURDAY = 5
Tell = Callable[[Severity, Text], None]
Work = Callable[[], Sequence[FamilyReport]]


class FactCollector:
    """Calls `work` at each time of the timetable on session days, in a thread of its own."""

    def __init__(
        self,
        work: Work,
        clock: Clock,
        calendar: TradingCalendar,
        times: Sequence[time],
        tell: Tell,
        folder: Path,
        stopped: Event,
    ) -> None:
        """`work` ends soon once `stopped` is set. `folder` keeps when facts were last collected."""
        self._work = work
        self._clock = clock
        self._calendar = calendar
        self._times = tuple(sorted(times))
        self._tell = tell
        self._mark = folder / MARK_FILE
        self._stopped = stopped
        self._told: set[str] = set()
        self._thread = Thread(target=self._run, name="aiagent-facts", daemon=True)

    def start(self) -> None:
        """Begin."""
        if self._times:
            self._thread.start()

    def stop(self) -> None:
        """End; a request under way is left to itself."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(JOIN)

    def first_due(self, now: datetime) -> datetime:
        """When to collect first: soon where the last time of the timetable was missed."""
        missed = self.due_before(now)
        last = self._last()
        return now + SETTLE if last is None or (missed is not None and last < missed) else self.due_after(now)

    def due_after(self, now: datetime) -> datetime:
        """The next time of the timetable."""
        day = now.date()
        while True:
            if self._is_session(day):
                for at in self._times:
                    due = datetime.combine(day, at, MARKET_TZ)
                    if due > now:
                        return due
            day += timedelta(days=1)

    def due_before(self, now: datetime) -> datetime | None:
        """The last time of the timetable within two weeks."""
        for back in range(15):
            day = now.date() - timedelta(days=back)
            if self._is_session(day):
                for at in reversed(self._times):
                    due = datetime.combine(day, at, MARKET_TZ)
                    if due <= now:
                        return due
        return None

    def collect(self) -> None:
        """One collection now; what goes wrong is told, and the next one comes."""
        began = self._clock.now()
        try:
            reports = self._work()
        except AiAgentError as error:
            self._tell(Severity.WARNING, say("资料没能收集：{problem}", problem=error))
            return
        except Exception as error:  # noqa: BLE001 - a thread's error would be seen by nobody
            problem = f"{type(error).__name__}: {error}"
            self._tell(Severity.WARNING, say("资料没能收集：{problem}", problem=problem))
            return
        if self._stopped.is_set():
            return
        self._say(reports)
        try:
            self._mark.parent.mkdir(parents=True, exist_ok=True)
            self._mark.write_text(began.isoformat(), encoding="utf-8")
        except OSError as error:
            self._tell(Severity.WARNING, say("资料没能收集：{problem}", problem=error))

    def _run(self) -> None:
        due = self.first_due(self._clock.now())
        while not self._stopped.is_set():
            wait = wall_seconds(self._clock, due)
            if wait > 0:
                self._stopped.wait(min(wait, LONGEST_WAIT))
                continue
            self.collect()
            due = self.due_after(self._clock.now())

    def _say(self, reports: Sequence[FamilyReport]) -> None:
        """What has failed since the last time, and what answers again; each once."""
        failed = {report.name: report.why for report in reports if report.failed}
        fresh = [name for name in failed if name not in self._told]
        back = sorted(self._told - set(failed))
        self._told = set(failed)
        if fresh:
            self._tell(
                Severity.WARNING,
                say(
                    "{count} 类资料没有取到，分析时会注明缺失：{names}。最后的原因：{why}",
                    count=len(fresh),
                    names=_some(fresh),
                    why=failed[fresh[-1]] or "",
                ),
            )
        if back:
            self._tell(Severity.INFO, say("这些资料恢复了：{names}", names=_some(back)))

    def _last(self) -> datetime | None:
        try:
            found = datetime.fromisoformat(self._mark.read_text(encoding="utf-8").strip())
        except (OSError, ValueError):
            return None
        return found if found.tzinfo is not None else None

    def _is_session(self, day: date) -> bool:
        try:
            return self._calendar.is_session(day)
        except CalendarError:  # past the official years: the calendar's end is told by whoever plans the day
            return day.weekday() < SATURDAY


def _some(names: Sequence[str]) -> str:
    return "、".join(names[:NAMED]) + ("…" if len(names) > NAMED else "")
