"""Every dataset of akshare against the columns of its documentation: figures, units, moments, absences."""

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from vnpy_aiagent.data.fact_sources.dataset import Dataset, Known, Scope
from vnpy_aiagent.data.facts import METRICS, TextFact, ValueFact
from vnpy_aiagent.data.sources.absence import AbsenceKind

from .documented import NAN, SIGNATURES, TABLES, FakeAkshare
from .world import BANK, MOUTAI, NOW, alone, datasets, fetcher, told, units_of

DATASETS = datasets("akshare")
NAMES = {dataset.name: dataset for dataset in DATASETS}
END_31, END_3 = "11-01 00:00", "11-04 00:00"
FETCHED = "11-03 17:45"
EXPECTED: dict[str, list[tuple[Any, ...]]] = {
    "classification": [
        (BANK, "sw_industry", "2021-07-30", "801780", "08-01 00:00"),
        (MOUTAI, "sw_industry", "2021-07-30", "801120", "08-01 00:00"),
    ],
    "balance": [
        (BANK, "debt_to_assets", "2025-09-30", "0.911", "10-26 00:00"),
        (BANK, "total_assets", "2025-09-30", "300000000000", "10-26 00:00"),
        (MOUTAI, "debt_to_assets", "2025-06-30", "0.14", "08-14 00:00"),
        (MOUTAI, "debt_to_assets", "2025-09-30", "0.132", "10-31 00:00"),
        (MOUTAI, "total_assets", "2025-06-30", "300000000000", "08-14 00:00"),
        (MOUTAI, "total_assets", "2025-09-30", "300000000000", "10-31 00:00"),
    ],
    "goodwill": [
        (BANK, "goodwill", "2025-09-30", "7568000000", "10-26 00:00"),
        (BANK, "goodwill_to_equity", "2025-09-30", "0.0152", "10-26 00:00"),
    ],
    "institutions": [
        (BANK, "institution_count", "2025-09-30", "310", FETCHED),
        (BANK, "institution_ratio", "2025-09-30", "0.664", FETCHED),
        (MOUTAI, "institution_count", "2025-09-30", "1201", FETCHED),
        (MOUTAI, "institution_ratio", "2025-09-30", "0.712", FETCHED),
    ],
    "pledge": [(BANK, "pledge_ratio", "2025-10-31", "0.0001", FETCHED)],
    "unlocks": [(BANK, "unlock", "2025-12-08", "31000000", FETCHED)],
    "margin_sse": [(MOUTAI, "margin_balance", "2025-10-31", "17890000000", "11-03 09:30")],
    "margin_szse": [
        (BANK, "margin_balance", "2025-10-31", "5310000000", "11-03 09:30"),
        (BANK, "short_balance", "2025-10-31", "21660000", "11-03 09:30"),
    ],
    "report_dates": [
        (BANK, "report_due", "2025-11-25", None, FETCHED),
        (MOUTAI, "earnings_date", "2025-10-30", None, FETCHED),
    ],
    "earnings_previews": [(BANK, "earnings_preview", "2025-10-14", None, "10-15 00:00")],
    "dividends": [
        (MOUTAI, "dividend_per_share", "2025-06-30", "23.957", "11-02 00:00"),
        (MOUTAI, "ex_dividend", "2025-12-19", "23.957", "11-02 00:00"),
    ],
    "suspensions": [
        (BANK, "resumption", "2025-11-04", None, FETCHED),
        (BANK, "suspension", "2025-11-03", None, FETCHED),
    ],
    "breadth": [
        ("A.MARKET", "advancers", "2025-11-03", "3127", END_3),
        ("A.MARKET", "decliners", "2025-11-03", "2034", END_3),
        ("A.MARKET", "limit_down_count", "2025-11-03", "6", END_3),
        ("A.MARKET", "limit_up_count", "2025-11-03", "88", END_3),
    ],
    "limit_up_pool": [("A.MARKET", "limit_up_count", "2025-11-03", "7", END_3)],
    "turnover": [("A.MARKET", "market_turnover", "2025-11-03", "2101355000000", END_3)],
    "market_margin": [("A.MARKET", "market_margin_balance", "2025-10-31", "2489290000000", "11-03 09:30")],
    "qvix_50": [("A.MARKET", "qvix_50", "2025-11-03", "17.35", END_3)],
    "qvix_300": [("A.MARKET", "qvix_300", "2025-11-03", "18.42", END_3)],
    "northbound_turnover": [],
    "lpr": [
        ("A.MARKET", "lpr_1y", "2025-10-20", "0.03", "10-21 00:00"),
        ("A.MARKET", "lpr_5y", "2025-10-20", "0.035", "10-21 00:00"),
    ],
    "shibor": [("A.MARKET", "shibor_overnight", "2025-11-03", "0.01316", END_3)],
    "shibor_eastmoney": [("A.MARKET", "shibor_overnight", "2025-11-03", "0.01316", END_3)],
    "reserve_ratio": [("A.MARKET", "reserve_requirement_ratio", "2025-05-15", "0.09", "05-16 00:00")],
    "industry_daily": [
        ("801120.SWS", "industry_pb", "2025-11-03", "4.4", END_3),
        ("801120.SWS", "industry_pe", "2025-11-03", "21.5", END_3),
        ("801120.SWS", "industry_return_20d", "2025-11-03", "0.020191", END_3),
        ("801120.SWS", "industry_return_5d", "2025-11-03", "0.00501", END_3),
        ("801780.SWS", "industry_pb", "2025-11-03", "0.61", END_3),
        ("801780.SWS", "industry_pe", "2025-11-03", "6.2", END_3),
        ("801780.SWS", "industry_return_20d", "2025-11-03", "0.020191", END_3),
        ("801780.SWS", "industry_return_5d", "2025-11-03", "0.00501", END_3),
    ],
    "industry_medians": [
        ("801780.SWS", "industry_debt_to_assets", "2025-09-30", "0.912", FETCHED),
        ("801780.SWS", "industry_roe", "2025-09-30", "0.12", FETCHED),
    ],
    "filings": [(share, "filing", "2025-10-31", None, "10-31 00:00") for share in (BANK, MOUTAI)],
    "news": [(share, "news", "2025-11-02", None, "11-02 20:15") for share in (BANK, MOUTAI)],
}  # fmt: skip


