"""Facts: files with bad rows, versions that both stay, and nothing after the moment."""

import gzip
import json
import pickle
import sqlite3
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from vnpy_aiagent.data.facts import (
    EVENTS,
    MARKET_SUBJECT,
    METRICS,
    NO_FACTS,
    Absence,
    EventFact,
    FactView,
    TextCount,
    TextFact,
    ValueFact,
)
from vnpy_aiagent.data.facts_file import ReadFacts, read_facts
from vnpy_aiagent.data.facts_store import FILE_NAME, MAX_TEXTS, FactReader, store_facts
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.errors import DataError

NOW = datetime(2025, 5, 6, 9, 35, tzinfo=MARKET_TZ)
SYMBOL = "600519.SSE"
HEADER = "kind,vt_symbol,available_at,source,metric,period,value,unit,event,on,text_kind,title,body"
ROE = "value,600519.SH,2025-04-02 18:30,filing,roe,2024-12-31,0.36,ratio,,,,,"


def csv(folder: Path, *rows: str, name: str = "facts.csv") -> ReadFacts:
    path = folder / name
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return read_facts(path, NOW)


def roe(value: str, known: datetime, period: date = date(2024, 12, 31), source: str = "filing") -> ValueFact:
    return ValueFact(
        vt_symbol=SYMBOL,
        source=source,
        available_at=known,
        metric="roe",
        period=period,
        value=Decimal(value),
        unit="ratio",
    )


def text(body: str, known: datetime, symbol: str = SYMBOL) -> TextFact:
    return TextFact(vt_symbol=symbol, source="wire", available_at=known, text_kind="news", body=body)


def keep(folder: Path, *facts: Any) -> FactReader:
    store_facts(folder / FILE_NAME, list(enumerate(facts, 2)))
    return FactReader(folder / FILE_NAME, 7)


def test_a_csv_of_all_kinds_is_read_with_its_line_numbers(tmp_path: Path) -> None:
    found = csv(
        tmp_path,
        ROE,
        "event,600519,2025-05-01,filing,,,,,report_due,2025-08-13,,,",
        'text,sh600519,2025-05-05 20:00,wire,,,,,,,news,标题,"一行\n两行"',
        "event,600519.SSE,2025-05-01 10:00,filing,,,1000000,share,unlock,2025-06-01,,,",
    )
    assert found.refused == ()
    assert [line for line, _ in found.facts] == [2, 3, 5, 6]
    value, due, news, unlock = (fact for _, fact in found.facts)
    assert isinstance(value, ValueFact)
    assert (value.vt_symbol, value.value, value.period) == (SYMBOL, Decimal("0.36"), date(2024, 12, 31))
    assert isinstance(due, EventFact)
    assert due.available_at == datetime(2025, 5, 2, tzinfo=MARKET_TZ)
    assert isinstance(news, TextFact)
    assert (news.title, news.body) == ("标题", "一行\n两行")
    assert isinstance(unlock, EventFact)
    assert unlock.value == 1_000_000


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("price,600519.SSE,2025-05-01,a,,,,,,,,,", "kind is none of"),
        ("value,nowhere,2025-05-01,a,roe,2024-12-31,0.3,ratio,,,,,", "nowhere"),
        ("value,600519.SSE,soon,a,roe,2024-12-31,0.3,ratio,,,,,", "not a time"),
        ("value,600519.SSE,,a,roe,2024-12-31,0.3,ratio,,,,,", "available_at is missing"),
        ("value,600519.SSE,2025-05-06,a,roe,2024-12-31,0.3,ratio,,,,,", "after the present"),
        ("value,600519.SSE,2025-05-01,a,roe,2024-12-31,0.3,%,,,,,", "unit of roe is ratio"),
        ("value,600519.SSE,2025-05-01,a,roe,2024-12-31,nan,ratio,,,,,", "finite"),
        ("value,600519.SSE,2025-05-01,a,eps,2024-12-31,1e999999,CNY/share,,,,,", "too large"),
        ("value,600519.SSE,2025-05-01,a,eps,2024-12-31,-1e18,CNY/share,,,,,", "too large"),
        ("value,600519.SSE,2025-05-01,a,roe,2024-12-31,much,ratio,,,,,", "value"),
        ("value,600519.SSE,2025-05-01,a,roe,2025-12-31,0.3,ratio,,,,,", "nobody knew"),
        ("value,600519.SSE,2025-05-01,a,buy_now,2024-12-31,0.3,ratio,,,,,", "no known value"),
        ("value,600519.SSE,2025-05-01,buy it now,roe,2024-12-31,0.3,ratio,,,,,", "source"),
        ("value,600519.SSE,2025-05-01,a,roe,2024-12-31,0.3,ratio,,,,,body", "body"),
        ("event,600519.SSE,2025-05-01,a,,,5,share,suspension,2025-05-02,,,", "has no value"),
        ("event,600519.SSE,2025-05-01,a,,,,share,unlock,2025-05-02,,,", "without a value"),
        ("event,600519.SSE,2025-05-01,a,,,,,party,2025-05-02,,,", "no known event"),
        ("text,600519.SSE,2025-05-01,a,,,,,,,news,,", "both empty"),
        ("text,600519.SSE,2025-05-01,a,,,,,,,rumour,x,y", "text_kind"),
    ],
)
def test_a_bad_row_is_refused_by_line_and_the_good_ones_stay(tmp_path: Path, row: str, reason: str) -> None:
    found = csv(tmp_path, ROE, row, ROE.replace("0.36", "0.35").replace("18:30", "18:31"))
    assert [line for line, _ in found.refused] == [3]
    assert reason in found.refused[0][1]
    assert "\n" not in found.refused[0][1]
    assert len(found.facts) == 2


