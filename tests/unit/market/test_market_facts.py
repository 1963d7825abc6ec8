"""Every dated row of the cash market's tables: what held on the day before it, and what holds on its day.

A row without a golden case here fails the last test but one, so no rule can be added or dated anew unseen.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

import vnpy_aiagent.market
from vnpy_aiagent.errors import RuleUnknown
from vnpy_aiagent.market import (
    Board,
    InstrumentRules,
    Side,
    cage,
    corporate,
    default_calendar,
    fees,
    funds,
    instrument_rules,
    limits,
    lots,
    sessions,
)
from vnpy_aiagent.market.boards import CODES
from vnpy_aiagent.market.dated import DatedRow, latest

MAIN, SZ, CHINEXT, STAR, BSE = "600519.SSE", "000001.SZSE", "300750.SZSE", "688981.SSE", "920799.BSE"
FUND, SZ_FUND = "510300.SSE", "159919.SZSE"
UNKNOWN = "unknown"
CALENDAR = default_calendar()

Answer = Callable[..., Any]


def ratio(rules: InstrumentRules) -> Any:
    return None if rules.limit_ratio is None else str(rules.limit_ratio)


def first_day(rules: InstrumentRules) -> Any:
    return None if rules.limit_up_ratio is None else (str(rules.limit_up_ratio), str(rules.limit_down_ratio))


def halts(rules: InstrumentRules) -> Any:
    return [str(item) for item in rules.halt_ratios]


def tick(rules: InstrumentRules) -> Any:
    return str(rules.tick_size)


def sizes(rules: InstrumentRules) -> Any:
    """Smallest buy, step, largest limit order, largest market order."""
    return rules.min_buy, rules.buy_step, rules.max_order, rules.max_market_order


def daily_cap(rules: InstrumentRules) -> Any:
    return rules.daily_buy_max


def duty(rules: InstrumentRules) -> Any:
    """Stamp duty of a buy and a sale of 100,000 CNY."""
    sides = (rules.fees(side, 100, 1_000).stamp_duty for side in (Side.BUY, Side.SELL))
    return tuple(str(item) for item in sides)


def transfer(rules: InstrumentRules) -> Any:
    """Transfer fee of a buy and a sale of 1,000 shares at 100 CNY, and of a buy of 100."""
    of = rules.fees
    found = (of(Side.BUY, 100, 1_000), of(Side.SELL, 100, 1_000), of(Side.BUY, 100, 100))
    return tuple(str(item.transfer_fee) for item in found)


def caged(rules: InstrumentRules) -> Any:
    """Highest buy and lowest sale around 100.00, the highest buy around 1.00, and whether it parks."""
    if rules.cage_rule is None:
        return None
    edges = (
        rules.cage(side, Decimal(price), Decimal(price), None, None)
        for side, price in ((Side.BUY, "100.00"), (Side.SELL, "100.00"), (Side.BUY, "1.00"))
    )
    return (*(str(edge) for edge in edges), rules.cage_rule.parks)


def settles(rules: InstrumentRules) -> Any:
    return rules.t_plus


@dataclass(frozen=True)
class Change:
    """One row: an instrument of it, the day from which it holds, and the answers around that day."""

    table: tuple[DatedRow, ...]
    vt_symbol: str
    day: str
    answer: Answer
    before: Any
    since: Any
    options: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        options = "".join(f" {value}" for _, value in self.options)
        return f"{self.answer.__name__} {self.vt_symbol}{options} {self.day}"

    def on(self, day: date) -> Any:
        try:
            return self.answer(instrument_rules(self.vt_symbol, day, **dict(self.options)))
        except RuleUnknown:
            return UNKNOWN


ST = (("name", "ST某某"),)
NEW = (("trading_days_since_listing", 0),)
LAST_FREE = (("trading_days_since_listing", 4),)
LEAVING = (("delisting_day", 0), ("name", "退市某某"))
MILLION = 1_000_000
HALVES = ["0.30", "0.60"]

CHANGES = (
    # price limits
    Change(limits.LIMITS, FUND, "1996-12-16", ratio, UNKNOWN, "0.10"),
    Change(limits.LIMITS, MAIN, "2026-07-06", ratio, "0.05", "0.10", ST),
    Change(limits.LIMITS, SZ, "2026-07-06", ratio, "0.05", "0.10", (("name", "*ST某某"),)),
    Change(limits.LIMITS, CHINEXT, "2009-10-30", ratio, UNKNOWN, "0.10"),
    Change(limits.LIMITS, CHINEXT, "2009-10-30", ratio, UNKNOWN, "0.05", ST),
    Change(limits.LIMITS, CHINEXT, "2020-08-24", ratio, "0.10", "0.20"),
    Change(limits.LIMITS, CHINEXT, "2020-08-24", ratio, "0.05", "0.20", ST),
    Change(limits.LIMITS, STAR, "2019-07-22", ratio, UNKNOWN, "0.20"),
    Change(limits.LIMITS, STAR, "2019-07-22", ratio, UNKNOWN, "0.20", ST),
    Change(limits.LIMITS, BSE, "2021-11-15", ratio, UNKNOWN, "0.30"),
    Change(limits.LIMITS, BSE, "2021-11-15", ratio, UNKNOWN, "0.30", ST),
    # first days after listing; a share that begins on the day itself has its rule
    Change(limits.LISTINGS, MAIN, "2014-06-13", first_day, None, ("0.44", "0.36"), NEW),
    Change(limits.LISTINGS, CHINEXT, "2014-06-13", first_day, None, ("0.44", "0.36"), NEW),
    Change(limits.LISTINGS, STAR, "2019-07-22", first_day, UNKNOWN, None, NEW),
    Change(limits.LISTINGS, CHINEXT, "2020-08-24", first_day, ("0.44", "0.36"), None, NEW),
    Change(limits.LISTINGS, BSE, "2021-11-15", first_day, UNKNOWN, None, NEW),
    Change(limits.LISTINGS, SZ, "2023-04-10", first_day, ("0.44", "0.36"), None, NEW),
    # delisting
    Change(limits.DELISTINGS, MAIN, "2020-12-31", ratio, "0.10", None, LEAVING),
    Change(limits.DELISTINGS, CHINEXT, "2020-12-31", ratio, "0.20", None, LEAVING),
    Change(limits.DELISTINGS, BSE, "2021-11-15", ratio, UNKNOWN, None, LEAVING),
    # halts on days without a limit
    Change(limits.HALTS, STAR, "2019-07-22", halts, UNKNOWN, HALVES, NEW),
    Change(limits.HALTS, CHINEXT, "2020-08-24", halts, [], HALVES, NEW),
    Change(limits.HALTS, BSE, "2021-11-15", halts, UNKNOWN, HALVES, NEW),
    Change(limits.HALTS, MAIN, "2023-04-10", halts, [], HALVES, NEW),
    # ticks and lots; their first days lie before those of the limits
    Change(lots.TICKS, FUND, "1996-12-16", tick, UNKNOWN, "0.001"),
    Change(lots.TICKS, MAIN, "1998-06-12", tick, UNKNOWN, "0.01"),
    Change(lots.LOTS, FUND, "1996-12-16", sizes, UNKNOWN, (100, 100, MILLION, MILLION)),
    Change(lots.LOTS, STAR, "2019-07-22", sizes, UNKNOWN, (200, 1, 100_000, 50_000)),
    Change(
        lots.LOTS, CHINEXT, "2020-08-24", sizes, (100, 100, MILLION, MILLION), (100, 100, 300_000, 150_000)
    ),
    Change(lots.LOTS, BSE, "2021-11-15", sizes, UNKNOWN, (100, 1, MILLION, MILLION)),
    Change(lots.DAILY_BUYS, MAIN, "2013-01-01", daily_cap, None, 500_000, ST),
    Change(lots.DAILY_BUYS, SZ, "2020-12-31", daily_cap, None, 500_000, ST),
    Change(lots.DAILY_BUYS, CHINEXT, "2020-12-31", daily_cap, None, 500_000, ST),
    Change(lots.DAILY_BUYS, BSE, "2021-11-15", daily_cap, UNKNOWN, 200_000, ST),
    # price cage
    Change(cage.CAGES, STAR, "2019-07-22", caged, UNKNOWN, ("102.00", "98.00", "1.02", False)),
    Change(cage.CAGES, CHINEXT, "2020-08-24", caged, None, ("102.00", "98.00", "1.02", True)),
    Change(cage.CAGES, BSE, "2021-11-15", caged, UNKNOWN, ("105.00", "95.00", "1.10", False)),
    Change(cage.CAGES, MAIN, "2023-04-10", caged, None, ("102.00", "98.00", "1.10", False)),
    Change(
        cage.CAGES,
        CHINEXT,
        "2023-04-10",
        caged,
        ("102.00", "98.00", "1.02", True),
        ("102.00", "98.00", "1.10", False),
    ),
    Change(
        cage.CAGES,
        STAR,
        "2023-04-10",
        caged,
        ("102.00", "98.00", "1.02", False),
        ("102.00", "98.00", "1.10", False),
    ),
    # stamp duty
    Change(fees.STAMP_DUTIES, MAIN, "1998-06-12", duty, UNKNOWN, ("400.00", "400.00")),
    Change(fees.STAMP_DUTIES, MAIN, "2001-11-16", duty, ("400.00", "400.00"), ("200.00", "200.00")),
    Change(fees.STAMP_DUTIES, SZ, "2005-01-24", duty, ("200.00", "200.00"), ("100.00", "100.00")),
    Change(fees.STAMP_DUTIES, SZ, "2007-05-30", duty, ("100.00", "100.00"), ("300.00", "300.00")),
    Change(fees.STAMP_DUTIES, MAIN, "2008-04-24", duty, ("300.00", "300.00"), ("100.00", "100.00")),
    Change(fees.STAMP_DUTIES, MAIN, "2008-09-19", duty, ("100.00", "100.00"), ("0.00", "100.00")),
    Change(fees.STAMP_DUTIES, STAR, "2023-08-28", duty, ("0.00", "100.00"), ("0.00", "50.00")),
    Change(fees.STAMP_DUTIES, FUND, "1996-12-16", duty, UNKNOWN, ("0.00", "0.00")),
    # transfer fee: SSE on par value, at least 1 CNY; none on SZSE; then a ratio for all
    Change(fees.TRANSFER_FEES, MAIN, "1998-06-12", transfer, UNKNOWN, ("1.00", "1.00", "1.00")),
    Change(fees.TRANSFER_FEES, SZ, "1998-06-12", transfer, UNKNOWN, ("0.00", "0.00", "0.00")),
    Change(fees.TRANSFER_FEES, FUND, "1996-12-16", transfer, UNKNOWN, ("0.00", "0.00", "0.00")),
    Change(
        fees.TRANSFER_FEES, MAIN, "2015-08-01", transfer, ("1.00", "1.00", "1.00"), ("2.00", "2.00", "0.20")
    ),
    Change(
        fees.TRANSFER_FEES, SZ, "2015-08-01", transfer, ("0.00", "0.00", "0.00"), ("2.00", "2.00", "0.20")
    ),
    Change(
        fees.TRANSFER_FEES, MAIN, "2022-04-29", transfer, ("2.00", "2.00", "0.20"), ("1.00", "1.00", "0.10")
    ),
    # funds of their own kind
    Change(funds.GROWTH_FUNDS, "588000.SSE", "2020-08-24", ratio, "0.10", "0.20"),
    Change(funds.GROWTH_FUNDS, "589000.SSE", "2024-01-01", ratio, "0.10", "0.20"),
    Change(funds.GROWTH_FUNDS, "159915.SZSE", "2020-08-24", ratio, "0.10", "0.20"),
    Change(funds.GROWTH_FUNDS, "159952.SZSE", "2020-08-24", ratio, "0.10", "0.20"),
    Change(funds.INTRADAY_FUNDS, "518880.SSE", "2015-01-19", settles, 1, 0),
    Change(funds.INTRADAY_FUNDS, "159934.SZSE", "2015-01-19", settles, 1, 0),
)


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_rule_holds_from_its_day_and_not_before(change: Change) -> None:
    day = date.fromisoformat(change.day)
    assert change.before != change.since
    assert change.on(_session_before(day)) == change.before
    assert change.on(day) == change.since


def _session_before(day: date) -> date:
    return CALENDAR.previous_session(day) if day.year > 1999 else day - timedelta(days=1)


OLDER = (
    # rows from before the first known stamp duty, without which a share's rules are refused as a whole
    (limits.LIMITS, "1996-12-16", {"special": False}, "ratio", None, Decimal("0.10")),
    (limits.LIMITS, "1998-04-22", {"special": True}, "ratio", None, Decimal("0.05")),
    (limits.LISTINGS, "1996-12-16", {}, "days", None, 1),
)


@pytest.mark.parametrize(("table", "day", "fields", "figure", "before", "since"), OLDER)
def test_an_old_row_holds_from_its_day(
    table: tuple[DatedRow, ...], day: str, fields: dict[str, Any], figure: str, before: Any, since: Any
) -> None:
    rows = [
        row
        for row in table
        if Board.SSE_MAIN in row.boards and all(getattr(row, name) is value for name, value in fields.items())  # type: ignore[attr-defined]
    ]
    on = date.fromisoformat(day)
    found = [latest(rows, moment) for moment in (on - timedelta(days=1), on)]
    assert [getattr(row, figure, None) for row in found] == [before, since]
    with pytest.raises(RuleUnknown, match="stamp-duty"):
        instrument_rules(MAIN, on)


@pytest.mark.parametrize(
    ("vt_symbol", "day", "free"),
    [(MAIN, "2023-04-10", 5), (CHINEXT, "2020-08-24", 5), (STAR, "2019-07-22", 5), (BSE, "2021-11-15", 1)],
)
def test_the_days_without_a_limit_end_when_the_rule_says(vt_symbol: str, day: str, free: int) -> None:
    on = date.fromisoformat(day) + timedelta(days=60)
    found = [
        instrument_rules(vt_symbol, on, trading_days_since_listing=n).limit_ratio is None for n in range(7)
    ]
    assert found == [n < free for n in range(7)]


def test_halts_belong_to_days_without_a_limit_alone() -> None:
    assert instrument_rules(STAR, date(2024, 1, 2)).halt_ratios == ()
    assert halts(instrument_rules(STAR, date(2024, 1, 2), **dict(LAST_FREE))) == HALVES


# hours: the day before may be no trading day, so sessions are named


@pytest.mark.parametrize(
    ("table", "board", "exchange", "before", "since"),
    [
        (sessions.CLOSING_AUCTIONS, Board.SZSE_MAIN, "SZSE", "2006-06-30", "2006-07-03"),
        (sessions.CLOSING_AUCTIONS, Board.ETF, "SZSE", "2006-06-30", "2006-07-03"),
        (sessions.CLOSING_AUCTIONS, Board.SSE_MAIN, "SSE", "2018-08-17", "2018-08-20"),
        (sessions.CLOSING_AUCTIONS, Board.ETF, "SSE", "2026-07-03", "2026-07-06"),
        (sessions.CLOSING_AUCTIONS, Board.BSE, "BSE", "2021-11-12", "2021-11-15"),
        (sessions.AFTER_HOURS, Board.STAR, "SSE", "2019-07-19", "2019-07-22"),
        (sessions.AFTER_HOURS, Board.CHINEXT, "SZSE", "2020-08-21", "2020-08-24"),
        (sessions.AFTER_HOURS, Board.SSE_MAIN, "SSE", "2026-07-03", "2026-07-06"),
        (sessions.AFTER_HOURS, Board.SZSE_MAIN, "SZSE", "2026-07-03", "2026-07-06"),
        (sessions.AFTER_HOURS, Board.ETF, "SSE", "2026-07-03", "2026-07-06"),
    ],
)
def test_a_phase_exists_from_its_first_session(
    table: tuple[Any, ...], board: Board, exchange: str, before: str, since: str
) -> None:
    auction = table is sessions.CLOSING_AUCTIONS
    has = sessions.has_closing_auction if auction else sessions.has_after_hours
    days = [date.fromisoformat(text) for text in (before, since)]
    assert all(CALENDAR.is_session(day) for day in days)
    assert [has(board, exchange, day) for day in days] == [False, True]
    held = {(row.effective, item) for row in table for item in row.boards if row.exchange in (None, exchange)}
    assert any(days[0] < effective <= days[1] for effective, item in held if item is board)


# the tables themselves


def tables() -> Iterator[tuple[str, tuple[DatedRow, ...]]]:
    """Every table of dated rows in the market room, by name."""
    for info in iter_modules(vnpy_aiagent.market.__path__, "vnpy_aiagent.market."):
        module = import_module(info.name)
        for name, value in vars(module).items():
            rows = tuple(value.values()) if isinstance(value, dict) else value
            dated = isinstance(rows, tuple) and rows and all(isinstance(row, DatedRow) for row in rows)
            if dated and name.isupper():
                yield f"{info.name.rpartition('.')[2]}.{name}", rows


TABLES = dict(tables())


def test_the_tables_are_found() -> None:
    expected = {
        "boards.CODES",
        "cage.CAGES",
        "corporate.DIVIDEND_TAXES",
        "fees.STAMP_DUTIES",
        "fees.TRANSFER_FEES",
        "funds.GROWTH_FUNDS",
        "funds.INTRADAY_FUNDS",
        "limits.DELISTINGS",
        "limits.HALTS",
        "limits.LIMITS",
        "limits.LISTINGS",
        "lots.DAILY_BUYS",
        "lots.LOTS",
        "lots.TICKS",
        "sessions.AFTER_HOURS",
        "sessions.CLOSING_AUCTIONS",
    }
    assert expected <= set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_every_row_has_its_source_and_its_day(name: str) -> None:
    for row in TABLES[name]:
        assert len(row.source.strip()) >= 10, row
        assert date(1990, 1, 1) < row.effective < date(2027, 1, 1), row
        assert not (row.confirmed and "unconfirmed" in row.source), row


@pytest.mark.parametrize("name", TABLES)
def test_no_two_rows_speak_of_the_same_thing_on_the_same_day(name: str) -> None:
    rows = TABLES[name]
    seen = set()
    for row in rows:
        fields = ("boards", "exchange", "prefixes", "special")
        what = tuple(str(getattr(row, field, "")) for field in fields)
        product = str(getattr(row, "product", ""))
        key = row.effective, what, product
        assert key not in seen, row
        seen.add(key)


def test_every_row_of_a_share_or_fund_has_a_golden_case() -> None:
    cases = [(change.table, date.fromisoformat(change.day), change.vt_symbol) for change in CHANGES]
    cases += [(table, date.fromisoformat(day), MAIN) for table, day, *_ in OLDER]
    boards = {symbol: instrument_rules(symbol, date(2026, 12, 1)).board for _, _, symbol in cases}
    checked = {id(table): table for table, _, _ in cases}
    missing = []
    for table in checked.values():
        for row in table:
            same = (
                board
                for found, day, symbol in cases
                if found is table and _first_seen(row) == day
                for board in (boards[symbol],)
                if board in getattr(row, "boards", (Board.ETF,))
            )
            if next(same, None) is None:
                missing.append(row)
    assert missing == []


def _first_seen(row: DatedRow) -> date:
    """The day on which a row first shows in the rules: of the oldest, that of the rows it needs beside it."""
    boards = getattr(row, "boards", (Board.ETF,))
    if row.effective >= date(1996, 12, 16):
        return row.effective
    funds_alone = Board.ETF in boards and Board.SSE_MAIN not in boards
    return date(1996, 12, 16) if funds_alone else date(1998, 6, 12)


def test_what_is_from_memory_is_marked() -> None:
    marked = {
        *(row.effective for row in fees.STAMP_DUTIES if not row.confirmed),
        *(row.effective for row in fees.TRANSFER_FEES if not row.confirmed),
        *(row.effective for row in corporate.DIVIDEND_TAXES if not row.confirmed),
    }
    remembered = ("1998-06-12", "2001-11-16", "2005-01-24", "2007-05-30", "2008-04-24", "2015-09-08")
    assert {date.fromisoformat(day) for day in remembered} <= marked
    assert not next(row for row in CODES if "920" in row.prefixes).confirmed
