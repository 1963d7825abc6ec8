"""Symbols of the universe without bars: downloaded before the first scan, or named with what to do."""

import importlib.util
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.database import get_database

from vnpy_aiagent.data import backfill
from vnpy_aiagent.data.backfill import Backfill
from vnpy_aiagent.data.live_bars import LiveBars
from vnpy_aiagent.data.market_data import MarketData
from vnpy_aiagent.data.sources.akshare_bars import AkshareBars
from vnpy_aiagent.data.sources.cache import AnswerCache
from vnpy_aiagent.data.sources.download import download
from vnpy_aiagent.data.sources.router import BarRouter
from vnpy_aiagent.data.vnpy_database import load_from_database, release, to_vnpy_bars
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock
from vnpy_aiagent.domain.enums import BarInterval, Severity
from vnpy_aiagent.domain.text import Text
from vnpy_aiagent.market import TradingCalendar

SYMBOLS = ("510300.SSE", "600519.SSE")
CLOCK = VirtualClock(datetime(2025, 11, 20, 20, tzinfo=MARKET_TZ))


class NoNetwork:
    """akshare without a network."""

    def __getattr__(self, _: str) -> Any:
        return self.fail

    def fail(self, **_: str) -> Any:
        raise ConnectionError("no route")


@pytest.fixture
def client(repo_root: Path) -> Any:
    """The stand-in for akshare, not imported under that name."""
    path = repo_root / "tests" / "akshare_standin" / "akshare.py"
    spec = importlib.util.spec_from_file_location("akshare_standin", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _empty_database() -> Iterator[None]:
    yield
    database = get_database()
    for row in database.get_bar_overview():
        database.delete_bar_data(row.symbol, row.exchange, row.interval)
    release(database)


def run(symbols: tuple[str, ...], client: Any, clock: VirtualClock = CLOCK) -> tuple[list[int], list[str]]:
    """How many bars each symbol has afterwards, and what was said."""

    def load() -> MarketData:
        span = (date(2025, 11, 1), date(2025, 12, 31))
        return load_from_database(symbols, *span, BarInterval.DAILY, get_database(), may_lack=True)

    said: list[str] = []

    def tell(severity: Severity, sentence: Text) -> None:
        said.append(f"{severity.name} {sentence}")

    bars = LiveBars(load(), load, clock)
    router = BarRouter([AkshareBars(client)], clock)
    Backfill(bars, clock, TradingCalendar(), tell, router).run(symbols)
    return [len(bars.bars(symbol, BarInterval.DAILY, 100)) for symbol in symbols], said


def test_what_has_no_bars_is_downloaded_and_used_at_once(client: Any) -> None:
    counts, said = run(SYMBOLS, client)
    assert counts == [4, 4]
    assert said == [
        "INFO 正在下载 2 个标的的历史日线：510300.SSE、600519.SSE",
        "INFO 2 个标的的历史日线已下载，下一次扫描起生效",
    ]


def store_first(count: int, client: Any, monkeypatch: pytest.MonkeyPatch, off: float = 0.0) -> None:
    """The first bars of 600519 in the database, moved by `off` CNY; all of them to be downloaded."""
    router = BarRouter([AkshareBars(client)], CLOCK)
    found = download(router, ["600519.SSE"], date(2025, 11, 1), date(2025, 11, 20))
    monkeypatch.setattr(backfill, "download", lambda *_, **__: found)
    bars = list(to_vnpy_bars(found.data.bars("600519.SSE", BarInterval.DAILY)))[:count]
    for bar in bars:
        for name in ("open_price", "high_price", "low_price", "close_price"):
            setattr(bar, name, getattr(bar, name) + off)
    get_database().save_bar_data(bars)


def test_bars_that_end_too_early_are_continued_where_the_last_close_agrees(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_first(2, client, monkeypatch)
    counts, said = run(("600519.SSE",), client)
    assert counts == [4]
    assert said == ["INFO 1 个标的的历史日线已续到最近的交易日"]


def test_adjusted_bars_are_never_continued_with_unadjusted_ones(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_first(2, client, monkeypatch, off=-5.0)
    counts, said = run(("600519.SSE",), client)
    assert counts == [2]
    assert len(said) == 1
    assert "已复权的日线不会自动续接" in said[0]


def test_what_has_bars_is_left_alone_and_named_where_nothing_newer_comes(client: Any) -> None:
    run(SYMBOLS, client)
    later = VirtualClock(datetime(2025, 11, 25, 20, tzinfo=MARKET_TZ))
    counts, said = run(SYMBOLS, client, later)
    assert counts == [4, 4]
    assert len(said) == 1
    assert "WARNING 2 个标的的日线没有更新到 2025-11-25：510300.SSE、600519.SSE" in said[0]
    assert "aiagent data download 510300.SSE" in said[0]


def test_without_akshare_the_way_on_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "akshare", None)
    counts, said = run(("600519.SSE",), None)
    assert counts == [0]
    assert len(said) == 1
    for words in ("没有历史日线", "pip install", "数据管理", "aiagent data download 600519.SSE"):
        assert words in said[0]


def test_a_symbol_that_does_not_exist_does_not_stop_the_others(client: Any) -> None:
    counts, said = run(("605999.SSE", *SYMBOLS), client)
    assert counts == [0, 4, 4]
    assert "WARNING 1 个标的没有历史日线，不会被分析：605999.SSE" in said[-1]


def test_after_a_network_failure_nothing_more_is_asked(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = backfill.download

    def counted(router: BarRouter, symbols: list[str], *args: Any) -> Any:
        asked.extend(symbols)
        return real(router, symbols, *args)

    monkeypatch.setattr(backfill, "download", counted)
    counts, said = run(("600000.SSE", "600519.SSE"), client)
    assert (counts, asked) == ([0, 0], ["600000.SSE"])
    assert "检查网络或代理" in said[-1]


def test_indices_are_seen_to_without_being_named_as_old(client: Any) -> None:
    symbols = ("600519.SSE", "000300.SSE")

    def load() -> MarketData:
        span = (date(2025, 11, 1), date(2025, 12, 31))
        return load_from_database(symbols, *span, BarInterval.DAILY, get_database(), may_lack=True)

    said: list[str] = []
    bars = LiveBars(load(), load, CLOCK)
    tell: Any = lambda severity, sentence: said.append(f"{severity.name} {sentence}")  # noqa: E731
    router = BarRouter([AkshareBars(client)], CLOCK)
    backfill = Backfill(bars, CLOCK, TradingCalendar(), tell, router)
    backfill.run(["600519.SSE"], ["000300.SSE"])
    assert [len(bars.bars(symbol, BarInterval.DAILY, 100)) for symbol in symbols] == [4, 4]
    assert "INFO 正在下载 1 个标的的历史日线：000300.SSE" in said
    said.clear()
    backfill.run(["600519.SSE"], ["000300.SSE"])
    assert said == []


def test_an_old_answer_that_stands_in_is_told_once(client: Any, tmp_path: Path) -> None:
    clock = VirtualClock(datetime(2025, 11, 20, 20, tzinfo=MARKET_TZ))
    router = BarRouter([AkshareBars(client)], clock, cache=AnswerCache(tmp_path / "sources.db"))
    span = (date(2022, 11, 1), date(2025, 11, 20))
    for symbol in SYMBOLS:
        download(router, [symbol], *span)
    offline = BarRouter(
        [AkshareBars(NoNetwork())], clock, cache=AnswerCache(tmp_path / "sources.db"), cache_days=-1
    )
    said: list[str] = []
    empty = LiveBars(MarketData("", {}, {}), lambda: MarketData("", {}, {}), clock)
    backfill = Backfill(empty, clock, TradingCalendar(), lambda _, text: said.append(str(text)), offline)
    backfill._download(SYMBOLS)
    assert sum("现在没有数据来源应答" in line for line in said) == 1
