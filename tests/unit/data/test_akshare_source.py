"""Downloads through akshare, with tables of the shape that it returns."""

import sys
from datetime import date, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pandas as pd
import pytest

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.market_data import MarketData
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence, SourceError
from vnpy_aiagent.data.sources.akshare_bars import PATIENCE, AkshareBars
from vnpy_aiagent.data.sources.download import download as download_all
from vnpy_aiagent.data.sources.port import BarRequest, NoSource
from vnpy_aiagent.data.sources.router import BarRouter
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import BadRow, DataError

START, END = date(2025, 11, 17), date(2025, 11, 19)


def daily_frame(**changes: Any) -> pd.DataFrame:
    """Three real days of 600519, volume in hands."""
    columns: dict[str, Any] = {
        "日期": [date(2025, 11, 17), date(2025, 11, 18), date(2025, 11, 19)],
        "股票代码": ["600519"] * 3,
        "开盘": [1454.0, 1468.0, 1474.0],
        "收盘": [1471.0, 1476.0, 1471.01],
        "最高": [1480.0, 1486.0, 1479.53],
        "最低": [1450.0, 1460.0, 1469.96],
        "成交量": [30_000, 31_000, 22_045],
        "成交额": [30_000 * 146_500.0, 31_000 * 147_300.0, 3_249_449_000.0],
        "涨跌额": [14.4, 5.0, -4.99],
    }
    return pd.DataFrame({**columns, **changes})


class Client:
    """The functions of akshare that are used, with their arguments kept."""

    def __init__(self, frame: pd.DataFrame | None) -> None:
        self.frame = frame
        self.calls: list[tuple[str, dict[str, str]]] = []

    def stock_zh_a_hist(self, **kwargs: str) -> pd.DataFrame | None:
        self.calls.append(("stock_zh_a_hist", kwargs))
        return self.frame

    def fund_etf_hist_em(self, **kwargs: str) -> pd.DataFrame | None:
        self.calls.append(("fund_etf_hist_em", kwargs))
        return self.frame

    def stock_zh_a_hist_min_em(self, **kwargs: str) -> pd.DataFrame:
        self.calls.append(("stock_zh_a_hist_min_em", kwargs))
        values = {"开盘": 10.0, "收盘": 10.0, "最高": 11.0, "最低": 9.0, "成交量": 5, "成交额": 5000.0}
        ends = ["2025-11-19 10:30:00", "2025-11-19 11:30:00", "2025-11-19 14:00:00", "2025-11-19 15:00:00"]
        return pd.DataFrame([{"时间": end, **values} for end in ends])


CLOCK = VirtualClock(datetime(2025, 11, 19, 16, tzinfo=MARKET_TZ))


def clock(hour: int = 16) -> VirtualClock:
    return VirtualClock(datetime(2025, 11, 19, hour, tzinfo=MARKET_TZ))


def download(
    symbols: list[str],
    start: date,
    end: date,
    frequency: BarInterval = BarInterval.DAILY,
    *,
    client: Any = None,
    clock: VirtualClock | None = None,
    progress: Any = None,
) -> MarketData:
    """Through a router whose only source is akshare."""
    router = BarRouter([AkshareBars(client)], clock or CLOCK)
    return download_all(router, symbols, start, end, frequency, progress=progress).data


def fetch_bars(
    symbol: str,
    start: date,
    end: date,
    interval: BarInterval,
    *,
    client: Any,
    clock: VirtualClock,
    patience: float = PATIENCE,
) -> BarSeries:
    """From akshare itself."""
    request = BarRequest(symbol, interval, start, end)
    return AkshareBars(client, patience).fetch(request, clock.now(), lambda: None)


def test_hands_become_shares_and_prices_are_not_adjusted() -> None:
    client, seen = Client(daily_frame()), []
    data = download(
        ["600519"], START, END, client=client, clock=clock(), progress=lambda done, n: seen.append((done, n))
    )
    bars = data.bars("600519.SSE", BarInterval.DAILY)
    assert bars.volume.tolist() == [3_000_000.0, 3_100_000.0, 2_204_500.0]
    assert (bars.open[0], bars.close[2]) == (1454.0, 1471.01)
    assert bars.records()[0]["pre_close"] is None
    assert seen == [(1, 1)]
    arguments = {
        "symbol": "600519",
        "period": "daily",
        "start_date": "20251117",
        "end_date": "20251119",
        "adjust": "",
    }
    assert client.calls == [("stock_zh_a_hist", arguments)]


