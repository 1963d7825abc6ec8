"""The A-share engine on small made-up bars: each rule alone, with figures worked out by hand."""

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from vnpy.trader.constant import Interval
from vnpy_ctastrategy.base import BacktestingMode

from vnpy_aiagent.backtest import AShareBacktestingEngine
from vnpy_aiagent.backtest.session import Instrument
from vnpy_aiagent.errors import RuleUnknown
from vnpy_aiagent.market import CorporateAction

from .engine_helpers import Scripted, balance, bar, fills_of, flat, minutes, play

DAYS = ("2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08")


def one_minute(day: str, prices: list[float], volume: float = 1_000_000):
    return [
        bar(when, price, price + 0.02, price - 0.02, price, volume)
        for when, price in zip(minutes(day, len(prices)), prices, strict=True)
    ]


def test_an_order_meets_the_next_open_and_pays_real_fees():
    engine = play(flat(*DAYS), {0: lambda s: s.buy(10.5, 1000), 2: lambda s: s.sell(9.5, 1000)})
    assert fills_of(engine) == [("LONG", 10.0, 1000), ("SHORT", 10.0, 1000)]
    assert engine.fees.commission == Decimal("10.00")  # 5 CNY minimum twice
    assert engine.fees.stamp_duty == Decimal("5.00")  # 0.05 % of the sale
    assert engine.fees.transfer_fee == Decimal("0.20")
    assert engine.cash == Decimal("999984.80")


def test_the_daily_result_agrees_with_cash_and_holding_to_the_cent():
    engine = play(flat(*DAYS), {0: lambda s: s.buy(10.5, 1000), 2: lambda s: s.sell(9.5, 400)})
    frame = engine.calculate_result()
    assert Decimal(str(round(frame["net_pnl"].sum(), 6))) == balance(engine) - 1_000_000
    assert round(frame["commission"].sum(), 2) == float(engine.fees.total)


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (lambda s: s.buy(10.0, 150), "lot_size"),
        (lambda s: s.buy(10.0, 0.5), "lot_size"),
        (lambda s: s.buy(10.0, 1_000_100), "lot_size"),
        (lambda s: s.buy(11.01, 100), "price_limit"),
        (lambda s: s.buy(8.99, 100), "price_limit"),
        (lambda s: s.buy(10.0, 200_000), "cash"),
        (lambda s: s.sell(10.0, 100), "holding"),
        (lambda s: s.short(10.0, 100), "short_sale"),
        (lambda s: s.cover(10.0, 100), "short_sale"),
    ],
)
def test_what_the_exchange_would_refuse_is_refused_and_counted(order, reason):
    engine = play(flat(*DAYS), {0: order})
    assert dict(engine.rejected) == {reason: 1}
    assert engine.strategy.orders == [("1", "REJECTED", 0)]
    assert engine.cash == 1_000_000
    assert any("委托被拒" in line for line in engine.logs)


def test_shares_of_the_day_are_not_sold_the_same_day():
    bars = one_minute("2024-01-02", [10.0] * 4) + one_minute("2024-01-03", [10.0] * 3)
    script = {0: lambda s: s.buy(10.1, 100), 2: lambda s: s.sell(9.95, 100), 4: lambda s: s.sell(9.95, 100)}
    engine = play(bars, script, interval=Interval.MINUTE)
    assert dict(engine.rejected) == {"t_plus_one": 1}
    assert [t.datetime.date() for t in engine.trades.values()] == [date(2024, 1, 2), date(2024, 1, 3)]


def test_a_fund_with_same_day_settlement_sells_at_once():
    bars = [
        bar(b.datetime, 1.0, 1.002, 0.998, 1.0, vt_symbol="513100.SSE")
        for b in one_minute("2024-01-02", [1.0] * 4)
    ]
    script = {0: lambda s: s.buy(1.002, 100), 1: lambda s: s.sell(0.998, 100)}
    engine = play(bars, script, vt_symbol="513100.SSE", interval=Interval.MINUTE)
    assert [f[0] for f in fills_of(engine)] == ["LONG", "SHORT"]
    assert engine.fees.stamp_duty == 0


def test_nobody_buys_at_a_locked_limit_up():
    bars = [*flat("2024-01-02"), bar("2024-01-03", 11.0, 11.0, 11.0, 11.0), *flat("2024-01-04", price=11.5)]
    engine = play(bars, {0: lambda s: s.buy(11.0, 100)})
    assert fills_of(engine) == []
    assert engine.strategy.orders[-1][1] == "CANCELLED"  # a day order


