"""One pass over a journal into a record that reports are made from. Reports know nothing but the journal."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar, cast

from pydantic import ValidationError

from vnpy_aiagent.domain import (
    AccountOpened,
    AgentStatus,
    BaselineMark,
    EquityMark,
    Fill,
    Message,
    RunStarted,
    parse_message,
)
from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.store.chain import Entry, Head
from vnpy_aiagent.store.journal import JournalReader

Kind = TypeVar("Kind", bound=Message)


@dataclass(frozen=True)
class RunRecord:
    """The messages of a journal, by kind, by id and by cause, in the journal's order."""

    head: Head
    messages: tuple[Message, ...]
    by_id: Mapping[str, Message]
    place: Mapping[str, int]
    by_kind: Mapping[str, tuple[Message, ...]]
    by_cause: Mapping[str, tuple[Message, ...]]

    @classmethod
    def of_messages(cls, messages: Iterable[Message], head: Head | None = None) -> "RunRecord":
        """A record of messages in their order."""
        kept = tuple(messages)
        kinds: dict[str, list[Message]] = {}
        causes: dict[str, list[Message]] = {}
        for message in kept:
            kinds.setdefault(message.kind, []).append(message)
            if message.cause is not None:
                causes.setdefault(message.cause, []).append(message)
        return cls(
            head=head or Head(seq=len(kept)),
            messages=kept,
            by_id={message.id: message for message in kept},
            place={message.id: number for number, message in enumerate(kept)},
            by_kind={kind: tuple(found) for kind, found in kinds.items()},
            by_cause={cause: tuple(found) for cause, found in causes.items()},
        )

    def of(self, kind: type[Kind]) -> tuple[Kind, ...]:
        """All messages of a kind, in order."""
        return cast("tuple[Kind, ...]", self.by_kind.get(kind.kind, ()))

    def get(self, kind: type[Kind], message_id: str | None) -> Kind | None:
        """A message by its id, None where it is missing or of another kind."""
        found = self.by_id.get(message_id or "")
        return found if isinstance(found, kind) else None

    def caused(self, kind: type[Kind], message_id: str) -> tuple[Kind, ...]:
        """Messages of a kind whose cause is the given one."""
        return tuple(each for each in self.by_cause.get(message_id, ()) if isinstance(each, kind))

    def ancestors(self, message_id: str) -> tuple[Message, ...]:
        """What led to a message, oldest first, the message itself last; ends where a loop would close."""
        chain: list[Message] = []
        seen: set[str] = set()
        wanted: str | None = message_id
        while wanted is not None and wanted not in seen and wanted in self.by_id:
            seen.add(wanted)
            chain.append(self.by_id[wanted])
            wanted = chain[-1].cause
        return tuple(reversed(chain))

    def origin(self, kind: type[Kind], message_id: str | None) -> Kind | None:
        """The nearest ancestor of a kind, the message itself included."""
        for message in reversed(self.ancestors(message_id or "")):
            if isinstance(message, kind):
                return message
        return None

    @property
    def started(self) -> RunStarted | None:
        """The last run's start, which names its model and data."""
        runs = self.of(RunStarted)
        return runs[-1] if runs else None

    @property
    def accounts(self) -> dict[str, AccountOpened]:
        """Accounts by name, as first opened."""
        opened: dict[str, AccountOpened] = {}
        for message in self.of(AccountOpened):
            opened.setdefault(message.account, message)
        return opened

    @property
    def marks(self) -> dict[str, tuple[EquityMark, ...]]:
        """Daily valuations by account, one a day (the last), by date."""
        found: dict[str, dict[date, EquityMark]] = {}
        for mark in self.of(EquityMark):
            found.setdefault(mark.account, {})[mark.day] = mark
        return {name: tuple(days[day] for day in sorted(days)) for name, days in found.items()}

    @property
    def baselines(self) -> dict[str, tuple[BaselineMark, ...]]:
        """Daily valuations by baseline, one a day (the last), by date."""
        found: dict[str, dict[date, BaselineMark]] = {}
        for mark in self.of(BaselineMark):
            found.setdefault(mark.name, {})[mark.day] = mark
        return {name: tuple(days[day] for day in sorted(days)) for name, days in found.items()}

    @property
    def fills(self) -> tuple[Fill, ...]:
        """Fills in order, each identity once."""
        return tuple({fill.identity: fill for fill in reversed(self.of(Fill))}.values())[::-1]


def read_journal(target: str | Path) -> RunRecord:
    """Read a journal up to its present head.

    Raises JournalError where there is none, or where an entry cannot be understood.
    """
    with JournalReader.open(target) as reader:
        return read_record(reader)


def read_record(reader: JournalReader) -> RunRecord:
    """Read from an open reader; AgentStatus, which decides nothing, is left out."""
    head = reader.head
    return RunRecord.of_messages(_messages(reader, head), head)


def message_of(entry: Entry) -> Message:
    """The message of a journal's entry; JournalError where this release cannot understand it."""
    try:
        return parse_message(entry.kind, entry.body)
    except (KeyError, ValidationError) as error:
        raise JournalError(
            f"entry {entry.seq} ({entry.kind}) cannot be understood by this release; "
            "read the journal with the release that wrote it"
        ) from error


def _messages(reader: JournalReader, head: Head) -> Iterator[Message]:
    for entry in reader.read(until=head.seq):
        if entry.kind != AgentStatus.kind:
            yield message_of(entry)
