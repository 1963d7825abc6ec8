"""akshare's own parsers over the vendors' answers, which a server on this machine gives in their place.

AIAGENT_TEST_AKSHARE=1 runs it where akshare is installed. The answers have the fields that akshare's source
takes apart (1.19.5); every request goes through requests.Session.send, which here takes it to the stand-in.
"""

import os
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import pytest

from vnpy_aiagent.data.fact_sources.dataset import Dataset
from vnpy_aiagent.data.fact_sources.providers import AkshareProvider
from vnpy_aiagent.data.sources.absence import AbsenceKind

from ..http_standin import Answer, Heard, HttpStandin  # noqa: TID252 - the same stand-in
from .world import BANK, MOUTAI, alone, datasets, fetcher, told, units_of

pytestmark = [
    pytest.mark.skipif(
        os.environ.get("AIAGENT_TEST_AKSHARE") != "1" or find_spec("akshare") is None,
        reason="set AIAGENT_TEST_AKSHARE=1 and install akshare to run its own parsers",
    ),
    pytest.mark.filterwarnings("ignore"),
]
NAMES = {dataset.name: dataset for dataset in datasets("akshare")}
END, FETCHED = "11-04 00:00", "11-03 17:45"


def _page(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"result": {"pages": 1, "data": list(rows), "count": len(rows)}, "success": True}


def _valuation(code: str) -> dict[str, Any]:
    return {
        "SECURITY_CODE": code, "TRADE_DATE": "2025-11-03 00:00:00", "CLOSE_PRICE": 1435.0, "CHANGE_RATE": 0.3,
        "TOTAL_MARKET_CAP": 1.797e12, "NOTLIMITED_MARKETCAP_A": 1.797e12, "TOTAL_SHARES": 1.25e9,
        "FREE_SHARES_A": 1.25e9, "PE_TTM": 20.01, "PE_LAR": 20.9, "PB_MRQ": 7.05, "PEG_CAR": 1.2,
        "PCF_OCF_TTM": 20.2, "PS_TTM": 10.15,
    }  # fmt: skip


def _goodwill() -> dict[str, Any]:
    return {
        "SECUCODE": "000001.SZ", "SECURITY_CODE": "000001", "SECURITY_NAME_ABBR": "x", "ORG_CODE": "1",
        "LISTING_DATE": None, "LISTING_STATE": None, "TRADE_BOARD": "szzb", "GOODWILL": 7.568e9,
        "DATE_TYPE": "x", "REPORT_TYPE_CODE": "x", "DATA_ADJUST_TYPE": "x",
        "NOTICE_DATE": "2025-10-25 00:00:00", "REPORT_DATE": "2025-09-30 00:00:00", "GOODWILL_PRE": 7.568e9,
        "GOODWILL_CHANGE": None, "SUMSHEQUITY": 4.98e11, "SUMSHEQUITY_RATIO": 0.0152, "SE_CHANGE_RATIO": None,
        "PARENTNETPROFIT": 3.8e10, "PNP_CHANGE_RATIO": None, "PNP_YOY_RATIO": -0.035, "INDUSTRY_CFT": "x",
        "INDUSTRY_CFTCODE": "x", "IS_SHOW": "1", "MAXREPORTDATE": "x",
    }  # fmt: skip


def _unlock() -> dict[str, Any]:
    return {
        "SECURITY_CODE": "000001", "SECURITY_NAME_ABBR": "x", "FREE_DATE": "2025-12-08 00:00:00",
        "CURRENT_FREE_SHARES": 3100.0, "ABLE_FREE_SHARES": 3200.0, "LIFT_MARKET_CAP": 35340.0,
        "FREE_RATIO": 0.2, "NEW": 11.4, "B20_ADJCHRATE": None, "A20_ADJCHRATE": None, "FREE_SHARES_TYPE": "x",
        "TOTAL_RATIO": 0.1, "NON_FREE_SHARES": 0.0, "BATCH_HOLDER_NUM": 3,
    }  # fmt: skip


def _lpr() -> dict[str, Any]:
    return {"TRADE_DATE": "2025-10-20 00:00:00", "LPR1Y": 3.0, "LPR5Y": 3.5, "RATE_1": 4.35, "RATE_2": 4.9}


def _appointed() -> dict[str, Any]:
    return {
        "SECURITY_CODE": "000001", "SECURITY_NAME_ABBR": "x", "FIRST_APPOINT_DATE": "2025-11-20 00:00:00",
        "FIRST_CHANGE_DATE": "2025-11-25 00:00:00", "SECOND_CHANGE_DATE": None, "THIRD_CHANGE_DATE": None,
        "ACTUAL_PUBLISH_DATE": None,
    }  # fmt: skip


def _sse_margin() -> dict[str, Any]:
    names = (
        "fill", "opDate", "rqchl", "rqmcl", "rqyl", "rqylje", "page", "rzche", "rzmre", "rzrqjyzl", "rzye",
        "securityAbbr", "stockCode",
    )  # fmt: skip
    values = ("", "20251031", 900, 1200, 41800, 0, "", 3.9e8, 4.1e8, 0, 1.789e10, "贵州茅台", "600519")
    return {"result": [dict(zip(names, values, strict=True))]}