def test_a_limit_up_that_opens_again_fills_at_the_limit():
    bars = [*flat("2024-01-02"), bar("2024-01-03", 11.0, 11.0, 10.6, 11.0)]
    assert fills_of(play(bars, {0: lambda s: s.buy(11.0, 100)})) == [("LONG", 11.0, 100)]


def test_a_touch_of_the_limit_does_not_fill_and_a_trade_through_does():
    bars = [*flat("2024-01-02"), bar("2024-01-03", 10.0, 10.2, 9.8, 10.0)]
    assert fills_of(play(bars, {0: lambda s: s.buy(9.8, 100)})) == []
    assert fills_of(play(bars, {0: lambda s: s.buy(9.81, 100)})) == [("LONG", 9.81, 100)]


def test_a_bar_gives_a_tenth_of_its_volume_to_all_orders_together():
    bars = flat(*DAYS[:2], volume=5_000)
    engine = play(bars, {0: lambda s: (s.buy(10.5, 300), s.buy(10.5, 900))})
    assert fills_of(engine) == [("LONG", 10.0, 300), ("LONG", 10.0, 200)]
    assert engine.strategy.orders[-1] == ("2", "PARTTRADED", 200)
    assert engine.fees.commission == Decimal("10.00")


def test_a_part_filled_order_pays_its_minimum_commission_once():
    bars = one_minute("2024-01-02", [10.0] * 4, volume=1_000)
    engine = play(bars, {0: lambda s: s.buy(10.0, 300)}, interval=Interval.MINUTE, slippage=0)
    assert sum(f[2] for f in fills_of(engine)) == 300
    assert len(engine.trades) == 3
    assert engine.fees.commission == Decimal("5.00")


def test_slippage_worsens_a_fill_after_the_opening_auction_but_never_beyond_the_bar():
    bars = one_minute("2024-01-02", [10.0] * 3)
    script = {0: lambda s: s.buy(10.1, 100)}
    assert fills_of(play(bars, script, interval=Interval.MINUTE, slippage=0.01)) == [("LONG", 10.01, 100)]
    assert fills_of(play(bars, script, interval=Interval.MINUTE, slippage=0.05)) == [("LONG", 10.02, 100)]


def test_nothing_fills_without_volume():
    bars = [*flat("2024-01-02"), *flat("2024-01-03", volume=0)]
    assert fills_of(play(bars, {0: lambda s: s.buy(10.5, 100)})) == []


def test_the_price_cage_refuses_what_reaches_too_far():
    bars = one_minute("2024-01-02", [10.0] * 3)
    engine = play(bars, {0: lambda s: s.buy(10.21, 100)}, interval=Interval.MINUTE)
    assert dict(engine.rejected) == {"price_cage": 1}
    assert fills_of(play(bars, {0: lambda s: s.buy(10.20, 100)}, interval=Interval.MINUTE))


def test_a_stop_sells_below_and_waits_while_the_shares_are_locked():
    bars = one_minute("2024-01-02", [10.0, 10.0, 9.9, 9.8]) + one_minute("2024-01-03", [9.7, 9.6])
    script = {0: lambda s: s.buy(10.1, 100), 1: lambda s: s.sell(9.9, 100, stop=True)}
    engine = play(bars, script, interval=Interval.MINUTE)
    assert fills_of(engine)[1] == ("SHORT", 9.7, 100)
    assert list(engine.trades.values())[1].datetime.date() == date(2024, 1, 3)
    assert not engine.rejected
    assert sum("等待下一交易日" in line for line in engine.logs) == 1


def test_a_stop_waits_at_a_locked_limit_down():
    locked = bar("2024-01-04", 9.0, 9.0, 9.0, 9.0)
    later = bar("2024-01-05", 8.6, 8.8, 8.5, 8.7)
    script = {0: lambda s: s.buy(10.5, 100), 1: lambda s: s.sell(9.5, 100, stop=True)}
    engine = play([*flat("2024-01-02", "2024-01-03"), locked, later], script)
    assert fills_of(engine)[1] == ("SHORT", 8.6, 100)


def test_what_a_stop_could_not_sell_follows_the_market():
    bars = [
        *flat("2024-01-02"),
        *flat("2024-01-03"),
        bar("2024-01-04", 9.6, 9.6, 9.4, 9.4, 2_000),
    ]
    more = [bar(when, 9.0, 9.05, 8.95, 9.0, 5_000) for when in minutes("2024-01-04", 1, "10:00")]
    script = {0: lambda s: s.buy(10.5, 500), 1: lambda s: s.sell(9.5, 500, stop=True)}
    engine = play([*bars, *more], script)
    assert fills_of(engine)[1:] == [("SHORT", 9.5, 200), ("SHORT", 9.0, 300)]


