"""Commands from other processes (terminal, browser) to the process that writes the journal.

Posting needs no lease. The running process polls `take`, carries each command out and answers with `done`.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import peewee

from vnpy_aiagent.domain import typed, without_surrogates
from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.store.database import StoreDatabase, close_database, first_line
from vnpy_aiagent.store.models import tables_of


@dataclass(frozen=True, slots=True)
class Command:
    """One posted command: who asked for what, and when (`at`, ISO 8601)."""

    id: int
    command: str
    args: Mapping[str, str]
    by: str
    at: str


class Inbox:
    """The command table of one database. Every method raises JournalError when the storage fails."""

    def __init__(self, database: StoreDatabase) -> None:
        """Use a connection of `open_database`, other than the journal's own; missing tables are created."""
        self._tables = tables_of(database)
        self._database = database
        with storage(database):
            self._tables.create()

    def post(self, command: str, args: Mapping[str, str], by: str, at: str) -> int:
        """Leave a command; returns its number, with which to ask for the result."""
        clean = {name: typed(value) for name, value in args.items()}
        text = json.dumps(clean, ensure_ascii=False, sort_keys=True)
        with storage(self._database):
            query = self._tables.inbox.insert(command=typed(command), args=text, posted_by=typed(by), at=at)
            return int(query.execute())

    def take(self) -> list[Command]:
        """Commands that are not done yet, oldest first; a command stays until `done`, also across a crash."""
        row = self._tables.inbox
        columns = (row.id, row.command, row.args, row.posted_by, row.at)
        with storage(self._database):
            found = self._database.run(
                row.select(*columns).where(row.result.is_null()).order_by(row.id)
            ).fetchall()
        return [Command(number, name, json.loads(args), by, at) for number, name, args, by, at in found]

    def done(self, command_id: int, result: str) -> None:
        """Record how a command ended; the first result stands. An unknown number raises JournalError."""
        row, result = self._tables.inbox, without_surrogates(result)
        with storage(self._database):
            query = row.update(result=result).where((row.id == command_id) & row.result.is_null())
            known = query.execute() or row.select().where(row.id == command_id).exists()
        if not known:
            raise JournalError(
                f"there is no command number {command_id} in the inbox; take() lists the open ones"
            )

    def result(self, command_id: int) -> str | None:
        """How a command ended; None while it is not done."""
        row = self._tables.inbox
        with storage(self._database):
            found = self._database.run(row.select(row.result).where(row.id == command_id)).fetchone()
        return found[0] if found else None


@contextmanager
def storage(database: StoreDatabase) -> Iterator[None]:
    """Hold a database's guard; a storage failure becomes a JournalError and the next call connects again."""
    with database.guard:
        try:
            yield
        except peewee.PeeweeException as error:
            close_database(database)
            raise JournalError(
                f"cannot use the tables of {database.name} ({first_line(error)}); "
                "check free space and what else holds the file"
            ) from error