KLINES = {"data": {"klines": ["2025-11-03,-250000000.0,1,2,3,-150000000.0,-5.0,1,2,3,-3.0,1435.0,0.3,0,0"]}}
POOL = {
    "data": {
        "pool": [
            {
                "c": f"60000{n}", "m": 1, "n": "x", "p": 10000, "zdp": 10.0, "amount": 1, "ltsz": 1.0,
                "tshare": 1.0, "hs": 3.0, "lbc": 1, "fbt": 92500, "lbt": 92500, "fund": 1, "zbc": 0,
                "hybk": "y",
                "zttj": {"days": 1, "ct": 1},
            }
            for n in range(7)
        ]
    }
}  # fmt: skip
SW = {
    "data": {
        "count": 2,
        "results": [
            {
                "swindexcode": "801780", "swindexname": "银行", "bargaindate": on, "closeindex": close,
                "bargainamount": 1.0, "markup": 0.1, "turnoverrate": 0.3, "pe": 6.2, "pb": 0.61,
                "meanprice": 5.0, "bargainsumrate": 3.0, "negotiablessharesum1": 1.0,
                "negotiablessharesum2": 1.0, "dp": 5.0,
            }
            for on, close in (("2025-10-27", 4000.0), ("2025-11-03", 4100.0))
        ],
    }
}  # fmt: skip
BY_REPORT: dict[str, Any] = {
    "RPT_GOODWILL_STOCKDETAILS": _page(_goodwill()),
    "RPT_LIFT_STAGE": _page(_unlock()),
    "RPTA_WEB_RATE": _page(_lpr()),
    "RPT_PUBLIC_BS_APPOIN": _page(_appointed()),
}
BY_HOST: dict[str, Any] = {
    "push2his.eastmoney.com": KLINES,
    "push2ex.eastmoney.com": POOL,
    "query.sse.com.cn": _sse_margin(),
    "www.swsresearch.com": SW,
}
EXPECTED: dict[str, list[tuple[Any, ...]]] = {
    "goodwill": [
        (BANK, "goodwill", "2025-09-30", "7568000000", "10-26 00:00"),
        (BANK, "goodwill_to_equity", "2025-09-30", "0.0152", "10-26 00:00"),
    ],
    "unlocks": [(BANK, "unlock", "2025-12-08", "31000000", FETCHED)],
    "lpr": [
        ("A.MARKET", "lpr_1y", "2025-10-20", "0.03", "10-21 00:00"),
        ("A.MARKET", "lpr_5y", "2025-10-20", "0.035", "10-21 00:00"),
    ],
    "margin_sse": [(MOUTAI, "margin_balance", "2025-10-31", "17890000000", "11-03 09:30")],
    "fund_flow": [
        (share, metric, "2025-11-03", value, END)
        for share in (BANK, MOUTAI)
        for metric, value in (("main_net_inflow", "-250000000"), ("super_large_net_inflow", "-150000000"))
    ],
    "industry_daily": [
        ("801780.SWS", "industry_pb", "2025-11-03", "0.61", END),
        ("801780.SWS", "industry_pe", "2025-11-03", "6.2", END),
        ("801780.SWS", "industry_return_5d", "2025-11-03", "0.025", END),
    ],
}


def answer(heard: Heard) -> Answer:
    """By the host that was meant, and by the name of the report."""
    host = heard.path.split("/")[1]
    if host in BY_HOST:
        return Answer.of(BY_HOST[host])
    report = heard.query.get("reportName", "")
    if report == "RPT_VALUEANALYSIS_DET":
        return Answer.of(_page(_valuation(heard.query["filter"].split('"')[1])))
    wanted = "2025-09-30" in heard.query.get("filter", "2025-09-30") or report in (
        "RPT_LIFT_STAGE",
        "RPTA_WEB_RATE",
    )
    return Answer.of(BY_REPORT[report] if wanted else {"result": None, "success": False})


@pytest.fixture
def vendors(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpStandin]:
    sessions = import_module("requests").sessions.Session
    send = sessions.send
    with HttpStandin(answer) as standin:

        def redirected(self: Any, request: Any, **options: Any) -> Any:
            parts = urlsplit(request.url)
            request.url = f"{standin.url}/{parts.netloc}{parts.path}?{parts.query}"
            return send(self, request, **options)

        monkeypatch.setattr(sessions, "send", redirected)
        yield standin


def fetch(dataset: Dataset) -> Any:
    made = fetcher(providers={"akshare": AkshareProvider()})
    return made.fetch(alone(dataset), units_of(dataset))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_vendors_answer_becomes_these_facts(vendors: HttpStandin, name: str) -> None:
    outcome = fetch(NAMES[name])
    assert [str(absence) for absence in outcome.failures] == []
    assert told(outcome.facts) == sorted(EXPECTED[name], key=str)


def test_valuation_of_each_share_is_asked_by_its_code(vendors: HttpStandin) -> None:
    facts = fetch(NAMES["valuation"]).facts
    assert {(f.vt_symbol, f"{f.value:f}") for f in facts if f.metric == "pe_ttm"} == {
        (MOUTAI, "20.01"),
        (BANK, "20.01"),
    }


def test_limit_pools_are_counted(vendors: HttpStandin) -> None:
    facts = fetch(NAMES["limit_up_pool"]).facts
    assert {(f.metric, f"{f.value:f}") for f in facts if f.metric == "limit_up_count"} == {
        ("limit_up_count", "7")
    }


def test_appointed_days_come_with_their_last_change(vendors: HttpStandin) -> None:
    facts = fetch(NAMES["report_dates"]).facts
    assert [(f.event, str(f.on)) for f in facts] == [("report_due", "2025-11-25")]


def test_another_answer_is_an_absence(vendors: HttpStandin) -> None:
    vendors.answer = lambda _: Answer(b"<html>blocked</html>")
    for name in ("goodwill", "lpr", "fund_flow", "industry_daily"):
        outcome = fetch(NAMES[name])
        assert outcome.facts == []
        kinds = {absence.kind for absence in outcome.failures}
        assert kinds <= {AbsenceKind.UNREACHABLE, AbsenceKind.BAD_DATA, AbsenceKind.RESTING}
