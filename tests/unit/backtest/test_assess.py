"""A run of the CTA engine judged as a whole, on real bars of 600036.SSE."""

import json
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from vnpy.trader.constant import Direction

from vnpy_aiagent.backtest.assess import assess, facts
from vnpy_aiagent.backtest.metrics import Trading
from vnpy_aiagent.backtest.run_curve import assess_engine, curve_of_engine, profits_of
from vnpy_aiagent.market import CorporateAction


def trade(direction: Direction, volume: float, price: float) -> SimpleNamespace:
    return SimpleNamespace(direction=direction, volume=volume, price=price)


def day_of(
    close: float, net_pnl: float = 0.0, end_pos: float = 0.0, turnover: float = 0.0
) -> SimpleNamespace:
    return SimpleNamespace(
        close_price=close, net_pnl=net_pnl, end_pos=end_pos, turnover=turnover, commission=turnover * 0.001
    )


def engine(results: list[SimpleNamespace], actions: tuple[CorporateAction, ...] = ()) -> SimpleNamespace:
    days = [date(2024, 1, 1 + n) for n in range(len(results))]
    return SimpleNamespace(
        capital=1000,
        size=1,
        daily_results=dict(zip(days, results, strict=True)),
        get_all_trades=list,
        corporate_actions=actions,
    )


def test_profits_of_sales_are_first_in_first_out_and_net_of_costs():
    trades = [
        trade(Direction.LONG, 100, 10.0),
        trade(Direction.LONG, 100, 12.0),
        trade(Direction.SHORT, 150, 14.0),
        trade(Direction.SHORT, 60, 11.0),  # ten of them came with an ex-day
    ]
    assert profits_of(trades, 1.0, 0.0) == pytest.approx([400 + 100, 660 - 600])
    assert profits_of(trades[:3], 1.0, 0.01) == pytest.approx([2100 * 0.99 - 1600 * 1.01])


def test_the_curve_of_an_engine_begins_with_its_capital():
    days, values = curve_of_engine(engine([day_of(10.0, 5.0), day_of(11.0, -2.0)]))  # type: ignore[arg-type]
    assert days == [date(2024, 1, 1), date(2024, 1, 2)]
    assert values == [1000.0, 1005.0, 1003.0]


def test_an_ex_day_is_no_fall_of_the_symbol_that_a_run_is_measured_against():
    action = CorporateAction(vt_symbol="600036.SSE", ex_date=date(2024, 1, 11), bonus=Decimal(1))
    closes = [10.0 + 0.1 * (n % 3) for n in range(10)] + [5.0 + 0.05 * (n % 3) for n in range(15)]
    held = [day_of(close, end_pos=0.0) for close in closes]
    with_it, without = (
        assess_engine(engine(held, actions))  # type: ignore[arg-type]
        for actions in ((action,), ())
    )
    assert with_it is not None
    assert without is not None
    assert with_it.figures.beta == without.figures.beta == pytest.approx(0.0)
    moving = [
        day_of(c, net_pnl=(c - b) * 10, end_pos=10) for b, c in zip([10.0, *closes], closes, strict=False)
    ]
    doubled = [
        SimpleNamespace(**{**vars(each), "net_pnl": each.net_pnl if n < 10 else each.net_pnl * 2})
        for n, each in enumerate(moving)
    ]
    doubled[10].net_pnl = (5.0 * 2 - closes[9]) * 10
    followed = assess_engine(engine(doubled, (action,)))  # type: ignore[arg-type]
    assert followed is not None
    assert followed.figures.beta == pytest.approx(0.1, rel=0.1)  # a tenth of the money is in the symbol


def test_a_run_without_days_or_with_a_total_loss_is_not_judged():
    assert assess_engine(engine([])) is None  # type: ignore[arg-type]
    assert assess_engine(engine([day_of(10.0, -1000.0)])) is None  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one"):
        assess_engine(engine([day_of(10.0)]), trials=0)  # type: ignore[arg-type]


def test_facts_are_json_without_infinities_whatever_the_curve():
    days = [date(2023, 1, 2 + n) for n in range(25)]
    for curve in ([100.0] * 26, [100.0 * 0.9**n for n in range(26)], [100.0 + n % 2 for n in range(26)]):
        found = facts(assess(days, curve, Trading(), benchmark=curve, trials=5))
        assert json.loads(json.dumps(found, allow_nan=False)) == found
        assert found["trials"] == 5


def test_a_day_alone_gives_no_annual_figure_and_no_interval():
    found = facts(assess([date(2024, 1, 2)], [100.0, 101.0], Trading()))
    assert found["total_return"] == pytest.approx(0.01)
    assert found["intervals"] == {}
    assert (found["sharpe"], found["probabilistic_sharpe"], found["deflated_sharpe"]) == (None, None, None)
