"""From tables to the store: what is asked when, who stands in, what a decision sees, what is missing."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from vnpy_aiagent.data.fact_sources.catalogue import BY_NAME, FAMILIES
from vnpy_aiagent.data.fact_sources.collect import chosen, collect, discontinued
from vnpy_aiagent.data.fact_sources.dataset import Arguments, Call, Dataset
from vnpy_aiagent.data.fact_sources.keep import keep
from vnpy_aiagent.data.fact_sources.providers import AkshareProvider
from vnpy_aiagent.data.facts import DATASETS, Absence, Fact, ValueFact
from vnpy_aiagent.data.facts_store import FILE_NAME, FactReader
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.text import say
from vnpy_aiagent.errors import ConfigError, DataError

from .documented import TABLES, FakeAkshare
from .world import BANK, MOUTAI, NOW, SHARES, clock, fetcher

MORNING = datetime(2025, 11, 4, 9, 35, tzinfo=MARKET_TZ)
BROKEN = ConnectionError("no route")


class Scripted:
    """A provider that gives the same rows, or fails."""

    is_set_up = True

    def __init__(self, rows: list[dict[str, Any]] | None) -> None:
        self.rows = rows
        self.asked = 0

    def table(self, dataset: Dataset, call: Call, arguments: Arguments) -> list[dict[str, Any]]:
        self.asked += 1
        if self.rows is None:
            raise SourceAbsence(dataset.source, AbsenceKind.REFUSED, say("no"))
        return self.rows


def run(folder: Path, client: Any = None, **options: Any) -> Any:
    own = options.pop("at", None) or clock()
    made = fetcher(client or FakeAkshare(), at=own, cache=folder / "sources.db", **options)
    return collect(made, folder / FILE_NAME, SHARES, own)


def reader(folder: Path) -> FactReader:
    return FactReader(folder / FILE_NAME, 30)


def test_a_whole_collection_is_seen_by_the_decision_of_the_next_morning(tmp_path: Path) -> None:
    reports = run(tmp_path)
    assert [report.name for report in reports] == [family.name for family in FAMILIES]
    view = reader(tmp_path).view(MOUTAI, MORNING)
    assert {"pe_ttm", "roe", "margin_balance", "main_net_inflow", "sw_industry", "debt_to_assets"} <= {
        fact.metric for fact in view.values
    }
    assert {"qvix_50", "advancers", "lpr_1y", "market_turnover"} <= {fact.metric for fact in view.market}
    assert {"industry_pe", "industry_return_20d"} <= {fact.metric for fact in view.industry}
    assert [event.event for event in view.events] == ["earnings_date", "ex_dividend"]
    assert [text.text_kind for text in view.texts] == ["news", "filing"]


def test_nothing_of_it_was_known_before_it_could_be(tmp_path: Path) -> None:
    run(tmp_path)
    before = NOW - timedelta(minutes=1)
    assert "pe_ttm" not in {fact.metric for fact in reader(tmp_path).view(MOUTAI, before).values}
    last_year = reader(tmp_path).view(MOUTAI, datetime(2024, 12, 31, 15, tzinfo=MARKET_TZ))
    assert {fact.metric for fact in last_year.values} == {"sw_industry"}
    assert {fact.metric for fact in last_year.market} == set()
    assert [each.dataset for each in last_year.absences] == ["northbound_net_inflow"]


def test_what_is_missing_is_told_to_the_decision(tmp_path: Path) -> None:
    run(tmp_path, FakeAkshare({"stock_value_em": BROKEN, "stock_market_activity_legu": BROKEN}))
    found = {each.dataset: each.reason for each in reader(tmp_path).view(MOUTAI, MORNING).absences}
    assert found["pe_ttm"] == "failed"
    assert found["northbound_net_inflow"] == "discontinued"
    assert found["pledge_ratio"] == "no_data"
    assert found["short_balance"] == "no_source"
    assert found["northbound_turnover"] == "no_data"
    assert found["advancers"] == "failed"
    assert "limit_up_count" not in found
    assert set(found) <= DATASETS


def test_an_absence_is_told_once_and_ends_with_the_next_value(tmp_path: Path) -> None:
    own = clock()
    run(tmp_path, FakeAkshare({"stock_value_em": BROKEN}), at=own)
    own.set(NOW + timedelta(hours=15))
    run(tmp_path, FakeAkshare({"stock_value_em": BROKEN}), at=own)
    facts = reader(tmp_path).view(MOUTAI, own.now()).absences
    assert [each.since for each in facts if each.dataset == "pe_ttm"] == [NOW.date()]
    own.set(NOW + timedelta(hours=24))
    run(tmp_path, at=own)
    found = {each.dataset for each in reader(tmp_path).view(MOUTAI, own.now()).absences}
    assert "pe_ttm" not in found


def test_a_second_collection_finds_nothing_new(tmp_path: Path) -> None:
    own = clock()
    run(tmp_path, at=own)
    own.set(NOW + timedelta(minutes=30))
    client = FakeAkshare()
    reports = run(tmp_path, client, at=own)
    assert client.asked == []
    assert sum(report.new for report in reports) == 0
    own.set(NOW + timedelta(hours=26))
    fresh = {report.name for report in run(tmp_path, at=own) if report.new}
    assert fresh == {"margin_szse", "turnover"}  # whose tables here are the same for every day


def test_an_answer_from_before_the_close_is_asked_for_again_after_it(tmp_path: Path) -> None:
    own = clock(NOW.replace(hour=14))
    run(tmp_path, at=own)
    own.set(NOW)
    client = FakeAkshare()
    run(tmp_path, client, at=own)
    asked = {name for name, _ in client.asked}
    assert {"stock_individual_fund_flow", "stock_value_em", "stock_market_activity_legu"} <= asked
    assert "stock_yjbb_em" not in asked


def test_a_restated_figure_counts_from_its_own_publication(tmp_path: Path) -> None:
    own = clock()
    run(tmp_path, at=own)
    own.set(NOW + timedelta(days=2))
    table = TABLES["stock_yjbb_em"]["20250930"].copy()
    table.loc[0, ["净资产收益率", "最新公告日期"]] = [20.1, datetime(2025, 11, 4).date()]  # noqa: DTZ001
    run(tmp_path, FakeAkshare({"stock_yjbb_em": {"20250930": table}}), at=own)
    versions = reader(tmp_path).versions(MOUTAI, "roe", own.now())
    assert [(f"{f.value}", f"{f.available_at:%m-%d}") for f in versions if f.period.month == 9] == [
        ("0.201", "11-05"),
        ("0.246", "10-31"),
    ]


def test_a_corrected_figure_of_the_same_publication_counts_from_its_fetching(tmp_path: Path) -> None:
    own = clock()
    run(tmp_path, at=own)
    own.set(NOW + timedelta(days=2))
    table = TABLES["stock_yjbb_em"]["20250930"].copy()
    table.loc[0, "净资产收益率"] = 24.7
    changed = FakeAkshare({"stock_yjbb_em": {"20250930": table}})
    run(tmp_path, changed, at=own)
    before, after = reader(tmp_path).view(MOUTAI, NOW), reader(tmp_path).view(MOUTAI, own.now())
    assert [f"{f.value}" for f in before.values if f.metric == "roe"] == ["0.246"]
    assert [f"{f.value}" for f in after.values if f.metric == "roe"] == ["0.247"]
    own.set(NOW + timedelta(days=4))
    assert {report.name for report in run(tmp_path, changed, at=own) if report.new} == {
        "margin_szse",
        "turnover",
    }


def test_tushare_stands_in_where_akshare_fails(tmp_path: Path) -> None:
    row = {
        "ts_code": "600519.SH", "trade_date": "20251103", "pe_ttm": 20.0, "pb": 7.0, "ps_ttm": 10.1,
        "total_mv": 1.797e8, "circ_mv": 1.797e8, "turnover_rate": 0.21,
    }  # fmt: skip
    spare = Scripted([row])
    broken = AkshareProvider(FakeAkshare({"stock_value_em": BROKEN}))
    made = fetcher(providers={"akshare": broken, "tushare": spare})
    outcome = made.fetch(BY_NAME["valuation"], SHARES)
    assert {(f.vt_symbol, f.metric, f"{f.value:f}") for f in outcome.facts if isinstance(f, ValueFact)} >= {
        (MOUTAI, "market_cap", "1797000000000"),
        (MOUTAI, "turnover_rate", "0.0021"),
    }
    assert outcome.absent == {BANK: dict.fromkeys(BY_NAME["valuation"].gives, "no_data")}
    assert outcome.failures == []


def test_nobody_set_up_is_no_source_and_nobody_is_asked(tmp_path: Path) -> None:
    outcome = fetcher(providers={}).fetch(BY_NAME["valuation"], SHARES)
    assert outcome.requests == 0
    assert outcome.absent[MOUTAI]["pe_ttm"] == "no_source"


def test_the_last_answer_stands_in_for_some_days_and_says_when_it_is_from(tmp_path: Path) -> None:
    own = clock()
    run(tmp_path, at=own)
    own.set(NOW + timedelta(days=3))
    made = fetcher(FakeAkshare({"stock_value_em": BROKEN}), at=own, cache=tmp_path / "sources.db")
    outcome = made.fetch(BY_NAME["valuation"], [MOUTAI])
    assert {fact.available_at for fact in outcome.facts} == {NOW}
    assert outcome.absent[MOUTAI]["pe_ttm"] == "failed"
    own.set(NOW + timedelta(days=8))
    assert made.fetch(BY_NAME["valuation"], [MOUTAI]).facts == []


def test_a_host_that_fails_rests_and_the_others_go_on(tmp_path: Path) -> None:
    client = FakeAkshare({"stock_value_em": BROKEN})
    made = fetcher(client)
    made.fetch(BY_NAME["valuation"], [f"60{n:04d}.SSE" for n in range(10)])
    assert sum(name == "stock_value_em" for name, _ in client.asked) == 3
    assert made.fetch(BY_NAME["institutions"], SHARES).facts


def test_bad_columns_do_not_rest_the_whole_host(tmp_path: Path) -> None:
    bare = TABLES["stock_value_em"].drop(columns="市净率")
    client = FakeAkshare({"stock_value_em": bare})
    made = fetcher(client)
    made.fetch(BY_NAME["valuation"], [f"60{n:04d}.SSE" for n in range(10)])
    assert made.fetch(BY_NAME["reports"], SHARES).facts


def test_what_no_source_tells_of_beijing_shares_is_said(tmp_path: Path) -> None:
    own = clock()
    made = fetcher(FakeAkshare(), at=own)
    collect(made, tmp_path / FILE_NAME, ["920001.BSE"], own)
    found = {a.dataset: a.reason for a in reader(tmp_path).view("920001.BSE", MORNING).absences}
    assert found["margin_balance"] == "no_source"
    assert found["debt_to_assets"] == "no_source"


def test_funds_and_indices_are_not_asked_about(tmp_path: Path) -> None:
    client = FakeAkshare()
    own = clock()
    collect(fetcher(client, at=own), tmp_path / FILE_NAME, ["510300.SSE", "000300.SSE"], own)
    assert not {name for name, _ in client.asked} & {"stock_value_em", "stock_news_em", "stock_sy_em"}
    assert reader(tmp_path).view("510300.SSE", MORNING).market


class Lists:
    """The lists of authorities: those named answer, the others do not."""

    is_set_up = True

    def __init__(self, *answering: str) -> None:
        self.answering = answering

    def table(self, dataset: Dataset, call: Call, arguments: Arguments) -> list[dict[str, Any]]:
        if call.function not in self.answering:
            raise SourceAbsence(dataset.source, AbsenceKind.UNREACHABLE, say("no"))
        return [{"title": "通知", "published": "2025-11-01 10:00:00", "body": None, "url": None}]


@pytest.mark.parametrize(("answering", "told"), [(["pbc"], False), (["csrc", "ndrc"], False), ([], True)])
def test_policy_texts_are_missing_only_where_no_authority_answers(
    tmp_path: Path, answering: list[str], told: bool
) -> None:
    own = clock()
    made = fetcher(at=own, providers={"site": Lists(*answering)})
    reports = collect(made, tmp_path / FILE_NAME, [], own)
    found = {a.dataset: a.reason for a in reader(tmp_path).view("A.MARKET", MORNING).absences}
    assert ("policy" in found) is told
    assert {r.name for r in reports if r.failed} == {
        f"policy_{name}" for name in ("csrc", "pbc", "ndrc") if name not in answering
    }


def test_one_list_alone_says_nothing_of_the_others(tmp_path: Path) -> None:
    own = clock()
    made = fetcher(at=own, providers={"site": Lists()})
    collect(made, tmp_path / FILE_NAME, [], own, families=chosen(["policy_csrc"]))
    assert "policy" not in {a.dataset for a in reader(tmp_path).view("A.MARKET", MORNING).absences}


def test_a_stopped_collection_ends_and_tells_no_failures(tmp_path: Path) -> None:
    stopped = Event()
    stopped.set()
    client = FakeAkshare()
    assert run(tmp_path, client, stopped=stopped) == ()
    assert client.asked == []
    assert [a.dataset for a in reader(tmp_path).view(MOUTAI, MORNING).absences] == ["northbound_net_inflow"]


def test_progress_and_new_facts_are_handed_on(tmp_path: Path) -> None:
    seen: list[Fact] = []
    steps: list[tuple[int, int, str]] = []
    own = clock()
    collect(
        fetcher(FakeAkshare(), at=own),
        tmp_path / FILE_NAME,
        SHARES,
        own,
        families=chosen(["lpr", "qvix_50"]),
        progress=lambda *step: steps.append(step),
        on_facts=seen.extend,
    )
    assert steps == [(0, 2, "lpr"), (1, 2, "qvix_50"), (2, 2, "")]
    assert [fact.key[0] for fact in seen] == ["northbound_net_inflow", "lpr_1y", "lpr_5y", "qvix_50"]


def test_an_unknown_dataset_is_refused_with_the_names() -> None:
    with pytest.raises(ConfigError, match="valuation"):
        chosen(["valuations"])


def test_keeping_the_same_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    assert len(keep(path, [discontinued()], NOW).new) == 1
    assert keep(path, [discontinued()], NOW).new == ()


def test_every_item_that_is_given_may_be_absent() -> None:
    for family in FAMILIES:
        for item in family.gives:
            Absence(
                vt_symbol="A.MARKET",
                source="x",
                available_at=NOW,
                dataset=item,
                since=NOW.date(),
                reason="failed",
            )
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_a_date_of_publication_that_a_source_has_mended_counts(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME

    def roe(known: datetime) -> ValueFact:
        return ValueFact(
            vt_symbol=MOUTAI,
            source="akshare",
            available_at=known,
            metric="roe",
            period=datetime(2025, 9, 30, tzinfo=MARKET_TZ).date(),
            value=Decimal("0.25"),
            unit="ratio",
        )

    typo, mended = roe(datetime(2099, 10, 31, tzinfo=MARKET_TZ)), roe(NOW - timedelta(days=2))
    assert keep(path, [typo], NOW).new == (typo,)
    assert keep(path, [mended], NOW + timedelta(hours=1)).new == (mended,)
    assert keep(path, [mended], NOW + timedelta(hours=2)).new == ()
    assert [fact.value for fact in reader(tmp_path).view(MOUTAI, NOW).values] == [Decimal("0.25")]


def test_a_damaged_store_is_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    keep(path, [discontinued()], NOW)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE facts SET content = '{}'")
    with pytest.raises(DataError, match="import them again"):
        keep(path, [discontinued()], NOW)
    path.write_bytes(b"no database" * 1_000)
    with pytest.raises(DataError, match="import them again"):
        keep(path, [discontinued()], NOW)
