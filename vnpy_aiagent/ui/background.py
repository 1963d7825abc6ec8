"""Work off the GUI thread. Results come back on it; a window that is gone by then gets none.

Python may collect garbage on any thread, and Qt objects must end on theirs: every widget and model of this
room has a Qt parent or lives as long as the program.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

Result = TypeVar("Result")


class Background(QObject):
    """Runs one function a thread. Threads are daemons: a slow server never keeps the program from ending."""

    _finished = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        """Results are delivered on the thread that makes this."""
        super().__init__(parent)
        self._finished.connect(self._deliver)
        self.busy = 0

    def run(
        self,
        work: Callable[[], Result],
        done: Callable[[Result], object],
        failed: Callable[[Exception], object],
    ) -> None:
        """Do `work` elsewhere, then call `done` with its result or `failed` with its exception, here."""
        self.busy += 1

        def job() -> None:
            call: Callable[..., object] = done
            value: object
            try:
                value = work()
            except Exception as error:  # noqa: BLE001 - every failure is shown by the caller
                call, value = failed, error
            try:
                self._finished.emit(call, value)
            except RuntimeError:
                return  # the window was destroyed meanwhile; nobody is left to tell

        threading.Thread(target=job, name="aiagent-window", daemon=True).start()

    def _deliver(self, call: Callable[[object], object], value: object) -> None:
        self.busy -= 1
        call(value)