def test_json_is_read_as_an_array_or_line_by_line_with_line_numbers(tmp_path: Path) -> None:
    good = {
        "kind": "value", "vt_symbol": SYMBOL, "available_at": "2025-04-02T18:30:00+08:00", "source": "x",
        "metric": "pe_ttm", "period": "2025-04-02", "value": 21.4, "unit": "times",
    }  # fmt: skip
    lines = tmp_path / "facts.jsonl"
    lines.write_text(
        "\n".join([json.dumps(good), "", '{"kind": "value"}', "7", json.dumps(good)]), encoding="utf-8"
    )
    array = tmp_path / "facts.json"
    array.write_text(json.dumps([good, {"kind": 1}, good], indent=1), encoding="utf-8")
    one, other = read_facts(lines, NOW), read_facts(array, NOW)
    assert [line for line, _ in one.facts] == [1, 5]
    assert [line for line, _ in one.refused] == [3, 4]
    assert [line for line, _ in other.facts] == [2, 15]
    assert [line for line, _ in other.refused] == [12]
    assert one.facts[0][1] == other.facts[0][1]
    assert getattr(one.facts[0][1], "value", None) == Decimal("21.4")


@pytest.mark.parametrize("content", ["{", "[{]", "hello", '{"a": 1} trailing'])
def test_a_file_that_is_no_json_names_the_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "facts.json"
    path.write_text("\n\n" + content, encoding="utf-8")
    with pytest.raises(DataError, match="line 3: this is no JSON"):
        read_facts(path, NOW)


def test_a_csv_with_a_foreign_column_or_without_a_needed_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "facts.csv.gz"
    path.write_bytes(gzip.compress(f"{HEADER},action\n{ROE},BUY\n".encode()))
    with pytest.raises(DataError, match="columns that no fact has: action"):
        read_facts(path, NOW)
    (tmp_path / "other.csv").write_text("kind,source\nvalue,a\n", encoding="utf-8")
    with pytest.raises(DataError, match="vt_symbol"):
        read_facts(tmp_path / "other.csv", NOW)


