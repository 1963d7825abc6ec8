"""The triggers of positions: registered from a plan, fired once, expired with the plan, moved or ended.

A fired one calls for a re-analysis. One on a time that comes due while the AI is paused waits for the end of
the pause; one on a price ends with the plan that it belongs to.
"""

from datetime import datetime, time
from decimal import Decimal

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.base import EVENT_AI_REQUEST, EVENT_AI_TRIGGER
from vnpy_aiagent.domain import (
    MARKET_TZ,
    TARGET_NOTE,
    Activity,
    AgentName,
    AnalysisRequest,
    RequestKind,
    ResolvedTrigger,
    Severity,
    TriggerEnd,
    TriggerEnded,
    TriggerFired,
    TriggerKind,
    TriggerSpec,
    say,
)
from vnpy_aiagent.errors import CalendarError
from vnpy_aiagent.market.sessions import session_close
from vnpy_aiagent.triggers import TriggerBook

TIME_TRIGGER = "time_trigger"
TIME_OF_DAY = time(9, 40)
"""Market time at which a trigger on a number of sessions fires: after the opening's first minutes."""


class TriggerDesk:
    """Owns the trigger book, and tells the portfolio's views how many triggers a position has."""

    def __init__(self, house: AgentContext) -> None:
        """Begin with an empty book."""
        self.house = house
        self.book = TriggerBook()
        self._missed: list[str] = []

    def register(self, account: str, symbol: str, triggers: tuple[ResolvedTrigger, ...], cause: str) -> None:
        """Replace the position's triggers by new ones; a new target alone replaces the old target alone."""
        target_alone = all(trigger.note == TARGET_NOTE for trigger in triggers)
        for old in self.book.of(account, symbol):
            if target_alone and old.note != TARGET_NOTE:
                continue
            self.book.remove(old.id)
            self._ended(old, TriggerEnd.REPLACED, cause)
        for trigger in triggers:
            when = self._when(trigger.sessions) if trigger.trigger is TriggerKind.TIME_AT else None
            spec = self.house.bus.post(
                TriggerSpec,
                EVENT_AI_TRIGGER,
                cause=cause,
                account=account,
                symbol=symbol,
                trigger=trigger.trigger,
                price=trigger.price,
                when=when,
                note=trigger.note,
                expires=None if when is not None else self._expiry(trigger.sessions),
            )
            self._watch(spec)
        self._count(account, symbol)

    def on_time(self, trigger_id: str) -> None:
        """A time trigger's deadline has come; while the AI is paused it waits for the end of that.

        A price trigger's deadline ends it: the plan that it belongs to is over.
        """
        price_trigger = self.book.get(trigger_id)
        if price_trigger is not None and price_trigger.expires is not None:
            self._expire(price_trigger)
            return
        if self.house.control.paused:
            self._missed.append(trigger_id)
            return
        spec = self.book.remove(trigger_id)
        if spec is not None:
            self.fire(spec, None)

    def fire(self, spec: TriggerSpec, price: Decimal | None) -> None:
        """A trigger fires, at a price (CNY) or at its time: the position is analysed anew."""
        bus = self.house.bus
        fired = bus.post(
            TriggerFired,
            EVENT_AI_TRIGGER,
            cause=spec.id,
            account=spec.account,
            trigger_id=spec.id,
            symbol=spec.symbol,
            price=price,
            note=spec.note,
        )
        self._ended(spec, TriggerEnd.FIRED, fired.id)
        bus.status(AgentName.MONITORING, Activity.COMPLETED, spec.symbol)
        if not self.house.portfolio.books[spec.account].managed(spec.symbol):
            return
        reason = say(
            "触发 {note}：{kind} {price}",
            note=spec.note or "—",
            kind=spec.trigger.name,
            price=price or spec.when or "",
        )
        position = self.house.portfolio.books[spec.account].positions[spec.symbol]
        bus.post(
            AnalysisRequest,
            EVENT_AI_REQUEST,
            cause=fired.id,
            account=spec.account,
            request=RequestKind.REPLAN,
            symbol=spec.symbol,
            accounts=(spec.account,),
            reason=reason,
            setup=position.origin.setup,
            trigger_id=spec.id,
            deadline=self.house.session_end(spec.symbol),
        )

    def cancel(self, trigger_id: str, cause: str) -> bool:
        """A human takes a trigger out of the book; whether it was still there."""
        spec = self.book.remove(trigger_id)
        if spec is not None:
            self._ended(spec, TriggerEnd.CANCELLED, cause)
        return spec is not None

    def adjust(self, spec: TriggerSpec, price: Decimal, cause: str) -> TriggerSpec:
        """Replace a price trigger by one at another price (CNY)."""
        self.book.remove(spec.id)
        self._ended(spec, TriggerEnd.REPLACED, cause)
        moved = self.house.bus.adopt(spec, EVENT_AI_TRIGGER, cause=cause, price=price)
        self._watch(moved)
        self._count(spec.account, spec.symbol)
        return moved

    def restore(self, spec: TriggerSpec) -> None:
        """Bring back a trigger after a restart; a time trigger that is overdue fires at once."""
        self._watch(spec)
        self._count(spec.account, spec.symbol)

    def end_all(self, account: str, symbol: str, end: TriggerEnd, cause: str) -> None:
        """Nothing is left to watch of a position."""
        for spec in self.book.of(account, symbol):
            self.book.remove(spec.id)
            self._ended(spec, end, cause)

    def resume(self) -> None:
        """A pause is over: time triggers that came due in it are due now."""
        for trigger_id in self._missed:
            self.house.timers.set(self.house.clock.now(), TIME_TRIGGER, trigger_id)
        self._missed.clear()

    def _expire(self, spec: TriggerSpec) -> None:
        self.book.remove(spec.id)
        self._ended(spec, TriggerEnd.EXPIRED, spec.id)
        sentence = say(
            "{account} {symbol} 的触发条件 {price} 到期未触发，已撤除",
            account=spec.account,
            symbol=spec.symbol,
            price=spec.price,
        )
        self.house.bus.say_log(sentence, Severity.INFO)

    def _watch(self, spec: TriggerSpec) -> None:
        """Into the book, with its deadline: when a time trigger fires, or one on a price expires."""
        self.book.add(spec)
        deadline = spec.when or spec.expires
        if deadline is not None:
            self.house.timers.set(deadline, TIME_TRIGGER, spec.id)

    def _expiry(self, sessions: int | None) -> datetime | None:
        """The close of the last session of a price trigger's plan; None where none is given or known."""
        if sessions is None:
            return None
        try:
            return session_close(self.house.calendar.session_offset(self.house.session_date(), sessions))
        except CalendarError:  # near the end of the known calendar: watched until the position is flat
            return None

    def _when(self, sessions: int | None) -> datetime:
        day = self.house.calendar.session_offset(self.house.session_date(), sessions or 1)
        return datetime.combine(day, TIME_OF_DAY, MARKET_TZ)

    def _count(self, account: str, symbol: str) -> None:
        """Tell the portfolio's views how many triggers a position has."""
        self.house.portfolio.triggers[account, symbol] = len(self.book.of(account, symbol))

    def _ended(self, spec: TriggerSpec, end: TriggerEnd, cause: str) -> None:
        self._count(spec.account, spec.symbol)
        self.house.bus.post(
            TriggerEnded,
            EVENT_AI_TRIGGER,
            cause=cause,
            account=spec.account,
            trigger_id=spec.id,
            symbol=spec.symbol,
            end=end,
        )
