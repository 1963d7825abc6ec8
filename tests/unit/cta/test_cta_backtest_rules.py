"""What the strategy does with the brain's wishes inside vnpy's backtester."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate, pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vnpy_aiagent.domain import Action, PriceBasis, PriceRef, RequestKind, TriggerKind, TriggerPlan
from vnpy_aiagent.errors import ConfigError

HISTORY = 70


def sells_only_what_was_held_before_the_day(signed: list[tuple]) -> bool:
    """Sales of a day at most what was held when it began."""
    held = 0
    for day in sorted({day for day, _ in signed}):
        sold = -sum(volume for when, volume in signed if when == day and volume < 0)
        if sold > held:
            return False
        held += sum(volume for when, volume in signed if when == day)
    return held >= 0


@pytest.mark.parametrize("kind", ["daily_bars", "hourly_bars"])
def test_a_brain_that_always_trades_never_sells_what_was_bought_that_day(lab, kind):
    brain = lab.ScriptedBrain(lab.buy_then_close)
    run = lab.Backtest(getattr(lab, kind)(lab.rising(HISTORY + 40)), brain)
    assert sum(volume < 0 for _, volume in run.signed) > 5
    assert sells_only_what_was_held_before_the_day(run.signed)


@settings(max_examples=12)
@given(
    moves=st.lists(st.floats(-0.06, 0.06), min_size=15, max_size=25),
    ends=st.dictionaries(st.integers(HISTORY - 10, HISTORY + 24), st.sampled_from(["early", "print"])),
    kind=st.sampled_from(["daily_bars", "hourly_bars"]),
)
def test_no_path_of_prices_makes_it_sell_on_the_day_of_buying(lab, moves, ends, kind):
    closes = lab.rising(HISTORY, 0.006)
    closes += list(accumulate(moves, lambda price, move: price * (1 + move), initial=closes[-1]))
    bars = lab.daily_bars(closes) if kind == "daily_bars" else lab.hourly_bars(closes, ends)
    run = lab.Backtest(bars, lab.ScriptedBrain(lab.buy_then_close))
    assert sells_only_what_was_held_before_the_day(run.signed)
    assert run.strategy.pos >= 0
    assert run.strategy.pos == run.strategy.desk.held


def test_a_print_after_the_close_cannot_fill_a_sale_of_todays_shares(lab):
    closes = lab.rising(HISTORY)
    regular = lab.Backtest(lab.hourly_bars(closes), lab.ScriptedBrain(lab.buy_then_close))
    days = [bar.datetime.date() for bar in lab.daily_bars(closes)]
    first = days.index(regular.signed[0][0])
    run = lab.Backtest(lab.hourly_bars(closes, {first: "print"}), lab.ScriptedBrain(lab.buy_then_close))
    assert run.signed[0] == regular.signed[0]
    assert sells_only_what_was_held_before_the_day(run.signed)


def test_shares_locked_at_the_close_have_a_stop_from_the_next_first_bar(lab):
    closes = lab.rising(62)
    closes += [closes[-1] * 0.9] * 3
    brain = lab.ScriptedBrain(lambda request, snapshot: lab.Wish(Action.BUY, stop=-2.0))
    run = lab.Backtest(lab.hourly_bars(closes), brain, cadence_days=1000)
    days = [bar.datetime.date() for bar in lab.daily_bars(closes)]
    assert [(days.index(day), volume > 0) for day, volume in run.signed] == [(61, True), (62, False)]


def test_nothing_is_asked_before_there_is_enough_history(lab):
    brain = lab.ScriptedBrain(lab.buy_then_close)
    lab.Backtest(lab.daily_bars(lab.rising(60)), brain)
    assert brain.asked == []


def test_a_decision_sees_no_bar_after_its_day(lab):
    brain = lab.ScriptedBrain(lab.buy_then_close)
    lab.Backtest(lab.hourly_bars(lab.rising(HISTORY + 10)), brain)
    assert brain.asked
    for request, snapshot in brain.asked:
        (series,) = snapshot.bars.values()
        assert series.end_of(-1) <= request.at
        assert snapshot.quote.at <= request.at
        assert float(snapshot.quote.last) == round(float(series.close[-1]), 2)


def test_what_comes_later_changes_no_decision_made_before(lab):
    closes = lab.rising(HISTORY + 30)
    poisoned = [*closes[: HISTORY + 10], *(price * 0.5 for price in closes[HISTORY + 10 :])]
    plans = [lab.Backtest(lab.daily_bars(path), None).strategy.desk.plans for path in (closes, poisoned)]
    cut = HISTORY + 10
    assert plans[0][:cut] == plans[1][:cut]
    assert any(plan.buy for plan in plans[0][:cut])


def test_the_cadence_spaces_decisions_on_a_held_position(lab):
    held = lab.ScriptedBrain(
        lambda request, snapshot: lab.Wish(Action.HOLD if snapshot.accounts[0].position else Action.BUY)
    )
    lab.Backtest(lab.daily_bars(lab.rising(HISTORY + 30)), held, cadence_days=5)
    manage = [r.at for r, _ in held.asked if r.request is RequestKind.MANAGE]
    assert len(manage) >= 3
    assert min(later - sooner for sooner, later in pairwise(manage)) >= timedelta(days=5)


def test_a_trigger_calls_for_a_decision_between_two_cadences(lab):
    gain = TriggerPlan(
        trigger=TriggerKind.PRICE_AT_OR_ABOVE, price=PriceRef(basis=PriceBasis.ENTRY, offset=2.0), note="gain"
    )

    def choose(request, snapshot):
        return lab.Wish(Action.HOLD if snapshot.accounts[0].position else Action.BUY, triggers=(gain,))

    brain = lab.ScriptedBrain(choose)
    lab.Backtest(lab.daily_bars(lab.rising(HISTORY + 20)), brain, cadence_days=1000)
    kinds = Counter(request.request for request, _ in brain.asked)
    assert kinds[RequestKind.REPLAN] >= 1
    assert kinds[RequestKind.OPEN] == 1


def test_the_stop_sells_without_asking(lab):
    closes = lab.rising(HISTORY + 3)
    closes += [closes[-1] * 0.98**n for n in range(1, 8)]
    brain = lab.ScriptedBrain(lambda request, snapshot: lab.Wish(Action.BUY))
    run = lab.Backtest(lab.daily_bars(closes), brain, cadence_days=1000)
    assert [volume > 0 for _, volume in run.signed] == [True, False]
    bought, sold = run.trades
    assert float(sold.price) <= float(bought.price) * 0.97
    assert run.strategy.stop_price == 0


def test_a_stop_is_raised_and_never_lowered(lab):
    stops = iter([-3.0, -9.0])

    def choose(request, snapshot):
        if snapshot.accounts[0].position is None:
            return lab.Wish(Action.BUY, stop=-5.0)
        return lab.Wish(Action.ADJUST, stop=next(stops, -9.0))

    run = lab.Backtest(lab.daily_bars(lab.rising(HISTORY)), lab.ScriptedBrain(choose))
    stops_held = [plan.stop.price for plan in run.strategy.desk.plans if plan.stop]
    assert len(stops_held) >= 3
    assert stops_held == sorted(stops_held)
    assert float(stops_held[0]) > run.trades[0].price * 0.96


def test_the_weight_bounds_the_position(lab):
    greedy = lab.ScriptedBrain(lambda request, snapshot: lab.Wish(Action.BUY, weight=1.0, stop=-0.9))
    run = lab.Backtest(lab.daily_bars(lab.rising(HISTORY), spread=0.002), greedy, weight=0.2)
    (buy, *_) = run.trades
    assert 0 < buy.price * buy.volume <= 200_000
    assert buy.volume % 100 == 0


def test_a_plan_that_the_risk_rules_refuse_is_told_and_not_sent(lab):
    unsure = lab.ScriptedBrain(lambda request, snapshot: lab.Wish(Action.BUY, confidence=0.1))
    run = lab.Backtest(lab.daily_bars(lab.rising(HISTORY)), unsure)
    assert run.trades == []
    assert any("把握 10.0%" in line for line in run.engine.logs)


def test_the_account_pays_the_exchanges_fees(lab):
    run = lab.Backtest(lab.daily_bars(lab.rising(HISTORY)), lab.ScriptedBrain(lab.buy_then_close))
    turnover = sum(
        Decimal(str(trade.price)) * int(trade.volume) * (1 if trade.direction.name == "SHORT" else -1)
        for trade in run.trades
    )
    book = run.strategy.desk.book
    assert book.cash < book.opening_cash + turnover


def test_the_same_bars_give_the_same_plans(lab):
    first, second = (lab.Backtest(lab.daily_bars(lab.rising(HISTORY + 20)), None) for _ in range(2))
    assert first.strategy.desk.plans == second.strategy.desk.plans
    assert any(plan.action for plan in first.strategy.desk.plans)


def test_the_model_is_given_up_at_the_end(lab):
    brain = lab.ScriptedBrain(lab.buy_then_close)
    lab.Backtest(lab.daily_bars(lab.rising(HISTORY)), brain)
    assert brain.model.closed


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ({"style": "brave"}, "style 'brave' is not known; use one of AGGRESSIVE, CONSERVATIVE, JUDGE"),
        ({"capital": 0}, "capital must be"),
        ({"weight": 1.5}, "weight must be"),
        ({"cadence_days": 0}, "cadence_days must be"),
        ({"cadence_days": 1.5}, "cadence_days must be"),
    ],
)
def test_a_wrong_parameter_is_named(lab: SimpleNamespace, setting, text):
    with pytest.raises(ConfigError, match=text):
        lab.Backtest(lab.daily_bars(lab.rising(5)), None, **setting)
