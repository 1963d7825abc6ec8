"""Watches the host's event thread from outside: one exception in any app's handler ends it silently."""

import logging
import time
from collections.abc import Callable
from threading import Event as Flag
from threading import Thread

_log = logging.getLogger(__name__)


class Watchdog:
    """Sends a ping through the event engine every `interval` seconds and misses its echo after `patience`."""

    def __init__(
        self,
        ping: Callable[[], None],
        on_stall: Callable[[float], None],
        on_recover: Callable[[], None],
        *,
        interval: float = 1.0,
        patience: float = 5.0,
    ) -> None:
        """`ping` puts an event whose handler calls `echo`; callbacks run in the watchdog's thread."""
        self._ping = ping
        self._on_stall = on_stall
        self._on_recover = on_recover
        self._interval = interval
        self._patience = patience
        self._stop = Flag()
        self._last_echo = time.monotonic()
        self._stalled = False
        self._thread = Thread(target=self._run, name="aiagent-watchdog", daemon=True)

    @property
    def stalled(self) -> bool:
        """Whether the event thread is silent now."""
        return self._stalled

    def start(self) -> None:
        """Begin to watch."""
        self._last_echo = time.monotonic()
        self._thread.start()

    def echo(self) -> None:
        """The event thread handled a ping."""
        self._last_echo = time.monotonic()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(self._interval + 1)

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self._look()
            except Exception:  # noqa: BLE001 - whatever a callback did, the watch goes on
                _log.exception("a callback of the watchdog failed")

    def _look(self) -> None:
        self._ping()
        silent = time.monotonic() - self._last_echo
        if silent > self._patience and not self._stalled:
            self._stalled = True
            self._on_stall(silent)
        elif silent <= self._patience and self._stalled:
            self._stalled = False
            self._on_recover()
