"""The plans of entries, kept from signal to last fill: where the stop goes, and which triggers."""

from collections import deque

from vnpy_aiagent.domain import ParentDone, ParentOrder, Side, Signal

KEPT = 1_000
"""Plans of ended entries that are kept for a late fill."""


class EntryPlans:
    """Signals of entries by id, and which of them have been filled for the first time."""

    def __init__(self) -> None:
        """Begin empty."""
        self.signals: dict[str, Signal] = {}
        self._entries: dict[str, str] = {}
        self._filled: set[str] = set()
        self._ended: deque[str] = deque()

    def remember(self, signal: Signal) -> None:
        """A signal came; those of sales have no plan."""
        if signal.side is Side.BUY:
            self.signals[signal.id] = signal

    def drop(self, signal_id: str) -> None:
        """A signal became no order."""
        self.signals.pop(signal_id, None)
        self._filled.discard(signal_id)

    def begin(self, order: ParentOrder) -> None:
        """A signal is worked."""
        if order.side is Side.BUY:
            self._entries[order.id] = order.signal_id

    def end(self, done: ParentDone) -> None:
        """An entry has ended. Its own plan alone is over, and not at once: a late fill may come for it."""
        self._ended.append(self._entries.pop(done.parent_id, ""))
        while len(self._ended) > KEPT:
            self.drop(self._ended.popleft())

    def of(self, signal_id: str | None) -> Signal | None:
        """The plan that a fill belongs to."""
        return self.signals.get(signal_id or "")

    def is_first_fill(self, signal: Signal) -> bool:
        """Whether nothing of a plan was filled before."""
        return signal.id not in self._filled

    def note_fill(self, signal: Signal) -> None:
        """The plan's first fill has come."""
        self._filled.add(signal.id)
