"""The cassette: questions to a model and its answers in an SQLite file that only grows.

An answer is found by the fingerprint of its question: SHA-256 over the model's name, the messages, the tools
and the parameters as canonical JSON. No key and no address is in it. Several processes may read and write one
file; a commit that was cut off is left out by SQLite, and what was committed before it stays.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

from pydantic import ValidationError

from vnpy_aiagent.errors import CassetteMiss
from vnpy_aiagent.llm.port import ModelReply, ModelRequest

FILE_NAME = "cassette.db"
BUSY_SECONDS = 5.0
_TABLE = """CREATE TABLE IF NOT EXISTS exchange (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    request TEXT NOT NULL, reply TEXT NOT NULL, model TEXT NOT NULL, task TEXT NOT NULL,
    question BLOB NOT NULL, answer TEXT NOT NULL, usage TEXT NOT NULL,
    UNIQUE (request, reply))"""
_INSERT = (
    "INSERT OR IGNORE INTO exchange (request, reply, model, task, question, answer, usage) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)


def question_text(model: str, request: ModelRequest) -> str:
    """A question as canonical JSON; the timeout is no part of it."""
    return _canonical({"model": model, **request.model_dump(exclude={"timeout"})})


def fingerprint(model: str, request: ModelRequest) -> str:
    """SHA-256 (hex) of a question, the same in every process."""
    return _digest(question_text(model, request))


def answer_text(reply: ModelReply) -> str:
    """An answer as canonical JSON, without its use; who answered only where that is another model."""
    return _canonical(reply.model_dump(exclude={"usage"} if reply.answered_by else {"usage", "answered_by"}))


def reply_digest(reply: ModelReply) -> str:
    """SHA-256 (hex) of an answer without its use."""
    return _digest(answer_text(reply))


class Cassette:
    """One file. Opened at the first use, created by the first `add`; safe to use from several threads.

    Every failure is a CassetteMiss with one sentence.
    """

    def __init__(self, path: Path) -> None:
        """Touches nothing yet."""
        self.path = path
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None

    def add(self, model: str, request: ModelRequest, reply: ModelReply) -> None:
        """Record an exchange; the same answer to the same question is kept once."""
        question, answer = question_text(model, request), answer_text(reply)
        row = (
            _digest(question),
            _digest(answer),
            _storable(model),
            request.task,
            zlib.compress(question.encode("ascii")),
            answer,
            _canonical(reply.usage.model_dump()),
        )
        with self._open(create=True) as connection:
            if connection is not None:
                connection.execute(_INSERT, row)

    def find(self, request: str, reply: str = "") -> ModelReply | None:
        """The answer to a question of this fingerprint: that of the digest `reply`, else the latest."""
        query = "SELECT reply, answer, usage FROM exchange WHERE request = ?"
        values = [request]
        if reply:
            query += " AND reply = ?"
            values.append(reply)
        found = self._one(query + " ORDER BY seq DESC LIMIT 1", values)
        if found is None:
            return None
        digest, answer, usage = found
        if not isinstance(answer, str) or _digest(answer) != digest:
            raise CassetteMiss(
                f"the answer to question {request[:12]} in {self.path} was changed: its digest does not fit; "
                "restore the file from a copy"
            )
        try:
            return ModelReply(**json.loads(answer), usage=json.loads(usage))
        except (ValidationError, ValueError, TypeError) as error:
            raise self._broken(error) from None

    def question(self, request: str) -> str | None:
        """The canonical JSON of a question by its fingerprint."""
        found = self._one("SELECT question FROM exchange WHERE request = ? LIMIT 1", [request])
        if found is None:
            return None
        try:
            text = zlib.decompress(found[0]).decode("ascii")
        except (zlib.error, ValueError, TypeError) as error:
            raise self._broken(error) from None
        if _digest(text) != request:
            raise CassetteMiss(
                f"question {request[:12]} in {self.path} was changed: its fingerprint does not fit; "
                "restore the file from a copy"
            )
        return text

    def count(self) -> int:
        """How many exchanges there are."""
        found = self._one("SELECT COUNT(*) FROM exchange", [])
        return int(found[0]) if found else 0

    def close(self) -> None:
        """Close the file; it opens again by itself when it is next used."""
        with self._lock:
            self._close()

    def _one(self, query: str, values: list[str]) -> tuple[Any, ...] | None:
        with self._open(create=False) as connection:
            row = connection.execute(query, values).fetchone() if connection is not None else None
            return tuple(row) if row is not None else None

    @contextmanager
    def _open(self, *, create: bool) -> Iterator[sqlite3.Connection | None]:
        """The connection in a transaction; None where there is no file and none is wanted."""
        with self._lock:
            if self._connection is None and not create and not self.path.exists():
                yield None
                return
            try:
                connection = self._connected()
                with connection:
                    yield connection
            except (sqlite3.Error, OSError, OverflowError) as error:
                self._close()
                raise self._broken(error) from error

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute(_TABLE)
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _broken(self, error: Exception) -> CassetteMiss:
        why = " ".join(str(error).split())[:200]
        return CassetteMiss(
            f"the recorded answers in {self.path} cannot be used ({why}); check the file, its folder and "
            "free space, or set llm.cassette to another file"
        )


def _canonical(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _digest(text: str) -> str:
    return sha256(text.encode("ascii")).hexdigest()
