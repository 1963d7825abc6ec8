"""Files of corporate actions: ex-days with their new shares, cash and rights.

    vt_symbol                    or in the file's name, as in 600000.SSE_corporate_actions.csv
    ex_date                      first day without the right
    shares_per_share             new shares per share held (bonus and capitalisation together)
    cash_per_share_before_tax    CNY
    rights_per_share, rights_price   rights issue per share held, and its price in CNY (optional)
    adjusts                      0 where the exchange set no adjusted reference price (optional, default 1)
    note                         free text (optional)

One row an ex-day and symbol: what goes ex on the same day is one action. A note that says "no adjusted
reference" stands for `adjusts` 0 where that column is missing.
"""

import csv
import io
import os
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

from vnpy_aiagent.data.csv_files import Table, parse_day, read_table, vt_symbols_of
from vnpy_aiagent.data.symbols import parse_symbol
from vnpy_aiagent.errors import BadRow, DataError
from vnpy_aiagent.market.corporate import CorporateAction

FILE_NAME = "corporate_actions.csv"
Actions = Mapping[str, tuple[CorporateAction, ...]]
"""Actions by vt_symbol, each symbol's in order of their ex-days."""

_REQUIRED = ("ex_date", "shares_per_share", "cash_per_share_before_tax")
_FIGURES = {
    "bonus": "shares_per_share",
    "cash": "cash_per_share_before_tax",
    "rights": "rights_per_share",
    "rights_price": "rights_price",
}
_SYMBOL_IN_NAME = re.compile(r"([A-Za-z0-9]+\.[A-Z]{2,5})_corporate_actions\.")
_NO_REFERENCE = "no adjusted reference"
_FLAGS = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False, "": True}


def is_actions_file(path: Path) -> bool:
    """Whether a CSV file has the columns of corporate actions. DataError where it cannot be read."""
    return set(_REQUIRED) <= set(read_table(path).columns)


def load_actions(path: Path) -> dict[str, tuple[CorporateAction, ...]]:
    """Read one file. DataError where a column or the symbol is missing, BadRow where a row is impossible."""
    table = read_table(path)
    table.require(_REQUIRED)
    owners = _owners(table)
    found: dict[str, dict[str, CorporateAction]] = {}
    for row, (line, owner) in enumerate(zip(table.lines, owners, strict=True)):
        action = _action(table, row, line, owner)
        days = found.setdefault(owner, {})
        if str(action.ex_date) in days:
            raise BadRow(
                f"{table.name}, line {line}: {owner} has two rows for {action.ex_date}; make them one"
            )
        days[str(action.ex_date)] = action
    return _ordered({symbol: tuple(days.values()) for symbol, days in found.items()})


def load_folder_actions(folder: Path) -> dict[str, tuple[CorporateAction, ...]]:
    """All actions files of a data folder together, none where it has none; BadRow where two contradict."""
    result: dict[str, tuple[CorporateAction, ...]] = {}
    for path in sorted(folder.glob("*corporate_actions.csv*")):
        if not path.name.endswith((".csv", ".csv.gz")):
            continue
        for symbol, actions in load_actions(path).items():
            if symbol in result and result[symbol] != actions:
                raise BadRow(f"{path.name} and another file name different ex-days of {symbol}; keep one")
            result[symbol] = actions
    return _ordered(result)


def load_kept_actions(folder: Path) -> dict[str, tuple[CorporateAction, ...]]:
    """What `keep_actions` left in the app's folder; nothing where there is no file yet."""
    path = folder / FILE_NAME
    return load_actions(path) if path.is_file() else {}


def keep_actions(folder: Path, new: Actions) -> int:
    """Merge actions into the app's folder, a new row replacing one of the same ex-day; rows there now."""
    known = {
        symbol: {item.ex_date: item for item in items} for symbol, items in load_kept_actions(folder).items()
    }
    for symbol, items in new.items():
        known.setdefault(symbol, {}).update({item.ex_date: item for item in items})
    rows = [item for symbol in sorted(known) for _, item in sorted(known[symbol].items())]
    _write(folder / FILE_NAME, rows)
    return len(rows)


def _write(path: Path, rows: Iterable[CorporateAction]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["vt_symbol", "ex_date", *_FIGURES.values(), "adjusts"])
    for item in rows:
        figures = [str(getattr(item, name)) for name in _FIGURES]
        writer.writerow([item.vt_symbol, item.ex_date.isoformat(), *figures, int(item.adjusts)])
    draft = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text.getvalue(), encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        raise DataError(
            f"{path} cannot be written ({error.strerror}); check the folder and the disk"
        ) from error


def _ordered(found: Actions) -> dict[str, tuple[CorporateAction, ...]]:
    return {symbol: tuple(sorted(found[symbol], key=lambda item: item.ex_date)) for symbol in sorted(found)}


def _owners(table: Table) -> list[str]:
    if "vt_symbol" in table.columns:
        return vt_symbols_of(table)
    match = _SYMBOL_IN_NAME.match(table.name)
    if match is None:
        raise DataError(
            f"{table.name} does not say whose ex-days it holds; add a column vt_symbol, or name the file "
            "like 600000.SSE_corporate_actions.csv"
        )
    return [parse_symbol(match[1])] * len(table.lines)


def _action(table: Table, row: int, line: int, owner: str) -> CorporateAction:
    where = f"{table.name}, line {line}"
    try:
        figures = {name: _figure(table, column, row) for name, column in _FIGURES.items()}
        action = CorporateAction(
            vt_symbol=owner,
            ex_date=parse_day(table.columns["ex_date"][row]),
            adjusts=_adjusts(table, row),
            **figures,
        )
    except ValueError as error:
        raise BadRow(f"{where}: {error}; correct or remove this row") from error
    if not (action.bonus or action.cash or action.rights):
        raise BadRow(f"{where}: nothing goes ex on {action.ex_date}; correct or remove this row")
    return action


def _figure(table: Table, column: str, row: int) -> Decimal:
    cell = table.columns.get(column, [])[row : row + 1]
    if not cell or not cell[0]:
        return Decimal(0)
    try:
        return Decimal(cell[0])
    except InvalidOperation:
        raise ValueError(f"{column} {cell[0]!r} is not a number") from None


def _adjusts(table: Table, row: int) -> bool:
    if "adjusts" in table.columns:
        cell = table.columns["adjusts"][row].lower()
        if cell not in _FLAGS:
            raise ValueError(f"adjusts {cell!r} is neither 1 nor 0")
        return _FLAGS[cell]
    return _NO_REFERENCE not in table.columns.get("note", [""] * len(table.lines))[row]
