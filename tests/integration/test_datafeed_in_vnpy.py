"""The download buttons of VeighNa's own apps fill vnpy's database through datafeed.name = "aiagent"."""

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from threading import Event

import pytest
from vnpy.event import EventEngine
from vnpy.trader import datafeed
from vnpy.trader.constant import Exchange, Interval
from vnpy.trader.database import get_database
from vnpy.trader.engine import MainEngine
from vnpy.trader.setting import SETTINGS
from vnpy_ctabacktester import CtaBacktesterApp
from vnpy_datamanager import DataManagerApp

from vnpy_aiagent.data.vnpy_database import release
from vnpy_aiagent.domain.clock import MARKET_TZ

START, END = datetime(2025, 11, 18, tzinfo=MARKET_TZ), datetime(2025, 11, 19, 23, tzinfo=MARKET_TZ)


@pytest.fixture
def main_engine(monkeypatch: pytest.MonkeyPatch, repo_root: Path) -> Iterator[MainEngine]:
    """The host with both apps, its datafeed chosen by name, akshare's stand-in on the path."""
    monkeypatch.syspath_prepend(repo_root / "tests" / "akshare_standin")
    monkeypatch.delitem(sys.modules, "akshare", raising=False)
    monkeypatch.setitem(SETTINGS, "datafeed.name", "aiagent")
    monkeypatch.setattr(datafeed, "datafeed", None)
    engine = MainEngine(EventEngine())
    engine.add_app(CtaBacktesterApp)
    engine.add_app(DataManagerApp)
    yield engine
    engine.close()
    sys.modules.pop("akshare", None)
    release(get_database())


def stored(symbol: str, interval: Interval = Interval.DAILY) -> list[float]:
    """Closing prices in the database, which is then emptied of them."""
    database = get_database()
    bars = database.load_bar_data(symbol, Exchange.SSE, interval, START.replace(day=1), END.replace(day=30))
    database.delete_bar_data(symbol, Exchange.SSE, interval)
    return [bar.close_price for bar in bars]


def test_the_backtester_downloads_days_of_a_share(main_engine: MainEngine) -> None:
    tester = main_engine.get_engine("CtaBacktester")
    tester.init_engine()
    tester.run_downloading("600519.SSE", "d", START, END)
    assert stored("600519") == [10.0, 10.01]


def test_the_backtester_tells_what_went_wrong(
    main_engine: MainEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tester, said = main_engine.get_engine("CtaBacktester"), []
    monkeypatch.setattr(tester, "write_log", said.append)
    for symbol, interval in (("600000.SSE", "d"), ("605999.SSE", "1h"), ("600519.SSE", "w")):
        tester.run_downloading(symbol, interval, START, END)
    tester.run_downloading("600519.SSE", "tick", START, END)
    told = "\n".join(said)
    assert "没有给出 600000.SSE 的数据（ConnectionError: no route to push2his.eastmoney.com）" in told
    assert "没有 605999.SSE 的小时线；请检查代码和日期" in told
    assert "只提供日线、小时线和分钟线" in told
    assert "没有历史 Tick 数据" in told
    assert "Traceback" not in told


def test_the_data_manager_downloads_hours_of_a_fund_and_days_of_an_index(main_engine: MainEngine) -> None:
    manager, said = main_engine.get_engine("DataManager"), []
    count = manager.download_bar_data("510300", Exchange.SSE, "1h", START, said.append)
    assert count == 12
    overview = [row for row in manager.get_bar_overview() if row.symbol == "510300"]
    assert [(row.count, row.start.hour, row.start.minute) for row in overview] == [(12, 9, 30)]
    assert len(stored("510300", Interval.HOUR)) == 12
    assert manager.download_bar_data("000300", Exchange.SSE, "d", START, said.append) == 3
    assert stored("000300")[0] == pytest.approx(4004.0)
    assert any("得到 000300.SSE 日线 3 根" in line for line in said)


def test_the_backtesters_button_runs_in_its_own_thread(
    main_engine: MainEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tester = main_engine.get_engine("CtaBacktester")
    real, ended = tester.run_downloading, Event()

    def run(*arguments: object) -> None:
        real(*arguments)
        release(get_database())  # vnpy leaves its thread's connection to the collector
        ended.set()

    monkeypatch.setattr(tester, "run_downloading", run)
    assert tester.start_downloading("600036.SSE", "1m", START, END)
    assert ended.wait(30)
    assert len(stored("600036", Interval.MINUTE)) == 6
