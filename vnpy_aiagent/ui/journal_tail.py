"""Follows the journal: what it holds when the window opens, then what is added. Runs off the GUI thread."""

from collections.abc import Callable, Iterator
from threading import Lock

from vnpy_aiagent.domain import (
    AccountOpened,
    Alert,
    BaselineMark,
    CommandTaken,
    Decision,
    EquityMark,
    Fill,
    HandlerFailed,
    JobSkipped,
    Lesson,
    Message,
    Note,
    Proposal,
    ProposalHeld,
    Review,
    RunEnded,
    RunStarted,
    ScanResult,
    Signal,
    StateChanged,
    TradeRecord,
    TriggerFired,
    Verdict,
)
from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.report.read import message_of
from vnpy_aiagent.store.journal import JournalReader

CURVE_KINDS = (AccountOpened.kind, EquityMark.kind, BaselineMark.kind)
"""Few a day, and wanted from the beginning."""
STREAM_KINDS = tuple(
    kind.kind
    for kind in (
        Alert,
        CommandTaken,
        Decision,
        Fill,
        HandlerFailed,
        JobSkipped,
        Lesson,
        Note,
        Proposal,
        ProposalHeld,
        Review,
        RunEnded,
        RunStarted,
        ScanResult,
        Signal,
        StateChanged,
        TradeRecord,
        TriggerFired,
        Verdict,
    )
)
HISTORY_ENTRIES = 20_000
"""How far back the stream begins, in entries of the journal."""


class JournalTail:
    """New messages of one journal. One poll at a time; threads may take turns."""

    def __init__(self, target: Callable[[], str]) -> None:
        """`target` says where the journal lies, asked anew until one is there."""
        self._target = target
        self._reader: JournalReader | None = None
        self._path = ""
        self._after = 0
        self._lock = Lock()

    def poll(self) -> list[Message]:
        """Messages since the last poll; empty while there is no journal. JournalError where one is broken."""
        with self._lock:
            first = self._reader is None
            reader = self._open()
            return list(self._read(reader, first)) if reader is not None else []

    def with_reader(self) -> JournalReader | None:
        """A reader of the same journal, None while there is none; the caller does not close it."""
        with self._lock:
            return self._reader

    def close(self) -> None:
        """Give up the connection."""
        with self._lock:
            if self._reader is not None:
                self._reader.close()
                self._reader = None

    def _open(self) -> JournalReader | None:
        path = self._target()
        if self._reader is not None and path == self._path:
            return self._reader
        try:
            reader = JournalReader.open(path)
        except JournalError:
            return None  # no run has written one yet; the next poll looks again
        if self._reader is not None:
            self._reader.close()
        self._reader, self._path, self._after = reader, path, 0
        return reader

    def _read(self, reader: JournalReader, first: bool) -> Iterator[Message]:
        head = reader.head.seq
        begin = self._after
        if first or not begin:
            begin = max(0, head - HISTORY_ENTRIES)
            for entry in reader.read(kinds=CURVE_KINDS, until=begin):
                yield message_of(entry)
        if head > begin:
            for entry in reader.read(kinds=(*STREAM_KINDS, *CURVE_KINDS), after=begin, until=head):
                yield message_of(entry)
        self._after = head
