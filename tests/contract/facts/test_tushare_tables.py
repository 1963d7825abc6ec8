"""Tushare's datasets through its own HTTP, by its documents (https://tushare.pro/document/2)."""

from collections.abc import Iterator
from typing import Any

import pytest

from vnpy_aiagent.data.fact_sources.dataset import Dataset
from vnpy_aiagent.data.fact_sources.providers import TushareProvider
from vnpy_aiagent.data.sources.absence import AbsenceKind
from vnpy_aiagent.data.sources.tushare_http import TushareClient

from ..http_standin import Answer, Heard, HttpStandin  # noqa: TID252 - the same stand-in
from .world import BANK, MOUTAI, alone, datasets, fetcher, told, units_of

NAMES = {dataset.name: dataset for dataset in datasets("tushare")}
TOKEN = "secret-token-of-the-test"
FETCHED, END = "11-03 17:45", "11-04 00:00"
ROWS: dict[str, tuple[str, list[list[Any]]]] = {
    "daily_basic": (
        "ts_code trade_date pe_ttm pb ps_ttm total_mv circ_mv turnover_rate",
        [["600519.SH", "20251103", 20.01, 7.05, 10.15, 179700000.0, 179700000.0, 0.21],
         ["000001.SZ", "20251103", None, 0.5, 1.6, 22000000.0, 22000000.0, 0.6]],
    ),
    "fina_indicator": (
        "ts_code ann_date end_date eps bps roe grossprofit_margin debt_to_assets or_yoy netprofit_yoy",
        [["600519.SH", "20251030", "20250930", 51.5, 190.5, 24.6, 91.3, 13.2, 6.5, 6.2]],
    ),
    "pledge_stat": ("ts_code end_date pledge_ratio", [["000001.SZ", "20251031", 0.01]]),
    "share_float": (
        "ts_code ann_date float_date float_share",
        [["000001.SZ", "20251020", "20251208", 3.0e7], ["000001.SZ", "20251021", "20251208", 1.0e6]],
    ),
    "margin_detail": ("trade_date ts_code rzye rqye", [["20251031", "600519.SH", 1.789e10, 6.0e7]]),
    "moneyflow": (
        "ts_code trade_date buy_lg_amount sell_lg_amount buy_elg_amount sell_elg_amount",
        [["600519.SH", "20251103", 50000.0, 60000.0, 30000.0, 45000.0]],
    ),
    "disclosure_date": (
        "ts_code ann_date end_date pre_date actual_date",
        [["600519.SH", "20251028", "20250930", "20251030", "20251030"],
         ["000001.SZ", "20251027", "20250930", "20251125", None]],
    ),
    "margin": (
        "trade_date exchange_id rzrqye",
        [["20251031", "BSE", 7.6e9], ["20251031", "SZSE", 1.22729e12], ["20251031", "SSE", 1.262e12]],
    ),
    "shibor": ("date on", [["20251103", 1.316], ["20251031", 1.317]]),
    "shibor_lpr": ("date 1y 5y", [["20251020", 3.0, 3.5]]),
    "npr": (
        "pubtime title content_html puborg",
        [["2025-10-30 17:00:00", "关于推动光伏发展的意见", "<p>光伏</p>", "国务院"]],
    ),
}  # fmt: skip
EXPECTED: dict[str, list[tuple[Any, ...]]] = {
    "tushare_pledge_stat": [(BANK, "pledge_ratio", "2025-10-31", "0.0001", FETCHED)],
    "tushare_share_float": [(BANK, "unlock", "2025-12-08", "31000000", "10-22 00:00")],
    "tushare_margin_detail": [
        (MOUTAI, "margin_balance", "2025-10-31", "17890000000", "11-03 09:30"),
        (MOUTAI, "short_balance", "2025-10-31", "60000000", "11-03 09:30"),
    ],
    "tushare_moneyflow": [
        (MOUTAI, "main_net_inflow", "2025-11-03", "-250000000", END),
        (MOUTAI, "super_large_net_inflow", "2025-11-03", "-150000000", END),
    ],
    "tushare_disclosure_date": [
        (BANK, "report_due", "2025-11-25", None, "10-28 00:00"),
        (MOUTAI, "earnings_date", "2025-10-30", None, "10-31 00:00"),
    ],
    "tushare_margin": [("A.MARKET", "market_margin_balance", "2025-10-31", "2489290000000", "11-03 09:30")],
    "tushare_shibor": [("A.MARKET", "shibor_overnight", "2025-11-03", "0.01316", END)],
    "tushare_shibor_lpr": [
        ("A.MARKET", "lpr_1y", "2025-10-20", "0.03", "10-21 00:00"),
        ("A.MARKET", "lpr_5y", "2025-10-20", "0.035", "10-21 00:00"),
    ],
    "tushare_sw_daily": [
        ("801780.SWS", "industry_pb", "2025-11-03", "0.61", END),
        ("801780.SWS", "industry_pe", "2025-11-03", "6.2", END),
        ("801780.SWS", "industry_return_20d", "2025-11-03", "0.1", END),
        ("801780.SWS", "industry_return_5d", "2025-11-03", "0.1", END),
    ],
    "tushare_npr": [
        ("801730.SWS", "policy", "2025-10-30", None, "10-30 17:00"),
        ("A.MARKET", "policy", "2025-10-30", None, "10-30 17:00"),
    ],
}