def test_a_restated_value_stands_beside_the_first_one_and_each_moment_sees_its_own(tmp_path: Path) -> None:
    first, restated = NOW - timedelta(days=30), NOW - timedelta(days=3)
    reader = keep(tmp_path, roe("0.36", first), roe("0.21", restated))

    def seen(at: datetime) -> list[Decimal]:
        return [fact.value for fact in reader.view(SYMBOL, at).values]

    assert seen(first - timedelta(microseconds=1)) == []
    assert seen(first) == seen(restated - timedelta(microseconds=1)) == [Decimal("0.36")]
    assert seen(restated) == seen(NOW) == [Decimal("0.21")]
    assert [v.value for v in reader.versions(SYMBOL, "roe", NOW)] == [Decimal("0.21"), Decimal("0.36")]


def test_a_late_restatement_of_an_old_period_does_not_hide_the_latest_period(tmp_path: Path) -> None:
    quarter = roe("0.10", NOW - timedelta(days=9), date(2025, 3, 31))
    reader = keep(tmp_path, quarter, roe("0.99", NOW - timedelta(days=1)))
    assert reader.view(SYMBOL, NOW).values == (quarter,)


def test_the_same_row_again_is_known_and_a_contradiction_is_refused(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    known = NOW - timedelta(days=2)
    assert store_facts(path, [(2, roe("0.36", known))]).new == 1
    again = store_facts(
        path, [(2, roe("0.36", known)), (3, roe("0.4", known)), (4, roe("0.4", known, source="b"))]
    )
    assert (again.new, again.known) == (1, 1)
    assert [line for line, _ in again.refused] == [3]
    assert "own available_at" in again.refused[0][1]


def test_texts_are_the_newest_of_the_last_days_of_that_symbol(tmp_path: Path) -> None:
    texts = [text(f"number {i}", NOW - timedelta(hours=i)) for i in range(MAX_TEXTS + 5)]
    old = text("old", NOW - timedelta(days=8))
    future = text("future", NOW + timedelta(seconds=1))
    reader = keep(tmp_path, old, future, text("other", NOW, "600036.SSE"), *texts)
    assert reader.view(SYMBOL, NOW).texts == tuple(texts[:MAX_TEXTS])
    assert [fact.body for fact in reader.view("600036.SSE", NOW).texts] == ["other"]


def test_events_lie_ahead_or_not_long_ago_in_their_newest_version(tmp_path: Path) -> None:
    def unlock(on: date, shares: int, known: datetime) -> EventFact:
        return EventFact(
            vt_symbol=SYMBOL,
            source="a",
            available_at=known,
            event="unlock",
            on=on,
            value=Decimal(shares),
            unit="share",
        )

    ahead = date(2025, 6, 1)
    reader = keep(
        tmp_path,
        unlock(date(2025, 1, 1), 1, NOW - timedelta(days=200)),
        unlock(ahead, 5, NOW - timedelta(days=20)),
        unlock(ahead, 7, NOW - timedelta(days=2)),
        unlock(ahead, 9, NOW + timedelta(days=2)),
    )
    assert [event.value for event in reader.view(SYMBOL, NOW).events] == [7]


def test_no_file_holds_no_facts_and_reading_makes_none(tmp_path: Path) -> None:
    reader = FactReader(tmp_path / FILE_NAME, 7)
    assert reader.view(SYMBOL, NOW) == NO_FACTS.view(SYMBOL, NOW) == FactView()
    assert reader.versions(SYMBOL, "roe", NOW) == ()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(DataError, match="import them again"):
        FactReader(path, 7).view(SYMBOL, NOW)
    with pytest.raises(DataError, match="cannot be kept"):
        store_facts(path, [(2, roe("0.36", NOW))])


def test_a_row_that_is_no_fact_is_one_clear_error(tmp_path: Path) -> None:
    reader = keep(tmp_path, roe("0.36", NOW))
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as database, database:
        database.execute("UPDATE facts SET content = '{}'")
    with pytest.raises(DataError, match="rows that are no facts"):
        reader.view(SYMBOL, NOW)


def test_reading_goes_on_while_an_import_is_in_the_middle_of_its_transaction(tmp_path: Path) -> None:
    reader = keep(tmp_path, roe("0.36", NOW - timedelta(days=1)))
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM facts")
        assert len(reader.view(SYMBOL, NOW).values) == 1
        writer.rollback()


def test_an_import_that_fails_in_the_middle_keeps_nothing(tmp_path: Path) -> None:
    def rows() -> Any:
        yield 2, roe("0.36", NOW)
        raise DataError("the file ended")

    with pytest.raises(DataError, match="the file ended"):
        store_facts(tmp_path / FILE_NAME, rows())
    assert FactReader(tmp_path / FILE_NAME, 7).view(SYMBOL, NOW) == FactView()


def test_a_fact_keeps_its_id_through_storage_another_process_and_json(tmp_path: Path) -> None:
    facts = (roe("0.360", NOW), text("利润\u200b预增", NOW))
    view = keep(tmp_path, *facts).view(SYMBOL, NOW)
    adapter = TypeAdapter(FactView)
    for copy in (view, pickle.loads(pickle.dumps(view)), adapter.validate_json(adapter.dump_json(view))):
        assert (*copy.values, *copy.texts) == facts
        assert [fact.id for fact in (*copy.values, *copy.texts)] == [fact.id for fact in facts]


def test_a_fact_cannot_be_changed_and_every_name_has_one_unit() -> None:
    fact = roe("0.36", NOW)
    with pytest.raises(ValidationError):
        fact.value = Decimal(1)  # type: ignore[misc]
    units = {"times", "CNY", "CNY/share", "ratio", "count", "code", "percent"}
    assert all(unit in units for unit in METRICS.values())
    assert set(EVENTS.values()) <= {"", "CNY", "CNY/share", "share"}


def market(metric: str, amount: str, subject: str, known: datetime, **changes: Any) -> ValueFact:
    fields: dict[str, Any] = {
        "vt_symbol": subject,
        "source": "x",
        "available_at": known,
        "metric": metric,
        "period": known.date(),
        "value": Decimal(amount),
        "unit": METRICS[metric],
    }
    return ValueFact(**(fields | changes))


def test_a_view_holds_the_market_and_the_symbols_own_industry(tmp_path: Path) -> None:
    day = NOW - timedelta(days=1)
    own = market("sw_industry", "801120", SYMBOL, day)
    ours = market("industry_pe", "25.5", "801120.SWS", day)
    theirs = market("industry_pe", "5", "801780.SWS", day)
    breadth = market("advancers", "3100", MARKET_SUBJECT, day)
    later = market("advancers", "9", MARKET_SUBJECT, NOW + timedelta(seconds=1))
    reader = keep(tmp_path, own, ours, theirs, breadth, later)
    seen = reader.view(SYMBOL, NOW)
    assert (seen.values, seen.industry, seen.market) == ((own,), (ours,), (breadth,))
    other = reader.view("600036.SSE", NOW)
    assert (other.values, other.industry, other.market) == ((), (), (breadth,))
    assert reader.view(MARKET_SUBJECT, NOW).values == (breadth,)
    assert reader.view("801780.SWS", NOW).values == (theirs,)


@pytest.mark.parametrize(
    ("metric", "amount", "subject"),
    [
        ("advancers", "1", SYMBOL),
        ("roe", "0.1", MARKET_SUBJECT),
        ("industry_pe", "1", MARKET_SUBJECT),
        ("lpr_1y", "0.03", "801780.SWS"),
        ("sw_industry", "801780.5", SYMBOL),
        ("sw_industry", "99", SYMBOL),
    ],
)
def test_a_value_of_a_subject_that_cannot_have_it_is_refused(metric: str, amount: str, subject: str) -> None:
    with pytest.raises(ValidationError, match=r"is no value of|six digits"):
        market(metric, amount, subject, NOW)


def test_a_file_takes_the_market_industries_and_absences(tmp_path: Path) -> None:
    found = csv(
        tmp_path,
        "value,a.market,2025-05-05 18:00,x,limit_up_count,2025-05-05,88,count,,,,,",
        "value,801780.SWS,2025-05-05 18:00,x,industry_pb,2025-05-05,0.6,times,,,,,",
        "value,801780.XYZ,2025-05-05 18:00,x,industry_pb,2025-05-05,0.6,times,,,,,",
    )
    assert [fact.vt_symbol for _, fact in found.facts] == [MARKET_SUBJECT, "801780.SWS"]
    assert [line for line, _ in found.refused] == [4]
    rows = tmp_path / "absent.json"
    row = {"kind": "absence", "vt_symbol": "A.MARKET", "available_at": "2025-05-01 10:00", "source": "x"}
    told = row | {"dataset": "northbound_net_inflow", "since": "2024-08-19", "reason": "discontinued"}
    bad = [told | {"reason": "buy it now"}, told | {"dataset": "buy it now"}, told | {"metric": "roe"}]
    rows.write_text(json.dumps([told, *bad]), encoding="utf-8")
    read = read_facts(rows, NOW)
    assert len(read.refused) == 3
    (kept,) = (fact for _, fact in read.facts)
    assert isinstance(kept, Absence)
    assert (kept.dataset, kept.since, kept.reason) == (
        "northbound_net_inflow",
        date(2024, 8, 19),
        "discontinued",
    )


def absent(dataset: str, known: datetime, subject: str = MARKET_SUBJECT) -> Absence:
    return Absence(
        vt_symbol=subject,
        source="x",
        available_at=known,
        dataset=dataset,
        since=NOW.date(),
        reason="failed",
    )


def test_an_absence_holds_until_a_later_value_and_only_from_when_it_was_known(tmp_path: Path) -> None:
    first = NOW - timedelta(days=5)
    gap = absent("roe", first)
    reader = keep(tmp_path, roe("0.3", first - timedelta(days=1)), gap, roe("0.4", NOW, source="b"))
    assert reader.view(SYMBOL, first - timedelta(seconds=1)).absences == ()
    assert reader.view(SYMBOL, first).absences == (gap,)
    assert reader.view(SYMBOL, NOW).absences == ()


def test_of_many_absences_the_newest_of_each_dataset_is_told(tmp_path: Path) -> None:
    old, new = absent("pb", NOW - timedelta(days=2)), absent("pb", NOW - timedelta(days=1), SYMBOL)
    other = absent("eps", NOW - timedelta(days=3))
    foreign = absent("ps_ttm", NOW - timedelta(days=1), "600036.SSE")
    assert keep(tmp_path, new, old, other, foreign).view(SYMBOL, NOW).absences == (other, new)


def test_texts_are_counted_by_subject_kind_and_source(tmp_path: Path) -> None:
    texts = [text(f"number {i}", NOW - timedelta(hours=i)) for i in range(3)]
    policy = text("on the market", NOW - timedelta(hours=5), MARKET_SUBJECT)
    old = text("old", NOW - timedelta(days=8))
    seen = keep(tmp_path, *texts, policy, old).view(SYMBOL, NOW)
    assert seen.text_counts == (
        TextCount(SYMBOL, "news", "wire", 3, NOW),
        TextCount(MARKET_SUBJECT, "news", "wire", 1, NOW - timedelta(hours=5)),
    )


def test_many_daily_values_do_not_crowd_out_a_yearly_one(tmp_path: Path) -> None:
    yearly = roe("0.36", NOW - timedelta(days=900), date(2022, 9, 30))
    daily = [
        ValueFact(
            vt_symbol=SYMBOL,
            source="x",
            available_at=NOW - timedelta(days=day),
            metric="pe_ttm",
            period=(NOW - timedelta(days=day)).date(),
            value=Decimal(day),
            unit="times",
        )
        for day in range(800)
    ]
    assert keep(tmp_path, yearly, *daily).view(SYMBOL, NOW).values == (daily[0], yearly)