def fetch(dataset: Dataset, client: Any) -> Any:
    return fetcher(client).fetch(alone(dataset), units_of(dataset))


def test_every_function_that_is_asked_is_a_documented_one() -> None:
    assert {call.function for dataset in DATASETS for call in dataset.calls} == set(SIGNATURES)
    for dataset in DATASETS:
        for call in dataset.calls:
            found = TABLES[call.function]
            frames = list(found.values()) if isinstance(found, dict) else [found]
            frame = next(frame for frame in frames if len(frame)) if any(map(len, frames)) else None
            if frame is not None:
                assert set(call.columns) <= set(frame.columns), call.function


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_documented_table_becomes_these_facts(name: str) -> None:
    outcome = fetch(NAMES[name], FakeAkshare())
    assert told(outcome.facts) == sorted(EXPECTED[name], key=str)
    assert all(f.unit == METRICS[f.metric] for f in outcome.facts if isinstance(f, ValueFact))


def test_valuation_counts_from_its_fetching_and_never_before() -> None:
    facts = fetch(NAMES["valuation"], FakeAkshare()).facts
    assert {fact.metric: f"{fact.value:f}" for fact in facts if fact.vt_symbol == MOUTAI} == {
        "pe_ttm": "20.01",
        "pb": "7.05",
        "ps_ttm": "10.15",
        "market_cap": "1797000000000",
        "free_float_cap": "1797000000000",
    }
    assert {fact.available_at for fact in facts} == {NOW}


