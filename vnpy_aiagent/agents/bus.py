"""Messages onto the event engine and into the journal, with ids, time and cause; the guard of handlers."""

import logging
import traceback
from collections.abc import Callable
from datetime import datetime
from threading import Lock, RLock
from typing import Any, TypeVar

from vnpy.event import Event, EventEngine

from vnpy_aiagent.base import EVENT_AI_ALERT, EVENT_AI_DURABLE, EVENT_AI_STATUS
from vnpy_aiagent.domain import (
    Activity,
    AgentName,
    AgentStatus,
    Alert,
    Clock,
    HandlerFailed,
    IdFactory,
    Message,
    Severity,
    Text,
    say,
)
from vnpy_aiagent.store.journal import Draft
from vnpy_aiagent.store.writer import EntryWriter

MessageType = TypeVar("MessageType", bound=Message)
Handler = Callable[[Event], None]
_log = logging.getLogger(__name__)


class Bus:
    """Posts messages. Whoever handles one gets it through the guard.

    `say_log` writes a line in vnpy's own log; a message's journal entry comes before its event. Handlers hold
    `turn` while they work; whoever acts from another thread (a human's command) takes it too.
    """

    def __init__(
        self,
        events: EventEngine,
        writer: EntryWriter,
        ids: IdFactory,
        clock: Clock,
        say_log: Callable[[Text, Severity], None],
        fatal: tuple[type[Exception], ...] = (),
    ) -> None:
        """The writer orders entries as they are posted. `fatal` errors pass the guard: a simulation ends."""
        self._fatal = fatal
        self.events = events
        self.writer = writer
        self.ids = ids
        self.clock = clock
        self.say_log = say_log
        self.failures = 0
        self.beats: dict[str, datetime] = {}
        self.turn = RLock()
        self._lock = Lock()
        self._handlers: list[tuple[str, Handler]] = []

    def post(
        self,
        kind: type[MessageType],
        event: str | None = None,
        *,
        cause: str | None,
        account: str = "",
        **fields: Any,
    ) -> MessageType:
        """Make a message of a kind, journal it, and put it on the event engine (event None: journal only)."""
        return self.adopt(kind(id="", at=self.clock.now(), cause=cause, account=account, **fields), event)

    def adopt(
        self, message: MessageType, event: str | None = None, *, cause: str | None = None, **changes: Any
    ) -> MessageType:
        """Give a message that was made elsewhere its id, the present time and its cause; then as `post`."""
        with self._lock:
            update = {"id": self.ids.next(), "at": self.clock.now(), **changes}
            if cause is not None:
                update["cause"] = cause
            message = message.model_copy(update=update)
            self.writer.submit(_draft(message))
            if event is not None:
                self.events.put(Event(event, message))
        return message

    def post_durable(
        self, kind: type[MessageType], *, cause: str | None, account: str, **fields: Any
    ) -> MessageType:
        """Journal a message; EVENT_AI_DURABLE with it follows once it is on the disk."""
        with self._lock:
            message = kind(id=self.ids.next(), at=self.clock.now(), cause=cause, account=account, **fields)
            self.writer.submit(_draft(message), lambda _: self.events.put(Event(EVENT_AI_DURABLE, message)))
        return message

    def alert(
        self, severity: Severity, sentence: Text, *, cause: str | None = None, account: str = ""
    ) -> None:
        """Tell a human: journal, event, and vnpy's log."""
        self.post(Alert, EVENT_AI_ALERT, cause=cause, account=account, severity=severity, text=sentence)
        self.say_log(sentence, severity)

    def status(self, agent: AgentName, activity: Activity, detail: str = "") -> None:
        """Show what an agent does. Shown, not journaled: it decides nothing."""
        message = AgentStatus(id="", at=self.clock.now(), agent=agent, activity=activity, detail=detail)
        self.events.put(Event(EVENT_AI_STATUS, message))

    def subscribe(self, event: str, handler: Callable[[Any], None]) -> None:
        """Hand the data of every event of a type to a handler, through the guard."""
        guarded = self._guard(event, handler)
        self._handlers.append((event, guarded))
        self.events.register(event, guarded)

    def unsubscribe_all(self) -> None:
        """Take all handlers off the event engine."""
        for event, handler in self._handlers:
            self.events.unregister(event, handler)
        self._handlers.clear()

    def beat(self, owner: object) -> None:
        """Note by its class that an agent has just handled something."""
        self.beats[type(owner).__name__] = self.clock.now()

    def _guard(self, event_type: str, handler: Callable[[Any], None]) -> Handler:
        """A handler that cannot end the event thread: caught, journaled, counted, alerted."""
        name = getattr(handler, "__qualname__", repr(handler))
        owner = getattr(handler, "__self__", None)

        def guarded(event: Event) -> None:
            with self.turn:
                try:
                    handler(event.data)
                    self.beat(owner)
                except self._fatal:
                    raise
                except Exception as error:  # noqa: BLE001 - the host's event thread dies on any exception
                    self._failed(name, event_type, error)

        return guarded

    def _failed(self, handler: str, event_type: str, error: Exception) -> None:
        self.failures += 1
        where = traceback.extract_tb(error.__traceback__)[-1]
        detail = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
        _log.debug("handler %s failed on %s", handler, event_type, exc_info=error)
        try:
            # not by `post`, whose own parameter `event` would take the field of that name
            failed = HandlerFailed(
                id="", at=self.clock.now(), handler=handler, event=event_type, error=detail
            )
            self.adopt(failed)
            sentence = say("处理 {event} 出错：{error}", event=event_type, error=detail)
            self.alert(Severity.CRITICAL, sentence)
        except self._fatal:
            raise
        except Exception as second:  # noqa: BLE001 - the journal may be what failed; the thread must live on
            _log.error("a failure of %s could not be journaled: %s", handler, second)


def _draft(message: Message) -> Draft:
    return Draft(
        id=message.id,
        at=message.at.isoformat(),
        kind=message.kind,
        account=message.account,
        cause=message.cause,
        body=message.model_dump_json(),
    )