def test_funds_are_asked_for_as_funds() -> None:
    client = Client(daily_frame())
    download(["510300"], START, END, client=client, clock=clock())
    assert [name for name, _ in client.calls] == ["fund_etf_hist_em"]


def test_hours_come_with_days() -> None:
    client = Client(daily_frame())
    data = download(["600519"], START, END, BarInterval.HOUR, client=client, clock=clock())
    hours = data.bars("600519.SSE", BarInterval.HOUR)
    assert hours.volume.tolist() == [500.0] * 4
    assert hours.start_of(0) == datetime(2025, 11, 19, 9, 30, tzinfo=MARKET_TZ)
    assert client.calls[1][1]["period"] == "60"


def test_todays_unfinished_bar_is_left_out() -> None:
    frame = daily_frame(成交量=[30_000, 31_000, None])
    data = download(["600519"], START, END, client=Client(frame), clock=clock(hour=14))
    assert data.span() == (START, date(2025, 11, 18))


def test_volumes_already_in_shares_stay() -> None:
    frame = daily_frame(成交量=[3_000_000, 3_100_000, 2_204_500])
    data = download(["600519"], START, END, client=Client(frame), clock=clock())
    assert data.bars("600519.SSE", BarInterval.DAILY).volume[0] == 3_000_000


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (None, "has no daily bars of 600519.SSE"),
        (pd.DataFrame(), "has no daily bars of 600519.SSE"),
        (daily_frame().drop(columns=["成交额", "开盘"]), "sent no column 开盘, 成交额"),
        (daily_frame(日期=["soon"] * 3), "'soon' is not a time"),
        (daily_frame(成交量=[1, 2, 3]), "do not fit its prices"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(frame: pd.DataFrame | None, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        download(["600519"], START, END, client=Client(frame), clock=clock())


def test_an_impossible_row_is_named() -> None:
    frame = daily_frame(最高=[1480.0, 1.0, 1479.53])
    problem = r"600519.SSE DAILY, line 2: high 1.0 is below low"
    with pytest.raises(BadRow, match=problem):
        fetch_bars("600519.SSE", START, END, BarInterval.DAILY, client=Client(frame), clock=clock())
    with pytest.raises(NoSource, match=problem) as caught:
        download(["600519"], START, END, client=Client(frame), clock=clock())
    assert caught.value.absences[0].kind is AbsenceKind.BAD_DATA


def test_a_failing_network_names_the_source_and_keeps_the_cause() -> None:
    class Offline:
        def stock_zh_a_hist(self, **_: str) -> pd.DataFrame:
            raise ConnectionError("proxy refused")

    with pytest.raises(DataError, match=r"akshare.*600519.SSE.*proxy refused.*check the network") as caught:
        download(["600519"], START, END, client=Offline(), clock=clock())
    assert isinstance(caught.value.__cause__, SourceAbsence)
    assert caught.value.__cause__.kind is AbsenceKind.UNREACHABLE
    assert isinstance(caught.value.__cause__.__cause__, ConnectionError)


def test_a_long_address_does_not_hide_what_to_do() -> None:
    class Offline:
        def stock_zh_a_hist(self, **_: str) -> pd.DataFrame:
            raise ConnectionError(f"host quotes.example: no answer from url: /api/{'x' * 500}")

    with pytest.raises(DataError, match=r"host quotes.example.*….*check the network") as caught:
        download(["600519"], START, END, client=Offline(), clock=clock())
    assert len(str(caught.value)) < 300


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "akshare", None)
    with pytest.raises(DataError, match=r'pip install "vnpy_aiagent\[akshare\]"'):
        download(["600519"], START, END)


def test_bad_requests_are_refused_before_any_call() -> None:
    client = Client(daily_frame())
    with pytest.raises(DataError, match="no symbols"):
        download([], START, END, client=client, clock=clock())
    with pytest.raises(DataError, match="swap them"):
        download(["600519"], END, START, client=client, clock=clock())
    with pytest.raises(DataError, match="not MINUTE"):
        download(["600519"], START, END, BarInterval.MINUTE, client=client, clock=clock())
    with pytest.raises(DataError, match=r"keeps no daily bars of IF2101.CFFEX"):
        download(["IF2101.CFFEX"], START, END, client=client, clock=clock())
    assert client.calls == []


def index_frame() -> pd.DataFrame:
    """As stock_zh_index_daily_em names its columns; volume in hands, turnover unrelated to the points."""
    columns = {"date": ["2025-11-18", "2025-11-19"], "open": [4580.0, 4569.0], "close": [4568.0, 4588.0]}
    amounts = {"high": [4601.0, 4600.0], "low": [4560.0, 4561.0], "volume": [180_000, 170_000]}
    return pd.DataFrame({**columns, **amounts, "amount": [4.1e11, 3.9e11]})


@pytest.mark.parametrize(
    ("symbol", "asked"), [("000300.SSE", "sh000300"), ("399006.SZSE", "sz399006"), ("899050.BSE", "bj899050")]
)
def test_an_index_is_asked_for_as_an_index_in_points_and_shares(symbol: str, asked: str) -> None:
    calls: list[dict[str, str]] = []

    class Indices:
        def stock_zh_index_daily_em(self, **kwargs: str) -> pd.DataFrame:
            calls.append(kwargs)
            return index_frame()

    bars = fetch_bars(symbol, START, END, BarInterval.DAILY, client=Indices(), clock=clock())
    assert calls == [{"symbol": asked, "start_date": "20251117", "end_date": "20251119"}]
    assert (bars.close.tolist(), bars.volume.tolist()) == ([4568.0, 4588.0], [18_000_000.0, 17_000_000.0])


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("600519.SSE", "stock_zh_a_hist_min_em"),
        ("510300.SSE", "fund_etf_hist_min_em"),
        ("000300.SSE", "index_zh_a_hist_min_em"),
    ],
)
def test_minutes_are_named_by_their_end_and_one_without_an_open_is_left_out(symbol: str, name: str) -> None:
    calls: list[dict[str, str]] = []

    def minutes(**kwargs: str) -> pd.DataFrame:
        calls.append(kwargs)
        values = {"收盘": 10.0, "最高": 11.0, "最低": 9.0, "成交量": 5, "成交额": 5000.0}
        opens = {"2025-11-19 09:31:00": 0.0, "2025-11-19 09:32:00": 10.0, "2025-11-19 15:00:00": 10.0}
        return pd.DataFrame([{"时间": end, "开盘": price, **values} for end, price in opens.items()])

    client = type("Minutes", (), {name: staticmethod(minutes)})()
    bars = fetch_bars(symbol, END, END, BarInterval.MINUTE, client=client, clock=clock())
    assert [f"{bars.start_of(i):%H:%M}" for i in range(len(bars))] == ["09:31", "14:59"]
    assert calls[0]["period"] == "1"


