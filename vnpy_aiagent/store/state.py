"""Small persistent settings of the running system, such as the trading state; newest value only.

What happened and why belongs to the journal; this table says what holds now.
"""

from vnpy_aiagent.store.database import StoreDatabase
from vnpy_aiagent.store.inbox import storage
from vnpy_aiagent.store.models import tables_of


class StateTable:
    """Text values by key. Every method raises JournalError when the storage fails."""

    def __init__(self, database: StoreDatabase) -> None:
        """Use a connection of `open_database`, other than the journal's own; missing tables are created."""
        self._row = tables_of(database).state
        self._database = database
        with storage(database):
            tables_of(database).create()

    def get(self, key: str) -> str | None:
        """Value of a key, or None."""
        row = self._row
        with storage(self._database):
            found = self._database.run(row.select(row.value).where(row.key == key)).fetchone()
        return found[0] if found else None

    def put(self, key: str, value: str) -> None:
        """Set a key, committed before this returns."""
        row = self._row
        with storage(self._database):
            query = row.insert(key=key, value=value)
            query.on_conflict(conflict_target=[row.key], preserve=[row.value]).execute()

    def items(self) -> dict[str, str]:
        """All keys and values, by key."""
        row = self._row
        with storage(self._database):
            return dict(self._database.run(row.select(row.key, row.value).order_by(row.key)).fetchall())