def test_reports_are_in_the_units_of_the_store() -> None:
    facts = fetch(NAMES["reports"], FakeAkshare()).facts
    newest = {f.metric: f"{f.value:f}" for f in facts if f.vt_symbol == MOUTAI and f.period.month == 9}
    assert newest == {
        "eps": "51.5", "revenue": "100000000000", "revenue_growth": "0.065", "net_profit": "64000000000",
        "profit_growth": "0.062", "book_value_per_share": "190.5", "roe": "0.246", "gross_margin": "0.913",
    }  # fmt: skip
    assert "gross_margin" not in {f.metric for f in facts if f.vt_symbol == BANK}
    assert {told_row[4] for told_row in told(facts) if told_row[2] == "2025-06-30"} == {"08-14 00:00"}


def test_the_second_choice_says_the_same_as_the_first() -> None:
    first = {f.key: f.value for f in fetch(NAMES["reports"], FakeAkshare()).facts if f.vt_symbol == MOUTAI}
    second = {
        f.key: f.value for f in fetch(NAMES["indicators"], FakeAkshare()).facts if f.vt_symbol == MOUTAI
    }
    assert {key: first[key] for key in second} == second
    assert len(second) == 8


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)
def test_a_missing_column_is_an_absence_with_its_name(dataset: Dataset) -> None:
    for call in dataset.calls:
        for column in call.columns:
            found = TABLES[call.function]
            frames = found if isinstance(found, dict) else {"": found}
            if not any(map(len, frames.values())):
                continue
            cut = {key: frame.drop(columns=column, errors="ignore") for key, frame in frames.items()}
            changed = {call.function: cut if isinstance(found, dict) else cut[""]}
            outcome = fetch(dataset, FakeAkshare(changed))
            assert outcome.facts == []
            assert {absence.kind for absence in outcome.failures} == {AbsenceKind.BAD_DATA}
            assert outcome.failures[0].text.figures["columns"] == column
            assert all(set(items.values()) == {"failed"} for items in outcome.absent.values())


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)
def test_missing_cells_are_no_facts_and_never_zeros(dataset: Dataset) -> None:
    changed = {}
    for call in dataset.calls:
        found = TABLES[call.function]
        frames = found if isinstance(found, dict) else {"": found}
        empty = {key: frame.astype(object).where(frame.isna(), NAN) for key, frame in frames.items()}
        changed[call.function] = empty if isinstance(found, dict) else empty[""]
    assert fetch(dataset, FakeAkshare(changed)).facts == []


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionError("no route"), AbsenceKind.UNREACHABLE),
        (ValueError("Length mismatch: Expected axis has 3 elements"), AbsenceKind.BAD_DATA),
        (TypeError("'NoneType' object is not subscriptable"), AbsenceKind.NO_ROWS),
    ],
)
def test_whatever_akshare_raises_is_an_absence(dataset: Dataset, error: Exception, kind: AbsenceKind) -> None:
    client = FakeAkshare({call.function: error for call in dataset.calls})
    outcome = fetch(dataset, client)
    assert outcome.facts == []
    kinds = {absence.kind for absence in outcome.failures}
    assert kinds <= {kind, AbsenceKind.RESTING}
    assert kind in kinds
    wanted = "no_data" if kind is AbsenceKind.NO_ROWS else "failed"
    assert {reason for items in outcome.absent.values() for reason in items.values()} == {wanted}


@pytest.mark.parametrize("dataset", [d for d in DATASETS if d.known is Known.FETCHED], ids=lambda d: d.name)
def test_history_without_a_day_of_publication_is_not_known_before_it_was_fetched(dataset: Dataset) -> None:
    assert all(fact.available_at == NOW for fact in fetch(dataset, FakeAkshare()).facts)


@pytest.mark.parametrize("dataset", [d for d in DATASETS if d.known is Known.DAY_END], ids=lambda d: d.name)
def test_a_day_that_goes_on_gives_no_figures_of_that_day(dataset: Dataset) -> None:
    from .world import clock

    morning = clock(NOW.replace(hour=10, minute=0))
    outcome = fetcher(FakeAkshare(), at=morning).fetch(alone(dataset), units_of(dataset))
    assert all(f.period < NOW.date() for f in outcome.facts if isinstance(f, ValueFact))