def test_open_fills_take_no_price_but_the_open():
    bars = [*flat("2024-01-02"), bar("2024-01-03", 10.0, 10.2, 9.5, 10.0)]
    engine = play(bars, {0: lambda s: s.buy(9.9, 100)}, engine=AShareBacktestingEngine(fill="open"))
    assert fills_of(engine) == []


def test_average_fills_pay_turnover_by_volume_rounded_against_the_order():
    bars = [*flat("2024-01-02"), bar("2024-01-03", 10.0, 10.2, 9.5, 10.0, 1000, turnover=9_873.0)]
    engine = play(bars, {0: lambda s: s.buy(10.0, 100)}, engine=AShareBacktestingEngine(fill="vwap"))
    assert fills_of(engine) == [("LONG", 9.88, 100)]


def test_an_ex_day_brings_shares_and_cash_and_moves_the_band():
    action = CorporateAction(
        vt_symbol="600519.SSE", ex_date=date(2024, 1, 4), bonus=Decimal("0.5"), cash=Decimal("0.30")
    )
    bars = [*flat("2024-01-02", "2024-01-03"), *flat("2024-01-04", "2024-01-05", price=6.5)]
    script = {0: lambda s: s.buy(10.5, 1000), 2: lambda s: s.sell(6.4, 1500)}
    engine = play(bars, script, engine=AShareBacktestingEngine(corporate_actions=[action]))
    assert fills_of(engine) == [("LONG", 10.0, 1000), ("SHORT", 6.5, 1500)]
    assert engine.dividend_tax == Decimal("60.00")  # 20 % of 300, held two days
    frame = engine.calculate_result()
    assert Decimal(str(round(frame["net_pnl"].sum(), 6))) == engine.cash - 1_000_000
    assert engine.strategy.pos == 0


def test_an_unknown_ex_day_is_said_and_does_not_refuse_the_days_orders():
    said: list[str] = []
    engine = AShareBacktestingEngine()
    bars = [*flat("2024-01-02", "2024-01-03"), *flat("2024-01-04", "2024-01-05", price=6.5)]
    play(
        bars,
        {0: lambda s: setattr(engine, "output", said.append), 1: lambda s: s.buy(6.6, 100)},
        engine=engine,
    )
    assert any("2024-01-04" in line and "除权" in line for line in said)


def test_rows_that_repeat_or_go_back_are_skipped_and_counted():
    bars = flat("2024-01-02", "2024-01-03", "2024-01-03", "2024-01-02", "2024-01-04")
    engine = play(bars, {})
    assert engine.skipped == 2
    assert engine.strategy.n == 2


def test_a_strategy_that_raises_ends_the_run_and_keeps_what_came_before():
    def fail(_):
        raise ZeroDivisionError

    engine = play(flat(*DAYS), {0: lambda s: s.buy(10.5, 100), 2: fail})
    assert len(engine.trades) == 1
    assert len(engine.calculate_result()) == 3


def test_an_empty_period_is_said():
    said: list[str] = []
    engine = AShareBacktestingEngine()
    engine.output = said.append
    play([], {}, engine=engine)
    engine.output = said.append
    engine.run_backtesting()
    assert any("没有历史数据" in line for line in said)


def test_an_index_cannot_be_traded_without_naming_a_board():
    with pytest.raises(RuleUnknown, match="index"):
        play([], {}, vt_symbol="000300.SSE")


def test_a_futures_contract_is_refused_with_what_to_do_instead():
    with pytest.raises(RuleUnknown, match="rules=False"):
        play([], {}, vt_symbol="rb2405.SHFE")


def test_st_shares_of_the_main_board_move_five_percent_before_2026():
    bars = flat("2024-01-02", "2024-01-03")
    engine = play(
        bars,
        {0: lambda s: s.buy(10.51, 100)},
        engine=AShareBacktestingEngine(instrument=Instrument(name="ST某某")),
    )
    assert dict(engine.rejected) == {"price_limit": 1}


def test_the_size_and_tick_of_futures_are_replaced_and_said():
    said: list[str] = []
    engine = AShareBacktestingEngine()
    engine.output = said.append
    start = flat("2024-01-02")[0].datetime
    engine.set_parameters("510300.SSE", Interval.DAILY, start, 0.00025, 0, 300, 0.2, 1_000_000)
    assert (engine.size, engine.pricetick) == (1, 0.001)
    assert len(said) == 2


