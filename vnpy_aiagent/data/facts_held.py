"""Facts held ready for the event thread: the view of each symbol, prepared in a thread of its own.

A view changes only when rows are added, when a held fact becomes known, when a text grows too old and at
midnight. So each prepared view comes with the span in which it holds, and an answer within that span is the
very view that `FactReader` would read. Everything else is read as before, in the caller's thread.
"""

import os
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from time import monotonic

from vnpy_aiagent.data.facts import FactView
from vnpy_aiagent.data.facts_store import FactReader
from vnpy_aiagent.domain.clock import Clock
from vnpy_aiagent.errors import DataError

POLL = 1.0
"""Seconds between two looks at the file."""
TRUSTED = 5.0
"""Seconds (steady clock) for which a view is used after a look that found the file unchanged."""
AHEAD = timedelta(seconds=30)
"""How long before the end of its span the view that follows is prepared."""
MOST = 512
"""Symbols whose views are held: those that run first, then those asked for of late."""
JOIN = 3.0


@dataclass(frozen=True, slots=True)
class Held:
    """A view, the moments for which it is the view (`since` <= at < `until`), and when it was read.

    read_at: seconds of the steady clock.
    """

    view: FactView
    since: datetime
    until: datetime
    read_at: float

    def covers(self, at: datetime) -> bool:
        """Whether it is the view at a moment. A day of another time zone has another midnight."""
        return at.tzinfo is self.since.tzinfo and self.since <= at < self.until


class HeldFacts:
    """A FactSource for running engines. What is added to the file is seen within TRUSTED seconds."""

    def __init__(
        self,
        reader: FactReader,
        clock: Clock,
        symbols: Callable[[], Sequence[str]],
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        """`symbols`: what runs now. `seconds`: a steady clock. Nothing is prepared before `start`."""
        self._reader, self._clock, self._symbols, self._seconds = reader, clock, symbols, seconds
        self._held: dict[str, tuple[Held, ...]] = {}
        self._confirmed = self._without_file = float("-inf")
        self._asked: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()
        self._file: sqlite3.Connection | None = None
        self._version: tuple[int, ...] | None = None
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="aiagent-facts-held", daemon=True)

    def view(self, vt_symbol: str, at: datetime) -> FactView:
        """What was known of the symbol at `at`. DataError as of `FactReader.view`."""
        now = self._seconds()
        for held in self._held.get(vt_symbol, ()):
            if held.covers(at) and now - max(held.read_at, self._confirmed) <= TRUSTED:
                return held.view
        if now - self._without_file <= TRUSTED:
            return FactView()
        self._note(vt_symbol)
        return self._reader.view(vt_symbol, at)

    def start(self) -> None:
        """Begin to prepare."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(JOIN)

    def refresh(self) -> None:
        """One look at the file: all views again where it has changed, else those whose span ends soon.

        Where the file cannot be read nothing is held, and `view` says why.
        """
        began = self._seconds()
        try:
            version = self._look()
            self._without_file = began if version is None else float("-inf")
            if version is None:
                self._held = {}
                return
            if version != self._version:
                self._prepare(lambda _: ())
                self._version = version
            else:
                self._confirmed = began
                self._prepare(lambda symbol: self._held.get(symbol, ()))
            self._confirmed = began
        except (DataError, sqlite3.Error, OSError):  # whoever asks next reads the file, and is told
            self._forget()

    def close(self) -> None:
        """Give up the file. In the thread that called `refresh`."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                self.refresh()
                self._stopped.wait(POLL)
        finally:
            self._held = {}
            self.close()

    def _forget(self) -> None:
        self._without_file = float("-inf")
        self._held, self._version = {}, None
        self.close()

    def _note(self, vt_symbol: str) -> None:
        with self._lock:
            self._asked[vt_symbol] = None
            self._asked.move_to_end(vt_symbol)
            if len(self._asked) > MOST:
                self._asked.popitem(last=False)

    def _wanted(self) -> list[str]:
        with self._lock:
            asked = list(reversed(self._asked))
        return list(dict.fromkeys((*self._symbols(), *asked)))[:MOST]

    def _look(self) -> tuple[int, ...] | None:
        """What changes with each commit of another connection and with the file itself; None without one."""
        try:
            found = os.stat(self._reader.path)
        except FileNotFoundError:
            self._forget()
            return None
        same = self._version is not None and self._version[:2] == (found.st_dev, found.st_ino)
        if self._file is not None and not same:
            self.close()
        if self._file is None:
            self._version = None
            self._file = self._reader.connect()
        (commits,) = self._file.execute("PRAGMA data_version").fetchone()
        return found.st_dev, found.st_ino, commits

    def _prepare(self, kept: Callable[[str], tuple[Held, ...]]) -> None:
        """Views of all wanted symbols: those of `kept` that still hold, and what follows them."""
        wanted = self._wanted()
        for symbol in [name for name in self._held if name not in wanted]:
            del self._held[symbol]
        for symbol in wanted:
            if self._stopped.is_set():
                return
            now = self._clock.now()
            spans = tuple(held for held in kept(symbol) if held.until > now and held.since <= now + AHEAD)
            if not any(held.covers(now) for held in spans):
                spans = (self._read(symbol, now),)
            if spans[-1].until <= now + AHEAD:
                spans = (*spans, self._read(symbol, spans[-1].until))
            self._held[symbol] = spans

    def _read(self, vt_symbol: str, at: datetime) -> Held:
        read_at = self._seconds()
        view, until = self._reader.span(vt_symbol, at)
        return Held(view, at, until, read_at)
