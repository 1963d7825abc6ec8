"""BaoStock by its documents (A股K线数据): values are strings, volume in shares, amount in CNY.

The stand-in has the functions and the result set of the package: error_code "0", fields, next(),
get_row_data().
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pytest

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.baostock_bars import BaostockBars
from vnpy_aiagent.data.sources.port import BarRequest
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import BadRow

NOW = datetime(2025, 11, 19, 16, tzinfo=MARKET_TZ)
DAY = {
    "code": "sh.600519",
    "open": "1454.0000",
    "high": "1480.0000",
    "low": "1450.0000",
    "close": "1471.0000",
}
DAY |= {"preclose": "1456.6000", "volume": "3000000", "amount": "4395000000.0000", "tradestatus": "1"}
DAYS = [
    {**DAY, "date": "2025-11-17"},
    {**DAY, "date": "2025-11-18", "volume": "0", "amount": "0.0000", "tradestatus": "0"},
    {**DAY, "date": "2025-11-19"},
]
ENDS = ("103000000", "113000000", "140000000", "150000000")
HOURS = [{**DAY, "date": "2025-11-19", "time": f"20251119{end}"} for end in ENDS]


@dataclass
class ResultSet:
    """As baostock.data.resultset.ResultData."""

    error_code: str = "0"
    error_msg: str = "success"
    fields: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    at: int = 0

    def next(self) -> bool:
        return self.at < len(self.rows)

    def get_row_data(self) -> list[str]:
        self.at += 1
        return self.rows[self.at - 1]


class Client:
    """As the package baostock."""

    def __init__(self, rows: list[dict[str, str]] | None = None, **faults: Any) -> None:
        self.rows = rows if rows is not None else DAYS
        self.faults = faults
        self.asked: list[dict[str, str]] = []
        self.calls: list[str] = []

    def login(self) -> ResultSet:
        self.calls.append("login")
        return self.faults.get("login", ResultSet())

    def logout(self) -> None:
        self.calls.append("logout")

    def query_history_k_data_plus(self, code: str, fields: str, **asked: str) -> ResultSet | None:
        self.calls.append("query")
        self.asked.append({"code": code, "fields": fields, **asked})
        fault = self.faults.get("query")
        if isinstance(fault, Exception):
            raise fault
        if "query" in self.faults:
            return fault
        names = [name for name in fields.split(",") if name not in self.faults.get("lacking", ())]
        rows = [
            [row.get(name, "") for name in names]
            for row in self.rows
            if asked["start_date"] <= row["date"] <= asked["end_date"]
        ]
        return ResultSet(fields=names, rows=rows)


def fetch(
    client: Any,
    symbol: str = "600519.SSE",
    interval: BarInterval = BarInterval.DAILY,
    start: date = date(2025, 11, 17),
    patience: float = 10.0,
) -> BarSeries:
    request = BarRequest(symbol, interval, start, date(2025, 11, 19))
    return BaostockBars(client, patience).fetch(request, NOW, lambda: None)


def absence(client: Any, **asked: Any) -> SourceAbsence:
    with pytest.raises(SourceAbsence) as caught:
        fetch(client, **asked)
    assert caught.value.source == "baostock"
    return caught.value


def test_days_are_unadjusted_and_a_day_of_suspension_is_no_bar() -> None:
    client = Client()
    bars = fetch(client)
    assert [bars.day_of(i).day for i in range(len(bars))] == [17, 19]
    assert (bars.volume[0], bars.turnover[0], bars.pre_close[0]) == (3e6, 4.395e9, 1456.6)
    asked = client.asked[0]
    assert (asked["code"], asked["frequency"], asked["adjustflag"]) == ("sh.600519", "d", "3")
    assert (asked["start_date"], asked["end_date"]) == ("2025-11-17", "2025-11-19")
    documented = (
        "date,code,open,high,low,close,preclose,volume,amount,adjustflag,turn,tradestatus,pctChg,isST"
    )
    assert set(asked["fields"].split(",")) <= set(documented.split(","))
    assert client.calls == ["login", "query", "logout"]


def test_hours_are_named_by_their_end() -> None:
    client = Client(HOURS)
    bars = fetch(client, interval=BarInterval.HOUR)
    assert [f"{bars.end_of(i):%H:%M}" for i in range(4)] == ["10:30", "11:30", "14:00", "15:00"]
    documented = "date,time,code,open,high,low,close,volume,amount,adjustflag"
    assert set(client.asked[0]["fields"].split(",")) <= set(documented.split(","))
    assert client.asked[0]["frequency"] == "60"


def test_an_index_has_no_state_of_trading() -> None:
    client = Client([{**DAY, "date": "2025-11-19", "code": "sh.000300"}])
    bars = fetch(client, "000300.SSE")
    assert "tradestatus" not in client.asked[0]["fields"]
    assert bars.volume.tolist() == [3e6]


def test_no_answer_fills_a_page_of_two_thousand_rows() -> None:
    client = Client()
    fetch(client, start=date(2005, 1, 4))
    days = [
        (date.fromisoformat(a["end_date"]) - date.fromisoformat(a["start_date"])).days for a in client.asked
    ]
    assert len(days) == 5
    assert max(days) * 5 / 7 < 2_000


@pytest.mark.parametrize(
    ("client", "kind"),
    [
        (Client([]), AbsenceKind.NO_ROWS),
        (Client(login=ResultSet("10002007", "网络接收错误。")), AbsenceKind.UNREACHABLE),
        (Client(login=ResultSet("10001011", "黑名单用户")), AbsenceKind.REFUSED),
        (Client(query=ResultSet("10004011", "无效的证券代码")), AbsenceKind.NOT_OFFERED),
        (Client(query=ResultSet("10002003", "网络连接超时")), AbsenceKind.UNREACHABLE),
        (Client(query=ResultSet("10004001", "解析数据错误")), AbsenceKind.BAD_DATA),
        (Client(query=None), AbsenceKind.UNREACHABLE),
        (Client(query=ConnectionError("reset")), AbsenceKind.UNREACHABLE),
        (Client(query=IndexError("list index out of range")), AbsenceKind.UNREACHABLE),
        (Client(lacking=("amount",)), AbsenceKind.BAD_DATA),
    ],
)
def test_whatever_goes_wrong_is_a_typed_absence(client: Client, kind: AbsenceKind) -> None:
    assert absence(client).kind is kind


def test_a_row_that_cannot_be_true_is_refused() -> None:
    for changes in ({"high": "1.0"}, {"close": ""}, {"date": "soon"}, {"volume": "-1"}):
        rows = [{**DAY, "date": "2025-11-19"} | changes]
        client = Client(rows)
        client.rows[0].setdefault("date", "")
        fields = [*DAY, "date"]
        client.faults["query"] = ResultSet(fields=fields, rows=[[rows[0][name] for name in fields]])
        with pytest.raises(BadRow):
            fetch(client)


@pytest.mark.parametrize(
    ("symbol", "interval"),
    [
        ("920002.BSE", BarInterval.DAILY),
        ("IF2512.CFFEX", BarInterval.DAILY),
        ("000300.SSE", BarInterval.HOUR),
        ("600519.SSE", BarInterval.MINUTE),
    ],
)
def test_what_it_does_not_keep_is_not_asked_for(symbol: str, interval: BarInterval) -> None:
    client = Client()
    assert absence(client, symbol=symbol, interval=interval).kind is AbsenceKind.NOT_OFFERED
    assert client.calls == []


def test_without_the_package_the_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vnpy_aiagent.data.sources.baostock_bars.is_installed", lambda: False)
    missing = BaostockBars().missing()
    assert missing is not None
    assert 'pip install "vnpy_aiagent[baostock]"' in str(missing)
