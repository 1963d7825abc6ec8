"""The two ways to write a journal: a thread of its own for live running, inline for simulation."""

import logging
import time
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from typing import NamedTuple, Protocol

from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.store.chain import Draft, Entry, EntryRefused, Head, link
from vnpy_aiagent.store.journal import Journal

OnDurable = Callable[[Draft], None]
OnError = Callable[[Exception, int], None]

MAX_BATCH = 2_000
"""Most rows in one transaction of the live writer."""

_log = logging.getLogger(__name__)


class EntryWriter(Protocol):
    """What the rest of the app needs of a writer."""

    @property
    def pending(self) -> int:
        """Rows that are not committed yet."""
        ...

    @property
    def head(self) -> Head:
        """The last chained entry."""
        ...

    def submit(self, draft: Draft, on_durable: OnDurable | None = None) -> None:
        """Hand in an entry; `on_durable` is called once it may be relied on."""
        ...

    def flush(self, timeout: float = 10.0) -> bool:
        """Commit what was handed in so far; False if that did not work within `timeout` seconds."""
        ...

    def stop(self, timeout: float = 10.0) -> bool:
        """Take no more and commit the rest; False if rows remain unwritten."""
        ...

    def close(self) -> bool:
        """Stop and close the journal; False if rows remain unwritten."""
        ...


class _Row(NamedTuple):
    draft: Draft
    on_durable: OnDurable | None


