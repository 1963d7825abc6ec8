"""The timetable at work: sets the deadlines of jobs and sessions, and says when one has come.

The clock may step back (time service, a user). A job that ran for a day does not run for it again, and a
session that was closed is not opened again: what the journal says has fired decides, over a restart as well.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from vnpy_aiagent.agents import AgentContext
from vnpy_aiagent.base import EVENT_AI_SCHEDULE
from vnpy_aiagent.config import Job
from vnpy_aiagent.control import next_due
from vnpy_aiagent.domain import MARKET_TZ, JobSkipped, ScheduleFired, Severity, say
from vnpy_aiagent.errors import CalendarError

SCHEDULE_TIMER = "schedule"
OPEN_TIMER = "session_open"
CLOSE_TIMER = "session_close"
SESSION_OPENS, SESSION_CLOSES = time(9, 15), time(15, 0)
MAX_LATE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class SessionHooks:
    """What the engine does when a session begins or ends, and when the calendar knows no further day."""

    opened: Callable[[date], None]
    closed: Callable[[date], None]
    calendar_ended: Callable[[str], None]


class Timetable:
    """Plans one deadline ahead for every job, and the session's two."""

    def __init__(
        self, house: AgentContext, hooks: SessionHooks, fired: Iterable[tuple[str, date]] = ()
    ) -> None:
        """Nothing is planned before `begin`. `fired` names jobs and the days for which they ran already."""
        self.house = house
        self.hooks = hooks
        self._fired = set(fired)
        self._closed: date | None = None

    def begin(self) -> None:
        """Plan everything; a session that is on is opened at once."""
        for job in self.house.settings.schedule:
            if job.enabled:
                self._plan_job(job)
        self._plan_session()

    def on_job(self, payload: tuple[Job, datetime]) -> None:
        """A job is due. One that comes much too late (the machine slept) is skipped and says so."""
        job, due = payload
        house = self.house
        self._fired.add((job.name, due.date()))
        self._plan_job(job)
        if house.clock.now() - due > MAX_LATE:
            reason = say("错过了 {due}，不补做", due=f"{due:%Y-%m-%d %H:%M}")
            house.bus.post(JobSkipped, cause=None, job=job.name, reason=reason)
            return
        house.bus.post(ScheduleFired, EVENT_AI_SCHEDULE, cause=None, job=job.name, due=due)

    def on_open(self, day: date) -> None:
        """A session begins."""
        self.hooks.opened(day)

    def on_close(self, day: date) -> None:
        """A session ends; plan the next one."""
        self._closed = day
        self.hooks.closed(day)
        self._plan_session()

    def _plan_job(self, job: Job) -> None:
        house = self.house
        try:
            due = next_due(job, house.clock.now(), house.calendar)
            while (job.name, due.date()) in self._fired:
                due = next_due(job, due, house.calendar)
        except (CalendarError, ValueError) as error:
            house.bus.alert(Severity.CRITICAL, say("任务 {job} 停止：{why}", job=job.name, why=error))
            return
        house.timers.set(due, SCHEDULE_TIMER, (job, due))

    def _plan_session(self) -> None:
        house = self.house
        now = house.clock.now()
        today = now.date()
        try:
            trades = (
                house.calendar.is_session(today) and now.time() < SESSION_CLOSES and today != self._closed
            )
            day = today if trades else house.calendar.next_session(today)
        except CalendarError as error:
            sentence = say("交易日历已到尽头，停止交易：{why}", why=error)
            house.bus.alert(Severity.CRITICAL, sentence)
            self.hooks.calendar_ended(str(error))
            return
        opens = datetime.combine(day, SESSION_OPENS, MARKET_TZ)
        if opens <= now:
            self.on_open(day)
        else:
            house.timers.set(opens, OPEN_TIMER, day)
        house.timers.set(datetime.combine(day, SESSION_CLOSES, MARKET_TZ), CLOSE_TIMER, day)