def test_an_unknown_symbol_is_told_from_a_failing_network() -> None:
    class Unknown:
        def stock_zh_a_hist_min_em(self, **_: str) -> pd.DataFrame:
            answer: Any = {"data": None}
            return pd.DataFrame(answer["data"]["klines"])

    with pytest.raises(SourceError, match="check the symbol and the dates") as caught:
        fetch_bars("605999.SSE", START, END, BarInterval.HOUR, client=Unknown(), clock=clock())
    assert str(caught.value.text).endswith("没有 605999.SSE 的小时线；请检查代码和日期")


def test_an_akshare_without_the_function_or_that_cannot_be_loaded_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SourceAbsence, match="AttributeError") as caught:
        fetch_bars("600519.SSE", START, END, BarInterval.DAILY, client=object(), clock=clock())
    assert caught.value.kind is AbsenceKind.DISCONTINUED
    (tmp_path / "akshare.py").write_text("raise OSError('a library is missing')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SourceError, match=r"cannot be loaded \(OSError: a library is missing\)"):
        download(["600519"], START, END)


def test_a_source_that_never_answers_is_given_up() -> None:
    answered = Event()

    class Silent:
        def stock_zh_a_hist(self, **_: str) -> pd.DataFrame:
            answered.wait(60)
            return daily_frame()

    with pytest.raises(SourceError, match=r"TimeoutError: no answer in 0.05 s"):
        fetch_bars("600519.SSE", START, END, BarInterval.DAILY, client=Silent(), clock=clock(), patience=0.05)
    answered.set()
