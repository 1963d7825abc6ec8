"""akshare itself against Eastmoney's answers: its own parsers, its own columns, a server on this machine.

AIAGENT_TEST_AKSHARE=1 runs it where akshare is installed. Eastmoney's kline/get gives lines of day, open,
close, high, low, volume in hands, turnover in CNY and more, as many as `fields2` names
(push2his.eastmoney.com); trends2/get gives the minutes of the last five sessions. Every request of akshare
goes through requests.Session.send, which here takes it to the stand-in.
"""

import os
from collections.abc import Iterator
from datetime import date, datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import pytest

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.akshare_bars import AkshareBars
from vnpy_aiagent.data.sources.port import BarRequest
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.enums import BarInterval

from .http_standin import Answer, Heard, HttpStandin

pytestmark = [
    pytest.mark.skipif(
        os.environ.get("AIAGENT_TEST_AKSHARE") != "1" or find_spec("akshare") is None,
        reason="set AIAGENT_TEST_AKSHARE=1 and install akshare to run its own parsers",
    ),
    pytest.mark.filterwarnings("ignore"),
]
NOW = datetime(2025, 11, 19, 16, tzinfo=MARKET_TZ)
LINES = (
    "2025-11-18,1468.00,1476.00,1486.00,1460.00,31000,4566300000.00,1.78,0.34,5.00,0.25",
    "2025-11-19,1474.00,1471.01,1479.53,1469.96,22045,3249449000.00,0.65,-0.34,-4.99,0.18",
)
HOURS = tuple(
    f"2025-11-19 {end},10.00,10.10,10.20,9.90,500,502500.00,3.0,1.0,0.10,0.1"
    for end in ("10:30", "11:30", "14:00", "15:00")
)
MINUTES = (
    "2025-11-19 09:31,0.00,10.10,10.20,9.90,500,502500.00,10.05",
    "2025-11-19 09:32,10.00,10.10,10.20,9.90,500,502500.00,10.05",
)


def serve(heard: Heard) -> Answer:
    """As Eastmoney: as many fields as were asked for."""
    if heard.path.endswith("/clist/get"):
        return Answer.of({"data": {"total": 1, "diff": [{"f3": 0.1, "f12": "000300", "f13": 1}]}})
    if heard.query["secid"].endswith("605999"):
        return Answer.of({"data": None})
    count = len(heard.query["fields2"].replace(",f116", "").split(","))
    if heard.path.endswith("/trends2/get"):
        return Answer.of({"data": {"trends": list(MINUTES)}})
    rows = LINES if heard.query["klt"] == "101" else HOURS
    return Answer.of({"data": {"klines": [",".join(row.split(",")[:count]) for row in rows]}})


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpStandin]:
    requests = import_module("requests")
    send = requests.Session.send
    with HttpStandin(serve) as standin:

        def redirected(self: Any, request: Any, **kwargs: Any) -> Any:
            parts = urlsplit(request.url)
            assert parts.netloc.endswith("eastmoney.com")
            request.url = standin.url + request.url.removeprefix(f"{parts.scheme}://{parts.netloc}")
            return send(self, request, **kwargs)

        monkeypatch.setattr(requests.Session, "send", redirected)
        yield standin


def fetch(symbol: str, interval: BarInterval = BarInterval.DAILY) -> BarSeries:
    request = BarRequest(symbol, interval, date(2025, 11, 18), date(2025, 11, 19))
    return AkshareBars().fetch(request, NOW, lambda: None)


@pytest.mark.parametrize(
    ("symbol", "secid"), [("600519.SSE", "1.600519"), ("000001.SZSE", "0.000001"), ("510300.SSE", "1.510300")]
)
def test_days_of_shares_and_funds_are_unadjusted_in_shares(
    vendor: HttpStandin, symbol: str, secid: str
) -> None:
    bars = fetch(symbol)
    assert bars.volume.tolist() == [3_100_000.0, 2_204_500.0]
    assert (bars.open[0], bars.high[0], bars.low[0], bars.close[0]) == (1468.0, 1486.0, 1460.0, 1476.0)
    assert bars.turnover[1] == 3_249_449_000.0
    heard = vendor.heard[-1]
    assert (heard.query["secid"], heard.query["klt"], heard.query["fqt"]) == (secid, "101", "0")
    assert (heard.query["beg"], heard.query["end"]) == ("20251118", "20251119")


def test_days_of_an_index_are_points_and_shares(vendor: HttpStandin) -> None:
    bars = fetch("000300.SSE")
    assert (bars.close[0], bars.volume[0]) == (1476.0, 3_100_000.0)
    assert vendor.heard[-1].query["secid"] == "1.000300"


@pytest.mark.parametrize("symbol", ["600519.SSE", "510300.SSE", "000300.SSE"])
def test_hours_and_minutes_are_named_by_their_end(vendor: HttpStandin, symbol: str) -> None:
    hours = fetch(symbol, BarInterval.HOUR)
    assert [f"{hours.end_of(i):%H:%M}" for i in range(len(hours))] == ["10:30", "11:30", "14:00", "15:00"]
    assert hours.volume[0] == 50_000.0
    minutes = fetch(symbol, BarInterval.MINUTE)
    assert [f"{minutes.end_of(i):%H:%M}" for i in range(len(minutes))] == ["09:32"]


@pytest.mark.parametrize("interval", [BarInterval.DAILY, BarInterval.HOUR])
def test_a_symbol_that_is_not_there_is_an_absence(vendor: HttpStandin, interval: BarInterval) -> None:
    with pytest.raises(SourceAbsence) as caught:
        fetch("605999.SSE", interval)
    assert caught.value.kind is AbsenceKind.NO_ROWS


def test_a_server_that_hangs_up_is_unreachable(vendor: HttpStandin) -> None:
    vendor.answer = lambda _: Answer(hang_up=True)
    with pytest.raises(SourceAbsence) as caught:
        fetch("600519.SSE")
    assert caught.value.kind is AbsenceKind.UNREACHABLE


def test_a_page_instead_of_json_is_told(vendor: HttpStandin) -> None:
    vendor.answer = lambda _: Answer(b"<html>")
    with pytest.raises(SourceAbsence) as caught:
        fetch("600519.SSE")
    assert caught.value.kind.is_failure
