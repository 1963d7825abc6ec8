"""Tushare Pro by its documents: https://tushare.pro/document/1?doc_id=130 (HTTP), document/2?doc_id=27
(daily), 127 (fund_daily), 95 (index_daily). vol in hands of 100, amount in thousand CNY, the latest day
first.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.port import BarRequest
from vnpy_aiagent.data.sources.tushare_bars import TushareBars
from vnpy_aiagent.data.sources.tushare_http import TushareClient
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import BadRow

from .http_standin import Answer, Heard, HttpStandin

TOKEN = "secret-token-of-the-test"
DOCUMENTED = [
    "ts_code", "trade_date", "open", "high", "low", "close", "pre_close", "change", "pct_chg", "vol",
    "amount",
]  # fmt: skip
ROWS = {
    "20251119": [1474.0, 1479.53, 1469.96, 1471.01, 1476.0, -4.99, -0.3381, 22045.31, 3249449.123],
    "20251118": [1468.0, 1486.0, 1460.0, 1476.0, 1471.0, 5.0, 0.3399, 31000.0, 4566300.0],
    "20251117": [1454.0, 1480.0, 1450.0, 1471.0, 1456.6, 14.4, 0.9886, 30000.0, 4395000.0],
}
NOW = datetime(2025, 11, 19, 16, tzinfo=MARKET_TZ)


def serve(heard: Heard) -> Answer:
    """As documented: only the fields asked for, only the days asked for, the latest first."""
    asked = heard.json
    assert set(asked) == {"api_name", "token", "params", "fields"}
    assert asked["token"] == TOKEN
    params = asked["params"]
    fields = asked["fields"].split(",") if asked["fields"] else DOCUMENTED
    items = []
    for day, values in ROWS.items():
        if params["start_date"] <= day <= params["end_date"]:
            row = dict(zip(DOCUMENTED, [params["ts_code"], day, *values], strict=True))
            items.append([row[name] for name in fields])
    return Answer.of({"request_id": "r", "code": 0, "msg": None, "data": {"fields": fields, "items": items}})


@pytest.fixture
def vendor() -> Iterator[HttpStandin]:
    with HttpStandin(serve) as standin:
        yield standin


def fetch(
    vendor: HttpStandin,
    symbol: str = "600519.SSE",
    start: date = date(2025, 11, 17),
    end: date = date(2025, 11, 19),
    interval: BarInterval = BarInterval.DAILY,
    now: datetime = NOW,
) -> BarSeries:
    source = TushareBars(TushareClient(TOKEN, vendor.url, timeout=10))
    assert source.missing() is None
    return source.fetch(BarRequest(symbol, interval, start, end), now, lambda: None)


def absence(vendor: HttpStandin, answer: Answer | None = None, **asked: Any) -> SourceAbsence:
    if answer is not None:
        vendor.answer = lambda _: answer
    with pytest.raises(SourceAbsence) as caught:
        fetch(vendor, **asked)
    assert caught.value.source == "tushare"
    assert TOKEN not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("symbol", "api", "code"),
    [
        ("600519.SSE", "daily", "600519.SH"),
        ("000001.SZSE", "daily", "000001.SZ"),
        ("920002.BSE", "daily", "920002.BJ"),
        ("510300.SSE", "fund_daily", "510300.SH"),
        ("000300.SSE", "index_daily", "000300.SH"),
    ],
)
def test_each_kind_is_asked_for_by_its_documented_name(
    vendor: HttpStandin, symbol: str, api: str, code: str
) -> None:
    fetch(vendor, symbol)
    asked = vendor.heard[0].json
    assert (asked["api_name"], asked["params"]["ts_code"]) == (api, code)
    assert (asked["params"]["start_date"], asked["params"]["end_date"]) == ("20251117", "20251119")
    assert set(asked["fields"].split(",")) <= set(DOCUMENTED)


def test_hands_and_thousands_become_shares_and_yuan_and_days_rise(vendor: HttpStandin) -> None:
    bars = fetch(vendor)
    assert [bars.day_of(i) for i in range(3)] == [date(2025, 11, day) for day in (17, 18, 19)]
    assert bars.volume.tolist() == [3_000_000.0, 3_100_000.0, 2_204_531.0]
    assert bars.turnover.tolist() == [4_395_000_000.0, 4_566_300_000.0, 3_249_449_123.0]
    assert bars.pre_close.tolist() == [1456.6, 1471.0, 1476.0]
    assert (bars.open[0], bars.high[1], bars.low[2], bars.close[2]) == (1454.0, 1486.0, 1469.96, 1471.01)


def test_a_day_that_is_not_over_is_left_out(vendor: HttpStandin) -> None:
    assert len(fetch(vendor, now=NOW.replace(hour=14))) == 2


def test_a_long_span_is_asked_for_in_parts_below_the_row_limit(vendor: HttpStandin) -> None:
    turns: list[int] = []
    source = TushareBars(TushareClient(TOKEN, vendor.url))
    request = BarRequest("600519.SSE", BarInterval.DAILY, date(2012, 1, 1), date(2025, 11, 19))
    bars = source.fetch(request, NOW, lambda: turns.append(1))
    spans = [(h.json["params"]["start_date"], h.json["params"]["end_date"]) for h in vendor.heard]
    assert spans[0][0] == "20120101"
    assert spans[-1][1] == "20251119"
    assert len(turns) == len(spans) == 3
    assert len(bars) == 3


def test_no_rows_is_an_absence_and_not_a_failure(vendor: HttpStandin) -> None:
    found = absence(vendor, start=date(2020, 1, 1), end=date(2020, 1, 31))
    assert found.kind is AbsenceKind.NO_ROWS
    assert not found.kind.is_failure


def refusal(code: int, message: str) -> Answer:
    return Answer.of({"code": code, "msg": message, "data": None})


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(2002, "抱歉，您没有访问该接口的权限"), AbsenceKind.REFUSED),
        (refusal(-2001, f"您的token不对，请确认 {TOKEN}"), AbsenceKind.REFUSED),
        (refusal(40203, "抱歉，您每分钟最多访问该接口50次"), AbsenceKind.LIMITED),
        (Answer.of({}, 429), AbsenceKind.LIMITED),
        (Answer.of({}, 403), AbsenceKind.REFUSED),
        (Answer.of({}, 410), AbsenceKind.DISCONTINUED),
        (Answer.of({}, 502), AbsenceKind.UNREACHABLE),
        (Answer(b"<html>502</html>"), AbsenceKind.BAD_DATA),
        (Answer(b""), AbsenceKind.BAD_DATA),
        (Answer.of([]), AbsenceKind.BAD_DATA),
        (Answer.of({"code": 0, "msg": "", "data": {"fields": ["ts_code"]}}), AbsenceKind.BAD_DATA),
        (Answer.of({"code": 0, "data": {"fields": ["ts_code"], "items": []}}), AbsenceKind.BAD_DATA),
        (Answer(hang_up=True), AbsenceKind.UNREACHABLE),
    ],
)  # fmt: skip
def test_whatever_goes_wrong_is_a_typed_absence(
    vendor: HttpStandin, answer: Answer, kind: AbsenceKind
) -> None:
    found = absence(vendor, answer)
    assert found.kind is kind
    assert found.kind.is_failure


def rows_answer(**changes: Any) -> Answer:
    row = dict(zip(DOCUMENTED, ["600519.SH", "20251118", *ROWS["20251118"]], strict=True)) | changes
    return Answer.of({"code": 0, "msg": "", "data": {"fields": list(row), "items": [list(row.values())]}})


def test_a_row_that_cannot_be_true_is_refused(vendor: HttpStandin) -> None:
    for changes in ({"high": 1.0}, {"close": None}, {"trade_date": "soon"}, {"vol": -1.0}, {"vol": None}):
        vendor.answer = lambda _, changes=changes: rows_answer(**changes)
        with pytest.raises(BadRow):
            fetch(vendor)


def test_another_unit_than_the_documented_one_is_refused_and_not_guessed(vendor: HttpStandin) -> None:
    assert absence(vendor, rows_answer(vol=310.0)).kind is AbsenceKind.BAD_DATA
    assert absence(vendor, rows_answer(amount=4_566_300_000.0)).kind is AbsenceKind.BAD_DATA


def test_a_missing_turnover_stays_missing(vendor: HttpStandin) -> None:
    vendor.answer = lambda _: rows_answer(amount=None)
    assert str(fetch(vendor).turnover[0]) == "nan"


def test_another_symbol_than_asked_for_is_refused(vendor: HttpStandin) -> None:
    assert absence(vendor, rows_answer(ts_code="600000.SH")).kind is AbsenceKind.BAD_DATA


def test_what_it_does_not_keep_is_not_asked_for(vendor: HttpStandin) -> None:
    for asked in ({"interval": BarInterval.HOUR}, {"symbol": "IF2512.CFFEX"}):
        assert absence(vendor, **asked).kind is AbsenceKind.NOT_OFFERED
    assert vendor.heard == []


def test_without_a_token_nothing_is_sent(vendor: HttpStandin) -> None:
    client = TushareClient("", vendor.url)
    missing = TushareBars(client).missing()
    assert missing is not None
    assert missing.kind is AbsenceKind.NOT_SET_UP
    with pytest.raises(SourceAbsence, match="aiagent data token"):
        client.query("daily", {})
    assert vendor.heard == []
