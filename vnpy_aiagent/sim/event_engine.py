"""A vnpy EventEngine without threads: events are handled in the order they were put, when drained."""

from collections import deque

from vnpy.event import Event, EventEngine


class DeterministicEventEngine(EventEngine):
    """Drop-in EventEngine for simulation and tests. Not thread-safe by intent: one thread owns it."""

    def __init__(self) -> None:
        """Begin with no events; no timer events are generated."""
        super().__init__()
        self._events: deque[Event] = deque()
        self.handled = 0

    def start(self) -> None:
        """Accept events."""
        self._active = True

    def stop(self) -> None:
        """Handle what is left and stop."""
        self.drain()
        self._active = False

    def put(self, event: Event) -> None:
        """Queue an event."""
        self._events.append(event)

    def listeners(self, type: str) -> int:
        """How many handlers an event of a type would reach."""
        return len(self._handlers.get(type, ())) + len(self._general_handlers)

    def discard(self) -> None:
        """Forget events that were not handled: the run has failed."""
        self._events.clear()

    def drain(self) -> None:
        """Handle events, and those that their handlers put, until none is left."""
        events = self._events
        while events:
            self._process(events.popleft())
            self.handled += 1
