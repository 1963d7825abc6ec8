"""The datafeed that vnpy's download buttons use: what it answers, and what it says where it has nothing."""

import sys
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pytest
from vnpy.trader.constant import Exchange, Interval
from vnpy.trader.object import BarData, HistoryRequest

import vnpy_aiagent
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.datafeed import Datafeed
from vnpy_aiagent.data.sources.akshare_bars import AkshareBars
from vnpy_aiagent.data.sources.port import BarRequest, complete_series
from vnpy_aiagent.data.sources.router import BarRouter
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock

NOW = datetime(2025, 11, 19, 16, tzinfo=MARKET_TZ)
VALUES = {"开盘": 10.0, "收盘": 10.5, "最高": 11.0, "最低": 9.0, "成交量": 5, "成交额": 5100.0}


class Client:
    """akshare's functions with its documented columns."""

    def __init__(self) -> None:
        self.days = [date(2025, 11, 17), date(2025, 11, 18), date(2025, 11, 19)]
        self.fault: Exception | None = None

    def stock_zh_a_hist(self, **_: str) -> pd.DataFrame:
        if self.fault is not None:
            raise self.fault
        return pd.DataFrame([{"日期": day, **VALUES} for day in self.days])

    def stock_zh_a_hist_min_em(self, *, period: str, **_: str) -> pd.DataFrame:
        ends = {"60": ("10:30", "11:30", "14:00", "15:00"), "1": ("09:31", "09:32")}[period]
        return pd.DataFrame([{"时间": f"2025-11-19 {end}:00", **VALUES} for end in ends])


@pytest.fixture
def client() -> Client:
    return Client()


def ask(
    client: Any,
    interval: Interval = Interval.DAILY,
    symbol: str = "600519",
    exchange: Exchange = Exchange.SSE,
    start: datetime = datetime(2025, 11, 17, tzinfo=MARKET_TZ),
    end: datetime | None = None,
) -> tuple[list[BarData], str]:
    """The bars, and all that was said."""
    said: list[str] = []
    request = HistoryRequest(symbol, exchange, start, end, interval)
    feed = Datafeed(client=client, clock=VirtualClock(NOW))
    return feed.query_bar_history(request, said.append), "\n".join(said)


def test_vnpy_finds_the_datafeed_by_the_name_of_the_package() -> None:
    assert vnpy_aiagent.Datafeed is Datafeed


def test_a_daily_bar_is_dated_at_midnight_in_shares_and_yuan(client: Client) -> None:
    bars, said = ask(client)
    assert [bar.datetime for bar in bars] == [datetime(2025, 11, d, tzinfo=MARKET_TZ) for d in (17, 18, 19)]
    assert (bars[0].volume, bars[0].turnover, bars[0].close_price) == (500.0, 5100.0, 10.5)
    assert (bars[0].gateway_name, bars[0].interval, bars[0].vt_symbol) == (
        "AIAGENT",
        Interval.DAILY,
        "600519.SSE",
    )
    assert "得到 600519.SSE 日线 3 根，2025-11-17 至 2025-11-19" in said


@pytest.mark.parametrize(
    ("interval", "starts"),
    [(Interval.HOUR, ["09:30", "10:30", "13:00", "14:00"]), (Interval.MINUTE, ["09:30", "09:31"])],
)
def test_other_bars_are_dated_at_their_start(client: Client, interval: Interval, starts: list[str]) -> None:
    bars, _ = ask(client, interval)
    assert [f"{bar.datetime:%H:%M}" for bar in bars] == starts


def test_only_what_was_asked_for_comes_whatever_the_zone_of_the_question(client: Client) -> None:
    late = datetime(2025, 11, 18, 7, tzinfo=UTC)  # 15:00 in Shanghai
    assert [bar.datetime.day for bar in ask(client, start=late, end=NOW)[0]] == [18, 19]
    naive = datetime(2025, 11, 17)  # noqa: DTZ001 - the host's own windows may ask so
    assert [bar.datetime.day for bar in ask(client, start=naive, end=late)[0]] == [17, 18]
    morning = datetime(2025, 11, 19, 10, tzinfo=MARKET_TZ)
    assert [bar.datetime.hour for bar in ask(client, Interval.HOUR, start=morning)[0]] == [10, 13, 14]


