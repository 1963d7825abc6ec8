"""Events of vnpy's event thread, queued for the GUI thread. A handler appends and returns."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from vnpy.event import EVENT_TIMER, Event, EventEngine
from vnpy.trader.event import EVENT_LOG

from vnpy_aiagent.base import APP_NAME, EVENT_AI_APPROVAL, EVENT_AI_SLIP, EVENT_AI_STATUS, EVENT_AI_THINKING

MAX_WAITING = 20_000


class EventFeed:
    """What must be seen at once, and what the journal does not hold.

    Requests for approval, orders to place by hand, agents' activity, what models say, our lines in vnpy's
    log, the heartbeat.
    """

    def __init__(self, events: EventEngine, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Listen from now on; `close` ends it."""
        self._events = events
        self._monotonic = monotonic
        self._waiting: deque[Any] = deque(maxlen=MAX_WAITING)
        self._beat = monotonic()
        self._handlers: list[tuple[str, Callable[[Event], None]]] = [
            (EVENT_AI_STATUS, self._take),
            (EVENT_AI_THINKING, self._take),
            (EVENT_AI_APPROVAL, self._take),
            (EVENT_AI_SLIP, self._take),
            (EVENT_LOG, self._take_log),
            (EVENT_TIMER, self._take_beat),
        ]
        for name, handler in self._handlers:
            events.register(name, handler)

    def drain(self) -> list[Any]:
        """What came since the last time, in order."""
        found = []
        while self._waiting:
            found.append(self._waiting.popleft())
        return found

    @property
    def silent_seconds(self) -> float:
        """Seconds since the event thread last handled its timer."""
        return self._monotonic() - self._beat

    def close(self) -> None:
        """Stop listening; doing it twice is harmless."""
        for name, handler in self._handlers:
            self._events.unregister(name, handler)
        self._handlers.clear()

    def _take(self, event: Event) -> None:
        self._waiting.append(event.data)

    def _take_log(self, event: Event) -> None:
        if event.data.gateway_name == APP_NAME:
            self._waiting.append(event.data)

    def _take_beat(self, event: Event) -> None:
        self._beat = self._monotonic()
