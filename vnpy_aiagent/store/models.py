"""Tables of the store. Rows are plain: times are ISO 8601 text, bodies are JSON text.

Model classes are made for one database instance, so two journals can be open in one process.
"""

from dataclasses import dataclass
from typing import Any

import peewee

from vnpy_aiagent.store.database import StoreDatabase

FORMAT = "1"
"""Version of the table layout and of the hash encoding, kept in the meta table."""


class JournalRow(peewee.Model):
    """One entry of the append-only journal. `wall` is the machine's time and lies outside the hash."""

    seq = peewee.BigIntegerField(primary_key=True)
    id = peewee.TextField(unique=True)
    at = peewee.TextField()
    kind = peewee.TextField(index=True)
    account = peewee.TextField()
    cause = peewee.TextField(null=True, index=True)
    body = peewee.TextField()
    prev = peewee.TextField()
    hash = peewee.TextField()
    wall = peewee.TextField(null=True)


class InboxRow(peewee.Model):
    """One command from another process; `result` is null until it has been carried out."""

    id = peewee.AutoField()
    command = peewee.TextField()
    args = peewee.TextField()
    posted_by = peewee.TextField()
    at = peewee.TextField()
    result = peewee.TextField(null=True, index=True)


class MetaRow(peewee.Model):
    """One fact about the store itself: table format, holder of the lease."""

    key = peewee.TextField(primary_key=True)
    value = peewee.TextField()


@dataclass(frozen=True, slots=True)
class Tables:
    """The model classes of one database."""

    database: StoreDatabase
    journal: type[JournalRow]
    inbox: type[InboxRow]
    meta: type[MetaRow]

    def exist(self) -> bool:
        """Whether the database holds a journal; peewee's exceptions pass through."""
        prefix = self.database.table_prefix
        with self.database.guard:
            return {f"{prefix}journal_entry", f"{prefix}meta"} <= set(self.database.get_tables())

    def create(self) -> None:
        """Create what is missing; peewee's exceptions pass through."""
        with self.database.guard:
            self.database.create_tables([self.journal, self.inbox, self.meta], safe=True)


def tables_of(database: StoreDatabase) -> Tables:
    """Model classes bound to a database, with its table prefix."""

    def bind(base: type[Any], name: str) -> Any:
        prefix = database.table_prefix
        options = {"database": database, "table_name": prefix + name}
        # peewee names indexes after the class: without the prefix a second journal would get none of its own
        return type(prefix + base.__name__, (base,), {"Meta": type("Meta", (), options)})

    return Tables(
        database=database,
        journal=bind(JournalRow, "journal_entry"),
        inbox=bind(InboxRow, "inbox"),
        meta=bind(MetaRow, "meta"),
    )