class JournalWriter:
    """A thread that commits entries in groups: one transaction for all that came in during the last one.

    When the storage fails (disk full, file locked or taken away, server away) rows stay in memory, in order,
    and are tried again with growing pauses; `on_error` gets each failure and the attempt's number. It also
    gets, with attempt 0, an entry that can never be stored (EntryRefused; its `on_durable` is never called)
    and whatever an `on_durable` callback raised. Both callbacks run in the writer's thread.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        wall: Callable[[], str] | None = None,
        on_error: OnError | None = None,
        backoff: tuple[float, float] = (0.05, 2.0),
    ) -> None:
        """Start the thread.

        The journal belongs to the writer from here on. `wall` gives the machine's time as text, stored
        outside the hash; `backoff` is the first and the longest pause between attempts, in seconds.
        """
        self._journal = journal
        self._presence = journal.presence()
        self._wall = wall
        self._on_error = _log_error if on_error is None else on_error
        self._backoff = backoff
        self._changed = Condition()
        self._queue: deque[_Row] = deque()
        self._submitted = 0
        self._finished = 0
        self._deadline: float | None = None
        self._thread = Thread(target=self._run, name="aiagent-journal", daemon=False)
        self._thread.start()

    @property
    def pending(self) -> int:
        """Rows handed in that are neither committed nor refused."""
        with self._changed:
            return self._submitted - self._finished

    @property
    def unwritten(self) -> list[Draft]:
        """The pending rows themselves, in order; for an emergency copy after a failed stop."""
        with self._changed:
            return [row.draft for row in self._queue]

    @property
    def head(self) -> Head:
        """The last committed entry."""
        return self._journal.head

    def submit(self, draft: Draft, on_durable: OnDurable | None = None) -> None:
        """Hand in an entry without waiting; a stopped writer raises JournalError."""
        with self._changed:
            if self._deadline is not None:
                raise JournalError(
                    f"entry {draft.id!r} came after the journal's writer was stopped; start it again"
                )
            self._queue.append(_Row(draft, on_durable))
            self._submitted += 1
            self._changed.notify_all()

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until all handed in so far is committed and called back; False after `timeout` seconds."""
        with self._changed:
            wanted = self._submitted
            return self._changed.wait_for(lambda: self._finished >= wanted, timeout)

    def stop(self, timeout: float = 10.0) -> bool:
        """Take no more entries, go on trying for `timeout` seconds, end the thread.

        Returns False if rows remain unwritten; the thread then ends after the attempt it is in.
        """
        with self._changed:
            self._deadline = time.monotonic() + timeout
            self._changed.notify_all()
        self._thread.join(timeout)
        return self.pending == 0

    def close(self, timeout: float = 10.0) -> bool:
        """Stop, then close the journal and give its lease back; False if rows remain unwritten."""
        self.stop(timeout)
        self._thread.join()
        self._journal.close()
        return self.pending == 0

    def _run(self) -> None:
        attempt = 0
        while rows := self._next_rows():
            try:
                self._commit(rows, attempt)
            except Exception as error:  # noqa: BLE001 - whatever failed, the rows are kept and tried again
                attempt += 1
                self._report(error, attempt)
                if not self._pause(attempt):
                    return
            else:
                attempt = 0

    def _next_rows(self) -> list[_Row]:
        """The next batch, which stays in the queue until committed; empty when stopped and done."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._deadline is not None)
            return [row for row, _ in zip(self._queue, range(MAX_BATCH), strict=False)]

    def _commit(self, rows: list[_Row], attempt: int) -> None:
        if self._presence is not None:
            self._presence.check()
        wall = None if self._wall is None else self._wall()
        try:
            self._journal.append([row.draft for row in rows], wall)
        except EntryRefused:
            self._commit_singly(rows, attempt, wall)
        else:
            self._finish(rows)

    def _commit_singly(self, rows: list[_Row], attempt: int, wall: str | None) -> None:
        """One transaction a row, to part the refused ones from the rest.

        After a failed attempt a row may be in the journal already: the connection broke while it was being
        committed. Such a row is durable, not refused.
        """
        for row in rows:
            try:
                self._journal.append([row.draft], wall)
            except EntryRefused as error:
                stored = self._journal.get(row.draft.id) if attempt else None
                if stored is None or stored.draft != row.draft:
                    self._report(error, 0)
                    self._finish([row._replace(on_durable=None)])
                    continue
            self._finish([row])

    def _finish(self, rows: list[_Row]) -> None:
        """Take rows off the queue's front, in order, calling back each."""
        for row in rows:
            with self._changed:
                self._queue.popleft()
            if row.on_durable is not None:
                try:
                    row.on_durable(row.draft)
                except Exception as error:  # noqa: BLE001 - foreign code; reported, and must not end this thread
                    self._report(error, 0)
            with self._changed:
                self._finished += 1
                self._changed.notify_all()

    def _pause(self, attempt: int) -> bool:
        """Wait before the next attempt; False when the writer is stopped and its time is up."""
        first, longest = self._backoff
        until = time.monotonic() + min(longest, first * 2.0 ** min(attempt - 1, 30))
        with self._changed:
            while (left := until - time.monotonic()) > 0 and not self._expired():
                if self._deadline is not None:
                    left = min(left, self._deadline - time.monotonic())
                self._changed.wait(max(left, 0.0))
            return not self._expired()

    def _expired(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _report(self, error: Exception, attempt: int) -> None:
        try:
            self._on_error(error, attempt)
        except Exception:  # noqa: BLE001 - foreign code; logged, and must not end this thread
            _log.exception("the journal's error callback failed on: %s", error)


class InlineWriter:
    """Writes in the caller's thread, for the deterministic simulation.

    An entry is chained at once, called back at once, and committed with its neighbours every `every` rows. A
    storage failure raises from `submit` or `flush` and keeps the rows.
    """

    def __init__(
        self, journal: Journal, *, wall: Callable[[], str] | None = None, every: int = 1_000
    ) -> None:
        """The journal belongs to the writer from here on; open it with sync OFF or NORMAL."""
        self._journal = journal
        self._wall = wall
        self._every = every
        self._head = journal.head
        self._buffer: list[Entry] = []
        self._stopped = False

    @property
    def pending(self) -> int:
        """Rows that are chained but not committed."""
        return len(self._buffer)

    @property
    def head(self) -> Head:
        """The last chained entry, committed or not."""
        return self._head

    def submit(self, draft: Draft, on_durable: OnDurable | None = None) -> None:
        """Chain an entry and call back; raises EntryRefused for unusable text, JournalError after `stop`."""
        if self._stopped:
            raise JournalError(
                f"entry {draft.id!r} came after the journal's writer was stopped; start it again"
            )
        entry = link(self._head, draft, None if self._wall is None else self._wall())
        self._head = Head(entry.seq, entry.hash)
        self._buffer.append(entry)
        if len(self._buffer) >= self._every:
            self._commit()
        if on_durable is not None:
            on_durable(draft)

    def flush(self, timeout: float = 10.0) -> bool:
        """Commit what is buffered; raises JournalError where that fails. `timeout` is not needed here."""
        self._commit()
        return True

    def stop(self, timeout: float = 10.0) -> bool:
        """Take no more and commit the rest."""
        self._stopped = True
        return self.flush(timeout)

    def close(self) -> bool:
        """Stop and close the journal, even where the last commit fails (JournalError)."""
        try:
            return self.stop()
        finally:
            self._journal.close()

    def _commit(self) -> None:
        self._journal.store(self._buffer)
        self._buffer = []


def _log_error(error: Exception, attempt: int) -> None:
    _log.error("journal, attempt %d: %s", attempt, error)
