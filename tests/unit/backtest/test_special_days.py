"""Days without the usual limits, or without trading, in the A-share engine."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from vnpy.trader.constant import Interval

from vnpy_aiagent.backtest import AShareBacktestingEngine
from vnpy_aiagent.backtest.session import Instrument

from .engine_helpers import bar, fills_of, flat, minutes, play

DAYS = ("2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09")
RISING = [round(10 * 1.3**n, 2) for n in range(6)]


def at_one_price(symbol: str, days: tuple[str, ...], prices: list[float]) -> list[Any]:
    return [
        bar(day, price, price, price, price, vt_symbol=symbol)
        for day, price in zip(days, prices, strict=True)
    ]


def engine_of(**facts: Any) -> AShareBacktestingEngine:
    return AShareBacktestingEngine(instrument=Instrument(**facts))


@pytest.mark.parametrize("symbol", ["688981.SSE", "301001.SZSE", "603999.SSE"])
def test_the_first_five_days_of_a_new_share_have_no_limit_and_the_sixth_has(symbol: str) -> None:
    bars = at_one_price(symbol, DAYS, [*RISING[:5], RISING[4]])
    script = {n: (lambda s, price=RISING[n + 1]: s.buy(price, 200)) for n in range(5)}
    engine = play(bars, script, engine=engine_of(listed=date(2024, 1, 2)), vt_symbol=symbol)
    assert [price for _, price, _ in fills_of(engine)] == RISING[1:5]
    assert dict(engine.rejected) == {"price_limit": 1}


def test_without_a_listing_day_the_same_rise_is_refused() -> None:
    bars = at_one_price("603999.SSE", DAYS[:2], [10, 10])
    engine = play(bars, {0: lambda s: s.buy(13, 200)}, vt_symbol="603999.SSE")
    assert dict(engine.rejected) == {"price_limit": 1}


def minutes_at(symbol: str, day: str, price: float) -> list[Any]:
    """The first two minutes of a day: an order is sent in the first and arrives in the second."""
    return [bar(when, price, price, price, price, vt_symbol=symbol) for when in minutes(day, 2)]


@pytest.mark.parametrize(("limit", "taken"), [(14.40, True), (14.41, False)])
def test_a_main_board_share_of_before_2023_rises_44_percent_from_its_issue_price(
    limit: float, taken: bool
) -> None:
    first = date(2023, 4, 7)
    engine = engine_of(listed=first, issue_price=Decimal(10))
    bars = minutes_at("603999.SSE", "2023-04-07", 14.2)
    script = {0: lambda s: s.buy(limit, 200)}
    play(bars, script, engine=engine, vt_symbol="603999.SSE", interval=Interval.MINUTE)
    assert fills_of(engine) == ([("LONG", 14.2, 200)] if taken else [])
    assert dict(engine.rejected) == ({} if taken else {"price_limit": 1})


def test_a_backtest_may_begin_before_the_listing_day() -> None:
    listed = date(2024, 1, 8)
    bars = at_one_price("603999.SSE", DAYS[4:], [10, 13])
    engine = play(
        bars, {0: lambda s: s.buy(13, 200)}, engine=engine_of(listed=listed), vt_symbol="603999.SSE"
    )
    assert fills_of(engine) == [("LONG", 13, 200)]


def test_the_first_day_of_a_delisting_period_has_no_limit_and_the_second_has() -> None:
    bars = at_one_price("600999.SSE", DAYS[:4], [10, 10, 4, 4])
    script = {n: (lambda s, price=price: s.buy(price, 200)) for n, price in ((0, 4), (1, 4), (2, 4.5))}
    engine = play(bars, script, engine=engine_of(delisting=date(2024, 1, 4)), vt_symbol="600999.SSE")
    assert fills_of(engine) == [("LONG", 4, 200)]
    assert dict(engine.rejected) == {"price_limit": 2}
    assert not any("数据有误" in line for line in engine.logs)


def test_the_first_day_at_bse_has_no_limit_and_the_second_has_30_percent() -> None:
    bars = minutes_at("920799.BSE", DAYS[0], 35) + minutes_at("920799.BSE", DAYS[1], 45.5)
    engine = engine_of(listed=date(2024, 1, 2), issue_price=Decimal(10))
    script = {0: lambda s: s.buy(35, 200), 1: lambda s: s.buy(45.51, 200)}
    play(bars, script, engine=engine, vt_symbol="920799.BSE", interval=Interval.MINUTE)
    assert fills_of(engine) == [("LONG", 35, 200)]
    assert dict(engine.rejected) == {"price_limit": 1}


def test_a_day_without_volume_fills_nothing_and_refuses_orders() -> None:
    bars = [*flat(DAYS[0]), *flat(DAYS[1], volume=0), *flat(DAYS[2])]
    script = {0: lambda s: s.buy(10.5, 200), 1: lambda s: s.buy(10.5, 300)}
    engine = play(bars, script)
    assert fills_of(engine) == [("LONG", 10, 300)]
    assert dict(engine.rejected) == {"suspended": 1}
    assert any("停牌或当日没有成交" in line for line in engine.logs)


def test_a_stop_order_waits_while_its_share_is_suspended() -> None:
    bars = [*flat(DAYS[0]), *flat(DAYS[1]), *flat(DAYS[2], price=9.5, volume=0), *flat(DAYS[3], price=9.5)]
    script = {0: lambda s: s.buy(10.5, 200), 1: lambda s: s.sell(9.8, 200, stop=True)}
    engine = play(bars, script)
    assert [(t.direction.name, t.datetime.date()) for t in engine.trades.values()] == [
        ("LONG", date(2024, 1, 3)),
        ("SHORT", date(2024, 1, 5)),
    ]
    assert dict(engine.rejected) == {}


def test_an_hour_without_volume_is_no_suspension() -> None:
    bars = [*flat("2024-01-02 09:30"), *flat("2024-01-02 10:30", volume=0), *flat("2024-01-02 13:00")]
    engine = play(bars, {0: lambda s: s.buy(10.1, 200)}, interval=Interval.HOUR)
    assert dict(engine.rejected) == {}
    assert fills_of(engine) == [("LONG", 10, 200)]