def serve(heard: Heard) -> Answer:
    """The documented columns; of sw_daily the session that is asked for."""
    asked = heard.json
    assert asked["token"] == TOKEN
    name, fields = asked["api_name"], asked["fields"].split(",")
    if name == "sw_daily":
        on = asked["params"]["trade_date"]
        close = 4400.0 if on == "20251103" else 4000.0
        columns = ["ts_code", "trade_date", "close", "pe", "pb"]
        rows: list[list[Any]] = [["801780.SI", on, close, 6.2, 0.61]]
    else:
        columns, rows = ROWS[name][0].split(), ROWS[name][1]
    if (wanted := asked["params"].get("ts_code")) is not None:
        rows = [row for row in rows if row[columns.index("ts_code")] == wanted]
    items = [[row[columns.index(field)] for field in fields] for row in rows]
    return Answer.of({"request_id": "r", "code": 0, "msg": None, "data": {"fields": fields, "items": items}})


@pytest.fixture
def vendor() -> Iterator[HttpStandin]:
    with HttpStandin(serve) as standin:
        yield standin


def fetch(vendor: HttpStandin, dataset: Dataset) -> Any:
    providers = {"tushare": TushareProvider(TushareClient(TOKEN, vendor.url, 5.0))}
    return fetcher(providers=providers).fetch(alone(dataset), units_of(dataset))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_documented_table_becomes_these_facts(vendor: HttpStandin, name: str) -> None:
    facts = {fact.id: fact for fact in fetch(vendor, NAMES[name]).facts}.values()
    assert told(facts) == sorted(EXPECTED[name], key=str)


def test_valuation_is_in_yuan_and_a_loss_has_no_ratio(vendor: HttpStandin) -> None:
    outcome = fetch(vendor, NAMES["tushare_daily_basic"])
    found = {(f.vt_symbol, f.metric): f"{f.value:f}" for f in outcome.facts}
    assert found[MOUTAI, "market_cap"] == "1797000000000"
    assert found[MOUTAI, "turnover_rate"] == "0.0021"
    assert (BANK, "pe_ttm") not in found
    assert outcome.absent[BANK] == {"pe_ttm": "no_data"}


def test_indicators_count_from_their_announcement(vendor: HttpStandin) -> None:
    facts = fetch(vendor, NAMES["tushare_fina_indicator"]).facts
    assert {f.metric: f"{f.value:f}" for f in facts} == {
        "eps": "51.5", "book_value_per_share": "190.5", "roe": "0.246", "gross_margin": "0.913",
        "revenue_growth": "0.065", "profit_growth": "0.062",
    }  # fmt: skip
    assert {f"{f.available_at:%m-%d %H:%M}" for f in facts} == {"10-31 00:00"}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_refused_right_is_an_absence_without_the_token(vendor: HttpStandin, name: str) -> None:
    said = f"抱歉，您没有接口访问权限 {TOKEN}"
    vendor.answer = lambda _: Answer.of({"request_id": "r", "code": 2002, "msg": said, "data": None})
    outcome = fetch(vendor, NAMES[name])
    assert outcome.facts == []
    assert AbsenceKind.REFUSED in {absence.kind for absence in outcome.failures}
    assert all(TOKEN not in str(absence) for absence in outcome.failures)
    assert {reason for items in outcome.absent.values() for reason in items.values()} == {"failed"}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_missing_column_is_an_absence(vendor: HttpStandin, name: str) -> None:
    def without(heard: Heard) -> Answer:
        fields = heard.json["fields"].split(",")[1:]
        return Answer.of(
            {"code": 0, "msg": None, "data": {"fields": fields, "items": [[None] * len(fields)]}}
        )

    vendor.answer = without
    outcome = fetch(vendor, NAMES[name])
    assert outcome.facts == []
    assert {absence.kind for absence in outcome.failures} == {AbsenceKind.BAD_DATA}
