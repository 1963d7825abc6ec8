"""A record that cannot be judged is refused with one sentence that names its line."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from audit_world import MAIN, MONDAY, START, TUESDAY, bars, calm, init, judge, step, world, write

from vnpy_aiagent.backtest.audit import audit_record, read_record
from vnpy_aiagent.domain import BarInterval
from vnpy_aiagent.errors import AiAgentError, DataError, UnknownSymbol

GOOD = step(1, "buy", MAIN, 100)


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != field}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b'{"date": "2025-03-04", "seq"', "line 2: invalid JSON"),
        (b"[1, 2]", "line 2: input should be an object"),
        (b'{"date": "\xff"}', "line 2: invalid JSON"),
        (b'{"a":' * 5000, "line 2: "),
        *((without(field), f"line 2: {field} is missing") for field in GOOD),
        ({**GOOD, "volume": -100}, "line 2: volume: input should be greater than or equal to 0"),
        ({**GOOD, "volume": float("nan")}, "line 2: volume: "),
        ({**GOOD, "volume": 10.5}, "line 2: volume: "),
        ({**GOOD, "volume": "100"}, "line 2: volume: "),
        ({**GOOD, "volume": True}, "line 2: volume: "),
        ({**GOOD, "volume": 10**30}, "line 2: volume: "),
        ({**GOOD, "cash_after": float("inf")}, "line 2: cash_after: "),
        ({**GOOD, "cash_after": float("nan")}, "line 2: cash_after: "),
        ({**GOOD, "holdings_after": {MAIN: 1.5}}, f"line 2: holdings_after.{MAIN}: "),
        ({**GOOD, "action": "short"}, "line 2: action: input should be 'init', 'buy', 'sell' or 'no_trade'"),
        ({**GOOD, "action": "init"}, "line 2: init belongs to the first line"),
        ({**GOOD, "seq": 0}, "line 2: seq 0 does not follow 0"),
        ({**GOOD, "date": "2025-02-30"}, "line 2: date '2025-02-30' is not a date"),
        ({**GOOD, "date": "0001-01-01T00:00:00+23:59"}, "line 2: date '0001"),
        ({**GOOD, "date": "2025-02-28"}, "line 2: 2025-02-28 is before 2025-03-03"),
        (
            {**GOOD, "date": f"{TUESDAY} 10:30:00"},
            "line 2: the date .* names an hour; use --frequency hourly",
        ),
        ({**GOOD, "date": "2025-03-08"}, "line 2: .*no bars of 2025-03-08"),
        ({**GOOD, "vt_symbol": "600001.SSE"}, "line 2: .* holds no symbol '600001.SSE'"),
        ({**GOOD, "vt_symbol": ""}, "line 2: .* holds no symbol ''"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: Any, complaint: str) -> None:
    with pytest.raises(AiAgentError, match=rf"^orders\.jsonl, {complaint}") as caught:
        judge(tmp_path, init(), line)
    assert "\n" not in str(caught.value)


def test_blank_lines_are_passed_over_but_counted(tmp_path: Path) -> None:
    with pytest.raises(UnknownSymbol, match="line 4: "):
        judge(tmp_path, init(), b"", b"  ", {**GOOD, "vt_symbol": "600001.SSE"})


def test_a_day_off_inside_the_data_is_no_suspension(tmp_path: Path) -> None:
    market = world(bars(MAIN, [(day, 10.0, 10.0, 1e6) for day in (MONDAY, "2025-03-10")]))
    with pytest.raises(DataError, match="line 2: 2025-03-08 is not a trading day"):
        judge(tmp_path, init(), {**GOOD, "date": "2025-03-08"}, market=market)


@pytest.mark.parametrize("content", [(), (b"", b"  ")])
def test_an_empty_file_is_refused(tmp_path: Path, content: tuple[bytes, ...]) -> None:
    with pytest.raises(DataError, match=r"orders\.jsonl is empty"):
        read_record(write(tmp_path, *content))


@pytest.mark.parametrize("name", ["absent.jsonl", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_record(tmp_path / name)


def test_a_daily_date_in_an_hourly_audit_is_refused(tmp_path: Path) -> None:
    record = read_record(write(tmp_path, init(), GOOD))
    assert record.frequency is BarInterval.DAILY
    market = calm()
    hours = {(s, BarInterval.HOUR): bars for (s, _), bars in market.series.items()}
    object.__setattr__(market, "series", {**market.series, **hours})
    with pytest.raises(DataError, match="line 2: the date 2025-03-04 names no hour; use --frequency daily"):
        audit_record(record, market, BarInterval.HOUR)


def test_a_date_with_an_hour_asks_for_hourly_bars(tmp_path: Path) -> None:
    record = read_record(write(tmp_path, init(date=f"{MONDAY} 08:30:00")))
    assert record.frequency is BarInterval.HOUR


def test_a_time_with_a_zone_becomes_market_time(tmp_path: Path) -> None:
    record = read_record(write(tmp_path, init(date=f"{MONDAY}T02:30:00+00:00")))
    assert record.steps[0].when.hour == 10


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, init(), GOOD)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert [s.record.seq for s in read_record(path).steps] == [0, 1]


def test_a_record_without_an_init_line_needs_the_cash(tmp_path: Path) -> None:
    line = {**GOOD, "cash_after": START - 1000, "holdings_after": {MAIN: 100}}
    record = read_record(write(tmp_path, line))
    with pytest.raises(DataError, match=r"has no init line .* --cash"):
        audit_record(record, calm(), BarInterval.DAILY)
    found = audit_record(record, calm(), BarInterval.DAILY, Decimal("100000"))
    assert (found.mismatches, found.cash_end) == ((), Decimal(99_000))
