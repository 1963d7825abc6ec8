"""The trading state and the pause switch, read by whoever is about to send an order."""

from threading import Lock

from vnpy_aiagent.domain import TradingState


class TradingControl:
    """ACTIVE, REDUCING or HALTED, and whether the AI is paused. Thread-safe."""

    def __init__(self) -> None:
        """Begin ACTIVE; the engine restores what the journal says."""
        self._lock = Lock()
        self._state = TradingState.ACTIVE
        self._paused = False

    @property
    def state(self) -> TradingState:
        """The present state."""
        with self._lock:
            return self._state

    @property
    def paused(self) -> bool:
        """Whether new decisions are off; stops stay on."""
        with self._lock:
            return self._paused

    def set(self, state: TradingState, *, paused: bool) -> None:
        """Set both. Only a human's command may lift HALTED; the engine sees to that."""
        with self._lock:
            self._state, self._paused = state, paused