def test_a_changed_unit_is_noticed() -> None:
    pledge = TABLES["stock_gpzy_pledge_ratio_em"]["20251031"].assign(质押比例=23_050.0)
    outcome = fetch(NAMES["pledge"], FakeAkshare({"stock_gpzy_pledge_ratio_em": pledge}))
    assert outcome.facts == []
    assert outcome.failures[0].kind is AbsenceKind.BAD_DATA
    assert "pledge_ratio" in str(outcome.failures[0])


def test_one_impossible_row_among_many_is_left_out() -> None:
    good = TABLES["stock_yjbb_em"]["20250930"]
    bad = good.copy()
    bad["净资产收益率"] = bad["净资产收益率"].astype(object)
    bad.loc[0, "净资产收益率"] = "n/a"
    tables = {**TABLES["stock_yjbb_em"], "20250930": bad}
    facts = fetch(NAMES["reports"], FakeAkshare({"stock_yjbb_em": tables})).facts
    assert {f.vt_symbol for f in facts if f.period.month == 9} == {BANK}


def test_a_table_that_has_stopped_is_an_absence() -> None:
    old = TABLES["index_option_50etf_qvix"].assign(date=[NOW.date() - timedelta(days=60 - n) for n in (0, 1)])
    outcome = fetch(NAMES["qvix_50"], FakeAkshare({"index_option_50etf_qvix": old}))
    assert outcome.facts == []
    assert outcome.absent == {"A.MARKET": {"qvix_50": "no_data"}}


def test_an_empty_pool_is_no_count_of_zero() -> None:
    outcome = fetch(NAMES["limit_down_pool"], FakeAkshare())
    assert outcome.absent == {"A.MARKET": {"limit_down_count": "no_data"}}


def test_texts_keep_their_medium_and_empty_ones_are_left_out() -> None:
    facts = [f for f in fetch(NAMES["news"], FakeAkshare()).facts if f.vt_symbol == MOUTAI]
    assert [(f.source, f.title, f.body) for f in facts if isinstance(f, TextFact)] == [
        ("证券时报_网", "公司发布三季报", "净利润同比增长")
    ]


def test_the_volatility_file_is_not_taken_from_akshares_memory() -> None:
    cleared: list[str] = []

    class Remembering(FakeAkshare):
        class index:  # noqa: N801 - akshare's own name
            class index_option_qvix:  # noqa: N801
                pass

    def fake() -> None:
        return None

    fake.cache_clear = lambda: cleared.append("yes")  # type: ignore[attr-defined]
    setattr(Remembering.index.index_option_qvix, "__get_optbbs_daily", fake)
    fetch(NAMES["qvix_50"], Remembering())
    assert cleared == ["yes"]


def test_a_function_that_is_gone_is_named() -> None:
    class Newer(FakeAkshare):
        def __getattr__(self, name: str) -> Any:
            if name == "stock_value_em":
                raise AttributeError(name)
            return super().__getattr__(name)

    outcome = fetch(NAMES["valuation"], Newer())
    assert "stock_value_em" in str(outcome.failures[0])
    assert outcome.absent[MOUTAI]["pe_ttm"] == "failed"


def test_scopes_are_asked_as_often_as_they_say() -> None:
    for dataset in DATASETS:
        client = FakeAkshare()
        outcome = fetch(dataset, client)
        shares = [s for s in units_of(dataset) if dataset.covers(s)]
        if dataset.scope is Scope.SYMBOL:
            assert outcome.requests == len(shares) * len(dataset.calls)
        else:
            assert outcome.requests <= 2 * len(dataset.calls)


def test_frames_without_rows_are_no_rows_whatever_their_columns() -> None:
    client = FakeAkshare({"stock_value_em": pd.DataFrame()})
    assert {a.kind for a in fetch(NAMES["valuation"], client).failures} == {AbsenceKind.NO_ROWS}
