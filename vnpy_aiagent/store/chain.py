"""Entries of the journal and the hash that chains them. Pure: no database here."""

from dataclasses import dataclass, field
from hashlib import sha256

from vnpy_aiagent.errors import JournalError

Content = tuple[str, str, str, str, str | None, str]
"""An entry's own fields in order: id, at, kind, account, cause, body."""

GENESIS = "0" * 64
"""What the first entry names as the hash before it."""


class EntryRefused(JournalError):
    """One draft can never be stored: its id is taken, or its text cannot be kept. Trying again is useless."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has a place in the journal.

    `at` is the market time (ISO 8601 with offset), `cause` the id of the entry that led to this one,
    `body` canonical JSON.
    """

    id: str
    at: str
    kind: str
    account: str
    cause: str | None
    body: str

    @property
    def content(self) -> Content:
        """The fields in order."""
        return self.id, self.at, self.kind, self.account, self.cause, self.body


@dataclass(frozen=True, slots=True)
class Entry(Draft):
    """A draft in its place: number (from 1), hash before it, own hash; `wall` lies outside the hash."""

    seq: int
    prev: str
    hash: str
    wall: str | None = field(default=None, compare=False)

    @property
    def draft(self) -> Draft:
        """The entry without its place."""
        return Draft(*self.content)


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry's number and hash; 0 and GENESIS when the journal is empty."""

    seq: int = 0
    hash: str = GENESIS


def encode(prev: str, seq: int, content: Content) -> bytes:
    """Unambiguous bytes of an entry: each text with its length before it, a missing cause as `-`.

    Lengths count characters. A text that is not valid Unicode raises UnicodeEncodeError.
    """
    entry_id, at, kind, account, cause, body = content
    origin = "-" if cause is None else f"{len(cause)}:{cause}"
    return (
        f"{seq};{len(prev)}:{prev}{len(entry_id)}:{entry_id}{len(at)}:{at}{len(kind)}:{kind}"
        f"{len(account)}:{account}{origin}{len(body)}:{body}"
    ).encode()


def link(head: Head, draft: Draft, wall: str | None = None) -> Entry:
    """Put a draft behind a head; raises EntryRefused for text that no database can keep."""
    seq, content = head.seq + 1, draft.content
    try:
        data = encode(head.hash, seq, content)
    except UnicodeEncodeError as error:
        raise EntryRefused(
            f"entry {draft.id!r} holds text that is not valid Unicode; clean it first"
        ) from error
    if b"\0" in data:
        raise EntryRefused(f"entry {draft.id!r} holds a NUL character; escape it as JSON does")
    return Entry(*content, seq, head.hash, sha256(data).hexdigest(), wall)
