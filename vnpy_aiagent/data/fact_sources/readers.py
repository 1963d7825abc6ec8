"""Rows of tables into facts. An impossible row is left out; a table with many of them is refused."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial

from pydantic import ValidationError

from vnpy_aiagent.data.fact_sources.dataset import Ask, Dataset, Found, Tables
from vnpy_aiagent.data.fact_sources.rows import BadCell, Row, day, number, share_of
from vnpy_aiagent.data.facts import EVENTS, METRICS, EventFact, ValueFact
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.domain.text import say

PERCENT = Decimal("0.01")
TEN_THOUSAND = Decimal(10_000)
HUNDRED_MILLION = Decimal(100_000_000)
MOST_BAD = 0.2
"""Share of a table's rows that may be impossible before none of it is believed."""

BOUNDS: dict[str, tuple[Decimal, Decimal]] = {
    name: (Decimal(low), Decimal(high))
    for name, low, high in (
        ("roe", "-100", "100"),
        ("gross_margin", "-100", "1"),
        ("debt_to_assets", "0", "100"),
        ("pledge_ratio", "0", "1"),
        ("institution_ratio", "0", "1.5"),
        ("northbound_ratio", "0", "1"),
        ("turnover_rate", "0", "2"),
        ("goodwill", "0", "1e13"),
        ("market_cap", "1e6", "1e15"),
        ("free_float_cap", "1e5", "1e15"),
        ("margin_balance", "0", "1e13"),
        ("short_balance", "0", "1e13"),
        ("market_margin_balance", "1e11", "1e14"),
        ("market_turnover", "1e10", "1e14"),
        ("northbound_turnover", "1e8", "1e13"),
        ("qvix_50", "1", "200"),
        ("qvix_300", "1", "200"),
        ("lpr_1y", "0.001", "0.2"),
        ("lpr_5y", "0.001", "0.2"),
        ("shibor_overnight", "0", "0.3"),
        ("reserve_requirement_ratio", "0.01", "0.3"),
        ("advancers", "0", "10000"),
        ("decliners", "0", "10000"),
        ("limit_up_count", "0", "10000"),
        ("limit_down_count", "0", "10000"),
        ("industry_return_5d", "-0.7", "2"),
        ("industry_return_20d", "-0.9", "5"),
    )
}
"""What cannot be true: a source that changed its unit is noticed, not believed."""

Subject = Callable[[Row, Ask], str | None]
Day = Callable[[Row, Ask], date | None]


@dataclass(frozen=True, slots=True)
class Column:
    """One column that holds a metric; its numbers times `factor` are in the metric's unit."""

    name: str
    metric: str
    factor: Decimal = Decimal(1)


def by_code(column: str) -> Subject:
    """The share whose code stands in a column."""
    return lambda row, ask: share_of(row.get(column))


def asked(row: Row, ask: Ask) -> str | None:
    """The symbol that was asked about."""
    return ask.symbol


def on_day(column: str) -> Day:
    """The day in a column."""
    return lambda row, ask: day(row, column)


def argument(name: str) -> Day:
    """The day that was asked about by an argument."""
    return on_day(f"@{name}")


def value(
    dataset: Dataset,
    ask: Ask,
    subject: str,
    metric: str,
    of: date,
    amount: Decimal,
    published: date | None = None,
) -> ValueFact | None:
    """A value; None where its day is not over. BadCell where it cannot be true."""
    known = dataset.known_at(ask, of=of, published=published)
    if known is None or of > known.date():
        return None
    low, high = BOUNDS.get(metric, (None, None))
    if low is not None and high is not None and not low <= amount <= high:
        raise BadCell(f"{metric} of {amount} cannot be true")
    return ValueFact(
        vt_symbol=subject,
        source=dataset.source,
        available_at=known,
        metric=metric,
        period=of,
        value=amount.normalize() if amount else Decimal(0),
        unit=METRICS[metric],
    )


def event(
    dataset: Dataset,
    ask: Ask,
    subject: str,
    name: str,
    on: date,
    amount: Decimal | None = None,
    published: date | None = None,
) -> EventFact | None:
    """An event; None where nobody says when it was known."""
    known = dataset.known_at(ask, of=on, published=published)
    if known is None:
        return None
    return EventFact(
        vt_symbol=subject,
        source=dataset.source,
        available_at=known,
        event=name,
        on=on,
        value=amount,
        unit=EVENTS[name] if amount is not None else "",
    )


class Tally:
    """Counts rows and the impossible ones among them."""

    def __init__(self, dataset: Dataset) -> None:
        """Begin at none."""
        self._dataset = dataset
        self._rows = self._bad = 0
        self._last = ""

    def read(self, rows: Iterable[Row], make: Callable[[Row], Iterable[Found | None]]) -> Iterator[Found]:
        """Facts of rows; a bad row is counted and left out as a whole."""
        for row in rows:
            self._rows += 1
            try:
                found = [fact for fact in make(row) if fact is not None]
            except (BadCell, ValidationError) as error:
                self._bad += 1
                self._last = str(error).split("\n", maxsplit=1)[0]
                continue
            yield from found
        self.settle()

    def settle(self) -> None:
        """SourceAbsence (BAD_DATA) where too many rows are impossible."""
        if self._bad and self._bad > self._rows * MOST_BAD:
            raise SourceAbsence(
                self._dataset.source,
                AbsenceKind.BAD_DATA,
                say(
                    "{source} 的表有 {bad}/{rows} 行不可能为真（{problem}）",
                    source=self._dataset.source,
                    bad=self._bad,
                    rows=self._rows,
                    problem=self._last,
                ),
            )


def values(
    *columns: Column,
    of: Day,
    subject: Subject = asked,
    published: str | None = None,
    last: int = 1,
) -> Callable[[Tables, Ask, Dataset], Iterator[Found]]:
    """A reader: one value a row and column. Of each subject and metric the `last` latest days are kept."""

    def make(row: Row, ask: Ask, dataset: Dataset) -> Iterator[Found | None]:
        whose = subject(row, ask)
        when = of(row, ask)
        if whose is None or when is None or (dataset.scope.name == "TABLE" and whose not in ask.symbols):
            return
        told = day(row, published) if published else None
        for column in columns:
            amount = number(row, column.name)
            if amount is not None:
                yield value(dataset, ask, whose, column.metric, when, amount * column.factor, told)

    def read(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
        rows = [row for table in tables for row in table]
        yield from newest(Tally(dataset).read(rows, partial(make, ask=ask, dataset=dataset)), last)

    return read


def newest(facts: Iterable[Found], last: int) -> list[Found]:
    """Of values the `last` latest days of each subject and metric; other facts as they are."""
    days: dict[tuple[str, str], set[date]] = {}
    found = list(facts)
    for fact in found:
        if isinstance(fact, ValueFact):
            days.setdefault((fact.vt_symbol, fact.metric), set()).add(fact.period)
    kept = {key: set(sorted(all_days)[-last:]) for key, all_days in days.items()}
    return [
        fact
        for fact in found
        if not isinstance(fact, ValueFact) or fact.period in kept[fact.vt_symbol, fact.metric]
    ]


def total(rows: Sequence[Row], name: str) -> Decimal | None:
    """The sum of a column; None where there are no rows, or one of them lacks it."""
    numbers = [number(row, name) for row in rows]
    if not numbers or any(each is None for each in numbers):
        return None
    return sum((each for each in numbers if each is not None), Decimal(0))
