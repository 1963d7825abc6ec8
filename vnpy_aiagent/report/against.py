"""Two journals of the same strategy side by side: paper against its backtest."""

from vnpy_aiagent.backtest.periods import Comparison, compare
from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.report.read import RunRecord


def compare_accounts(first: RunRecord, second: RunRecord) -> dict[str, Comparison]:
    """Each account that both journals valued on at least two common days, by name.

    JournalError where there is none.
    """
    found: dict[str, Comparison] = {}
    for name, marks in first.marks.items():
        others = second.marks.get(name, ())
        result = compare(
            [mark.day for mark in marks],
            [float(mark.equity) for mark in marks],
            [mark.day for mark in others],
            [float(mark.equity) for mark in others],
        )
        if result is not None:
            found[name] = result
    if not found:
        raise JournalError(
            "the two journals share no account with two valued days; give runs of the same days"
        )
    return found