@pytest.mark.parametrize("participation", [0, -1, 1.1, float("nan")])
def test_participation_is_a_ratio(participation):
    with pytest.raises(ValueError, match="participation"):
        AShareBacktestingEngine(participation=participation)


def test_a_second_run_of_the_same_engine_begins_anew():
    engine = play(flat(*DAYS), {0: lambda s: s.buy(10.5, 100)})
    engine.clear_data()
    again = play(flat(*DAYS), {0: lambda s: s.buy(10.5, 100)}, engine=engine)
    assert fills_of(again) == [("LONG", 10.0, 100)]
    assert again.holding == 100


def test_ticks_meet_the_other_side_of_the_book_or_their_own_limit():
    from vnpy.trader.constant import Exchange
    from vnpy.trader.object import TickData

    ticks = [
        TickData(
            symbol="600519",
            exchange=Exchange.SSE,
            datetime=when,
            last_price=10.0,
            volume=10_000 * (n + 1),
            bid_price_1=9.99,
            ask_price_1=10.02,
            gateway_name="TEST",
        )
        for n, when in enumerate(minutes("2024-01-02", 4))
    ]
    engine = play(
        ticks, {0: lambda s: s.buy(10.05, 100), 1: lambda s: s.buy(10.01, 100)}, mode=BacktestingMode.TICK
    )
    assert fills_of(engine) == [("LONG", 10.02, 100), ("LONG", 10.01, 100)]


def test_slippage_holds_for_daily_bars_too_and_never_beyond_the_limit():
    script = {0: lambda s: s.buy(10.5, 100), 1: lambda s: s.sell(9.98, 100)}
    assert fills_of(play(flat(*DAYS), script, slippage=0.05)) == [("LONG", 10.05, 100), ("SHORT", 9.98, 100)]


def test_a_resting_stop_follows_an_ex_day_and_protects_the_new_shares_too():
    action = CorporateAction(vt_symbol="600519.SSE", ex_date=date(2024, 1, 4), bonus=Decimal(1))
    bars = [
        *flat("2024-01-02", "2024-01-03"),
        *flat("2024-01-04", price=5.0),
        bar("2024-01-05", 4.8, 4.8, 4.5, 4.6),
    ]
    script = {0: lambda s: s.buy(10.5, 1000), 1: lambda s: s.sell(9.2, 1000, stop=True)}
    engine = play(bars, script, engine=AShareBacktestingEngine(corporate_actions=[action]))
    assert fills_of(engine)[1:] == [("SHORT", 4.6, 2000)]
    assert engine.holding == 0


def test_a_sale_inside_a_bar_does_not_pay_for_a_purchase_at_its_open():
    bars = [*flat("2024-01-02", "2024-01-03"), bar("2024-01-04", 10.0, 10.8, 9.9, 10.5), *flat("2024-01-05")]
    orders = (lambda s: s.sell(10.7, 900), lambda s: s.buy(10.1, 900))
    for first, second in (orders, orders[::-1]):
        script = {0: lambda s: s.buy(10.1, 900), 1: lambda s, f=first, g=second: (f(s), g(s))}
        engine = play(bars, script, capital=9_200)
        assert fills_of(engine) == [("LONG", 10.0, 900), ("SHORT", 10.7, 900)]
        assert dict(engine.rejected) == {"cash": 1}


def test_what_is_sent_on_a_fill_waits_for_the_next_bar():
    bars = [*flat("2024-01-02", "2024-01-03"), bar("2024-01-04", 10.0, 10.8, 9.9, 10.5)]

    class Chaser(Scripted):
        script: ClassVar[dict[int, Any]] = {
            0: lambda s: s.buy(10.1, 900),
            1: lambda s: s.sell(10.7, 900),
        }

        def on_trade(self, trade):
            if trade.direction.name == "SHORT":
                self.buy(9.95, 100, stop=True)

    engine = play(bars, {}, strategy=Chaser)
    assert fills_of(engine) == [("LONG", 10.0, 900), ("SHORT", 10.7, 900)]


def test_a_stop_that_the_strategy_cancels_as_it_triggers_does_not_fill():
    class Canceller(Scripted):
        script: ClassVar[dict[int, Any]] = {0: lambda s: s.buy(9.95, 900, stop=True)}

        def on_stop_order(self, stop):
            self.cancel_all()

    engine = play(flat(*DAYS), {}, strategy=Canceller)
    assert fills_of(engine) == []
    assert engine._ledger.available == 1_000_000