def test_todays_bar_comes_only_after_the_close(client: Client) -> None:
    feed = Datafeed(client=client, clock=VirtualClock(NOW.replace(hour=14)))
    request = HistoryRequest("600519", Exchange.SSE, NOW.replace(day=17), NOW, Interval.DAILY)
    assert [bar.datetime.day for bar in feed.query_bar_history(request, lambda _: None)] == [17, 18]


def test_the_short_reach_of_minutes_is_told(client: Client) -> None:
    _, said = ask(client, Interval.MINUTE, start=datetime(2025, 1, 1, tzinfo=MARKET_TZ))
    assert "分钟线只有最近 5 个交易日" in said


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (ConnectionError("proxy refused"), "下载失败：akshare (Eastmoney) 没有给出 600519.SSE 的数据"),
        (TypeError("'NoneType' object is not subscriptable"), "没有 600519.SSE 的日线；请检查代码和日期"),
        (KeyError("开盘"), "请检查网络或代理"),
    ],
)
def test_what_goes_wrong_is_told_in_chinese_and_nothing_is_raised(
    client: Client, fault: Exception, said: str
) -> None:
    client.fault = fault
    bars, told = ask(client)
    assert bars == []
    assert said in told


def test_an_impossible_row_is_refused_and_told(client: Client) -> None:
    client.days = [date(2025, 11, 18), date(2025, 11, 17)]
    bars, said = ask(client)
    assert bars == []
    assert "600519.SSE 日线 的数据有误" in said


def test_intervals_and_exchanges_that_are_not_offered_are_told(client: Client) -> None:
    assert ask(client, Interval.WEEKLY) == ([], "AI 智能体数据服务只提供日线、小时线和分钟线，请改选周期。")
    bars, said = ask(client, symbol="IF2512", exchange=Exchange.CFFEX)
    assert bars == []
    assert "不提供 IF2512.CFFEX 的日线" in said


def test_ticks_are_not_offered(client: Client) -> None:
    said: list[str] = []
    request = HistoryRequest("600519", Exchange.SSE, NOW, NOW, Interval.TICK)
    assert Datafeed(client=client).query_tick_history(request, said.append) == []
    assert "没有历史 Tick 数据" in said[0]


def test_a_missing_akshare_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "akshare", None)
    said: list[str] = []
    assert Datafeed().init(said.append) is False
    assert ask(None) == ([], said[0])
    assert 'pip install "vnpy_aiagent[akshare]"' in said[0]


def test_the_next_source_stands_in_and_is_named() -> None:
    class Other:
        name, is_kept = "other", False

        def missing(self) -> None:
            return None

        def fetch(self, request: BarRequest, now: datetime, turn: Any) -> BarSeries:
            rows = [(date(2025, 11, 18), 10.0, 11.0, 9.0, 10.5, 100.0, None)]
            return complete_series(rows, request, now, "other", "other")

    client = Client()
    client.fault = ConnectionError("proxy refused")
    router = BarRouter([AkshareBars(client), Other()], VirtualClock(NOW))
    said: list[str] = []
    feed = Datafeed(clock=VirtualClock(NOW), router=router)
    request = HistoryRequest("600519", Exchange.SSE, NOW.replace(day=17), NOW, Interval.DAILY)
    assert [bar.close_price for bar in feed.query_bar_history(request, said.append)] == [10.5]
    assert "来自 other" in said[-1]


def test_settings_that_cannot_be_read_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIAGENT_DATA__ORDER", '["sina"]')
    said: list[str] = []
    assert Datafeed().init(said.append) is False
    assert "data.order" in said[0]
