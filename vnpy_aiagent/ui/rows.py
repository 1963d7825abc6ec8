"""Tables as Qt models: rows are appended, changed and dropped; memory is bounded; no full reload."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

Row = TypeVar("Row")
Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
WIDEST, MARGIN = 260, 8
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column: its title, a row's text in it, whether it is a number, and a colour where there is one.

    One column takes what the others leave (`stretch`); a `whole` one is as wide as its texts are.
    """

    title: str
    text: Callable[[Row], str]
    number: bool = False
    colour: Callable[[Row], str | None] | None = None
    stretch: bool = False
    whole: bool = False


class RowsModel(QAbstractTableModel, Generic[Row]):
    """Rows by key. With `newest_first` the last row appended stands on top; past `limit` the oldest leave."""

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        key: Callable[[Row], object],
        *,
        newest_first: bool = False,
        limit: int = 10_000,
        parent: QObject | None = None,
    ) -> None:
        """Begin empty."""
        super().__init__(parent)
        self.columns = tuple(columns)
        self._key = key
        self._newest_first = newest_first
        self._limit = limit
        self._rows: list[Row] = []
        self._place: dict[object, int] = {}
        self._dropped = 0

    def rowCount(self, parent: Index = ROOT) -> int:  # noqa: N802 - Qt's name
        """Rows kept."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = ROOT) -> int:  # noqa: N802 - Qt's name
        """Columns."""
        return 0 if parent.isValid() else len(self.columns)

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Titles of columns, set as the column is; rows have none."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if self.columns[section].number else LEFT
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, alignment and colour of a cell; the whole text as tip."""
        column, row = self.columns[index.column()], self.row_at(index.row())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return column.text(row)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if column.number else LEFT
        if role == Qt.ItemDataRole.ForegroundRole and column.colour is not None:
            colour = column.colour(row)
            return QColor(colour) if colour else None
        return None

    def row_at(self, number: int) -> Row:
        """The row at a place of the view."""
        return self._rows[len(self._rows) - 1 - number if self._newest_first else number]

    def find(self, key: object) -> Row | None:
        """The row with a key, None where it is not kept."""
        place = self._place.get(key)
        return None if place is None else self._rows[place - self._dropped]

    def append(self, rows: Iterable[Row]) -> None:
        """Add new rows, and change those whose key is there already."""
        new: dict[object, Row] = {}
        for row in rows:
            key = self._key(row)
            if key in self._place:
                self._change(key, row)
            else:
                new[key] = row
        fresh = list(new.items())[-self._limit :]
        if not fresh:
            return
        size = len(self._rows)
        first = 0 if self._newest_first else size
        self.beginInsertRows(QModelIndex(), first, first + len(fresh) - 1)
        for key, row in fresh:
            self._place[key] = self._dropped + len(self._rows)
            self._rows.append(row)
        self.endInsertRows()
        self._drop_oldest(len(self._rows) - self._limit)

    def show(self, rows: Sequence[Row]) -> None:
        """Show exactly these rows: what is gone is removed, what is new inserted, what differs changed.

        For tables that are not `newest_first`. Only rows whose order has changed are replaced as a whole.
        """
        keys = [self._key(row) for row in rows]
        wanted = set(keys)
        for number in reversed(range(len(self._rows))):
            if self._key(self._rows[number]) not in wanted:
                self._remove(number)
        for number, (key, row) in enumerate(zip(keys, rows, strict=True)):
            if number < len(self._rows) and self._key(self._rows[number]) == key:
                if row != self._rows[number]:
                    self._change(key, row)
            elif key not in self._place:
                self._insert(number, row)
            else:
                self._replace(rows)
                return

    def _insert(self, number: int, row: Row) -> None:
        self.beginInsertRows(ROOT, number, number)
        self._rows.insert(number, row)
        self._number_rows()
        self.endInsertRows()

    def _remove(self, number: int) -> None:
        self.beginRemoveRows(ROOT, number, number)
        del self._rows[number]
        self._number_rows()
        self.endRemoveRows()

    def _replace(self, rows: Sequence[Row]) -> None:
        self.beginResetModel()
        self._rows = list(rows)
        self._number_rows()
        self.endResetModel()

    def _number_rows(self) -> None:
        self._dropped = 0
        self._place = {self._key(row): place for place, row in enumerate(self._rows)}

    def _change(self, key: object, row: Row) -> None:
        place = self._place[key] - self._dropped
        self._rows[place] = row
        number = len(self._rows) - 1 - place if self._newest_first else place
        self.dataChanged.emit(self.index(number, 0), self.index(number, len(self.columns) - 1))

    def _drop_oldest(self, count: int) -> None:
        if count <= 0:
            return
        size = len(self._rows)
        first = size - count if self._newest_first else 0
        self.beginRemoveRows(QModelIndex(), first, first + count - 1)
        for row in self._rows[:count]:
            del self._place[self._key(row)]
        del self._rows[:count]
        self._dropped += count
        self.endRemoveRows()


def table_of(model: RowsModel[Any], widths: Sequence[int] = ()) -> QTableView:
    """A read-only table over a model, whole rows selected; the stretching column takes what is left."""
    table = QTableView()
    table.setModel(model)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setAlternatingRowColors(True)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(26)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setResizeContentsPrecision(0)
    for number, column in enumerate(model.columns):
        if number < len(widths):
            header.resizeSection(number, widths[number])
        if column.stretch:
            header.setSectionResizeMode(number, QHeaderView.ResizeMode.Stretch)
    _widen(table, model)
    model.rowsInserted.connect(lambda: _widen(table, model))
    model.modelReset.connect(lambda: _widen(table, model))
    return table


def _widen(table: QTableView, model: RowsModel[Any]) -> None:
    """Give `whole` columns the width of what is seen of them, within bounds; none becomes narrower."""
    header = table.horizontalHeader()
    for number, column in enumerate(model.columns):
        if column.whole:
            wanted = min(table.sizeHintForColumn(number) + MARGIN, WIDEST)
            header.resizeSection(number, max(header.sectionSize(number), wanted))