@pytest.mark.parametrize(
    "bad",
    [
        (0, 0, 0, 0),
        (0, 10.1, 0, 10.0),
        (9.0, 10.1, 9.9, 10.0),
        (10.0, 9.9, 10.1, 10.0),
        (10.0, 10.1, 9.9, float("nan")),
        (10.0, float("inf"), 9.9, 10.0),
        (-1.0, 10.1, -1.0, 10.0),
    ],
)
def test_nothing_trades_on_a_bar_that_cannot_be_true(bad):
    said: list[str] = []
    engine = AShareBacktestingEngine()
    script = {0: lambda s: (setattr(engine, "output", said.append), s.buy(10.5, 100))}
    bars = [*flat("2024-01-02"), bar("2024-01-03", *bad), *flat("2024-01-04")]
    play(bars, script, engine=engine)
    assert fills_of(engine) == [("LONG", 10.0, 100)]
    assert next(iter(engine.trades.values())).datetime.date() == date(2024, 1, 4)
    assert engine.bad == 1
    assert any("不可能成立" in line for line in said)


@pytest.mark.parametrize("volume", [float("nan"), float("inf"), -100, 0.5])
def test_a_stop_of_a_senseless_volume_is_refused(volume):
    engine = play(flat(*DAYS), {0: lambda s: s.buy(9.95, volume, stop=True)})
    assert dict(engine.rejected) == {"lot_size": 1}
    assert fills_of(engine) == []


def test_an_order_that_would_meet_ones_own_is_refused():
    bars = flat(*DAYS[:2]) + [bar(moment, 10, 10.05, 9.95, 10) for moment in minutes("2024-01-04", 4)]
    script = {
        0: lambda s: s.buy(10.5, 200),
        2: lambda s: s.sell(10.15, 100),
        3: lambda s: (s.buy(10.15, 100), s.buy(9.9, 100)),
    }
    engine = play(bars, script)
    assert engine.rejected == {"self_trade": 1}
    assert fills_of(engine) == [("LONG", 10.0, 200)]


def test_an_order_outside_the_cage_of_chinext_is_parked_until_the_price_comes_near():
    day = "2022-05-05"
    prices = [(10, 10, 10, 10)] * 2 + [(10.0, 10.05, 10.0, 10.05), (10.2, 10.3, 10.2, 10.3)]
    bars = [
        bar(moment, *shape, vt_symbol="300001.SZSE")
        for moment, shape in zip(minutes(day, 4), prices, strict=True)
    ]
    engine = play(bars, {1: lambda s: s.buy(10.4, 100)}, vt_symbol="300001.SZSE")
    assert engine.rejected == {}
    assert fills_of(engine) == [("LONG", 10.2, 100)], "10.00 reaches to 10.20, 10.05 to 10.25, 10.20 to 10.40"
    later = [
        bar(b.datetime.replace(year=2023, month=5, day=4), *shape, vt_symbol="300001.SZSE")
        for b, shape in zip(bars, prices, strict=True)
    ]
    assert play(later, {1: lambda s: s.buy(10.4, 100)}, vt_symbol="300001.SZSE").rejected == {"price_cage": 1}


def test_working_buys_count_towards_the_daily_sum_of_a_share_under_risk_warning():
    bars = [bar(moment, 5, 5.05, 4.95, 5, vt_symbol="600000.SSE") for moment in minutes("2026-07-06", 4)]
    engine = play(
        bars,
        {0: lambda s: (s.buy(4.9, 300_000), s.buy(4.9, 200_100), s.buy(4.9, 200_000))},
        engine=AShareBacktestingEngine(instrument=Instrument(name="*ST浦发")),
        vt_symbol="600000.SSE",
        capital=10_000_000,
    )
    assert engine.rejected == {"daily_buy": 1}


def test_a_resting_order_comes_before_one_that_arrives():
    """A bar gives 100 shares: the buy that the open jumps below has waited longer."""
    bars = [
        bar(moment, *shape, volume=1_000)
        for moment, shape in zip(
            minutes("2024-01-02", 4),
            [(10, 10, 10, 10), (10, 10, 10, 10), (9.8, 9.8, 9.8, 9.8), (9.8, 9.8, 9.8, 9.8)],
            strict=True,
        )
    ]
    engine = play(bars, {0: lambda s: s.buy(9.9, 100), 1: lambda s: s.buy(9.95, 100)})
    assert [(t.orderid, t.price) for t in engine.trades.values()] == [("1", 9.8), ("2", 9.8)]
