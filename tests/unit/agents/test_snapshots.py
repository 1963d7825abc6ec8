"""What a decision gets to see: facts of symbol, industry and market, the order book of today, indices."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from vnpy_aiagent.agents.analysis import NO_MARKET
from vnpy_aiagent.agents.snapshots import build_snapshot
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.facts import MARKET_SUBJECT, METRICS, ValueFact
from vnpy_aiagent.data.facts_store import FactReader, store_facts
from vnpy_aiagent.domain import MARKET_TZ, Alert, AnalysisRequest, BarInterval, RequestKind, say
from vnpy_aiagent.tools import Toolbox, tools_for
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

from .risk_world import SYMBOL, World

NOW = datetime(2024, 5, 7, 10, 0, tzinfo=MARKET_TZ)
BOOK = {"bid_price_1": 20.0, "bid_volume_1": 900.0, "ask_price_1": 20.01, "ask_volume_1": 300.0}


def value(metric: str, amount: str, subject: str) -> ValueFact:
    known = NOW - timedelta(hours=15)
    return ValueFact(
        vt_symbol=subject,
        source="akshare",
        available_at=known,
        metric=metric,
        period=known.date(),
        value=Decimal(amount),
        unit=METRICS[metric],
    )


def seen(world: World, **parts: Any) -> DecisionSnapshot:
    for name, part in parts.items():
        object.__setattr__(world.house, name, part)
    request = AnalysisRequest(
        id="r1-0000001",
        at=NOW,
        request=RequestKind.OPEN,
        symbol=SYMBOL,
        accounts=("judge",),
        reason=say("x"),
        setup="trend",
        deadline=NOW + timedelta(minutes=5),
    )
    return build_snapshot(world.house, request, NO_MARKET)


@pytest.fixture
def world() -> World:
    return World(NOW)


def test_facts_of_symbol_industry_and_market_are_in_it(world: World, tmp_path: Path) -> None:
    facts = [
        value("sw_industry", "801780", SYMBOL),
        value("industry_pb", "0.6", "801780.SWS"),
        value("advancers", "3000", MARKET_SUBJECT),
    ]
    store_facts(tmp_path / "facts.db", list(enumerate(facts)))
    found = seen(world, facts=FactReader(tmp_path / "facts.db", 7)).facts
    assert (found.values, found.industry, found.market) == tuple((fact,) for fact in facts)


def test_facts_that_cannot_be_read_are_none_and_told(world: World, tmp_path: Path) -> None:
    path = tmp_path / "facts.db"
    path.write_bytes(b"no database" * 100)
    assert seen(world, facts=FactReader(path, 7)).facts.market == ()
    assert "这次决策没有事实" in world.of(Alert)[0].text.render()


def test_the_order_book_of_today_is_in_it_and_its_tool_is_offered(world: World) -> None:
    world.quote(20.0, NOW - timedelta(seconds=3), volume=1_000.0, turnover=20_000.0, **BOOK)
    world.quote(20.0, volume=1_500.0, turnover=30_000.0, **BOOK)
    found = seen(world)
    assert found.book is not None
    assert found.book.window is not None
    assert found.book.window.volume == 500
    assert "get_order_book" in tools_for(found)
    assert '"imbalance_1":0.5' in Toolbox(found, tools_for(found)).call("get_order_book", "{}").result


def test_the_order_book_of_another_day_is_not(world: World) -> None:
    world.quote(20.0, NOW - timedelta(days=1), **BOOK)
    found = seen(world)
    assert (found.quote, found.book) == (None, None)


def test_stored_minutes_give_a_decision_every_timeframe_and_where_there_are_none_it_has_days(
    world: World,
) -> None:
    day = datetime(2024, 5, 6, 9, 30, tzinfo=MARKET_TZ)
    rows = [(day + timedelta(minutes=n), 20.0, 20.0, 20.0, 20.0, 100.0) for n in range(1, 121)]
    held = BarSeries.from_rows(SYMBOL, BarInterval.MINUTE, rows)
    days = [(NOW.date() - timedelta(days=n), 20.0, 20.0, 20.0, 20.0, 100.0) for n in range(60, 0, -1)]
    daily = BarSeries.from_rows(SYMBOL, BarInterval.DAILY, days)

    class Bars:
        def bars(self, vt_symbol: str, interval: BarInterval, count: int) -> BarSeries:
            if interval is BarInterval.DAILY:
                return daily.tail(count)
            return held.tail(count if interval is BarInterval.MINUTE else 0)

    world.house.universe.intervals = (BarInterval.DAILY, BarInterval.HOUR, BarInterval.MINUTE)
    found = seen(world, bars=Bars())
    assert set(found.bars) == {BarInterval.DAILY, BarInterval.MINUTE}
    box = Toolbox(found, tools_for(found))
    sizes = {
        "MINUTE": 30,
        "MINUTE_5": 24,
        "MINUTE_15": 8,
        "MINUTE_30": 4,
        "HOUR": 2,
        "DAILY": 30,
        "WEEKLY": 8,
    }
    for name, size in sizes.items():
        told = box.call("get_bars", json.dumps({"interval": name, "count": size})).result
        assert len(json.loads(told)["rows"]) == size, name


def test_indices_with_bars_are_in_it(world: World) -> None:
    days = [NOW.date() - timedelta(days=80 - i) for i in range(70)]
    rows = [(day, 3000 + i, 3000 + i, 3000 + i, 3000 + i, None) for i, day in enumerate(days)]
    held = BarSeries.from_rows("000300.SSE", BarInterval.DAILY, rows, volume_required=False)
    stock = world.house.bars

    class Bars:
        def bars(self, vt_symbol: str, interval: BarInterval, count: int) -> BarSeries:
            if vt_symbol == SYMBOL:
                return stock.bars(vt_symbol, interval, count)
            return held.tail(count) if vt_symbol == "000300.SSE" else held.tail(0)

    world.house.universe.indices = ("000001.SSE", "000300.SSE")
    (view,) = seen(world, bars=Bars()).indices
    assert (view.vt_symbol, view.points) == ("000300.SSE", 3069.0)
    assert view.available_at == held.end_of(-1)
    assert view.return_5d == pytest.approx(3069 / 3064 - 1, abs=1e-6)
    assert view.drawdown60 == 0.0
