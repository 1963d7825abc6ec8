"""The quant's arithmetic: outcomes by hand, honest counts, known intervals, nothing from the future."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from math import nan

import numpy as np
import pytest
from decision_world import FIRST, NOW, SYMBOL, daily, snapshot

from vnpy_aiagent.brain import quant, verify
from vnpy_aiagent.brain.verify import (
    MIN_SAMPLES,
    TradePlan,
    bootstrap_mean,
    features,
    figures,
    outcome,
    search,
    seed_of,
)
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import BarInterval, Stance

PLAN = TradePlan(stop=0.08, target=0.15, sessions=3)
Bar = tuple[float, float, float, float]


def series(*bars: Bar) -> BarSeries:
    """Open, high, low, close a bar."""
    rows = [(FIRST + timedelta(days=i), *bar, 1_000_000.0) for i, bar in enumerate(bars)]
    return BarSeries.from_rows(SYMBOL, BarInterval.DAILY, rows)


def flat(price: float = 100.0) -> Bar:
    return price, price, price, price


@pytest.mark.parametrize(
    ("bars", "result"),
    [
        ([flat(), flat(), flat(), flat(103.0)], 0.03),
        ([flat(), (100, 100, 91, 95), flat(95), flat(95)], -0.08),
        ([flat(), (100, 116, 99, 110), flat(110), flat(110)], 0.15),
        ([flat(), (100, 116, 91, 95), flat(), flat()], -0.08),
        ([flat(), (90, 92, 89, 91), flat(91), flat(91)], -0.10),
        ([flat(), (118, 119, 117, 118), flat(118), flat(118)], 0.18),
        ([(100, 101, 91, 95), (97, 99, 96, 98), flat(98), flat(98)], -0.03),
        ([(100, 116, 100, 114), flat(110), flat(110), flat(110)], 0.10),
    ],
    ids=[
        "held to the end",
        "stop",
        "target",
        "stop before target inside a bar",
        "gap below the stop",
        "gap above the target",
        "a stop of the first day is sold at the next open",
        "a target of the first day cannot be sold",
    ],
)
def test_an_outcome_follows_the_stated_rules(bars: list[Bar], result: float) -> None:
    assert outcome(series(flat(), *bars), 0, PLAN) == pytest.approx(result)


def test_without_t_plus_one_the_first_day_sells_too() -> None:
    bars = series(flat(), (100, 101, 91, 95), (97, 99, 96, 98), flat(98), flat(98))
    assert outcome(bars, 0, replace(PLAN, t_plus=0)) == pytest.approx(-0.08)


def test_without_stop_and_target_it_is_held_to_the_end() -> None:
    bars = series(flat(), flat(), (50, 300, 40, 60), flat(60), flat(97))
    assert outcome(bars, 0, TradePlan(None, None, 3)) == pytest.approx(-0.03)


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_the_wilson_interval_is_that_of_the_books(hits: int, count: int, low: float, high: float) -> None:
    """81 of 263: R. Newcombe, Statistics in Medicine 17 (1998), table I: 0.2553 to 0.3662."""
    told = figures(np.array([0.01] * hits + [-0.01] * (count - hits)), seed=1)
    assert (told.hits, told.count) == (hits, count)
    assert (told.hit_low, told.hit_high) == pytest.approx((low, high), abs=5e-5)


def test_figures_of_known_returns() -> None:
    told = figures(np.array([0.10, 0.05, -0.05, -0.05, 0.0]), seed=1)
    assert (told.count, told.hits, told.hit_rate) == (5, 2, 0.4)
    assert told.payoff == pytest.approx(1.5)
    assert told.mean == pytest.approx(0.01)
    assert told.mean_low is not None
    assert told.mean_high is not None
    assert -0.05 <= told.mean_low < 0.01 < told.mean_high <= 0.10


def test_only_gains_have_no_payoff_ratio_and_nothing_has_no_figures() -> None:
    assert figures(np.array([0.1, 0.2]), seed=1).payoff is None
    nothing = figures(np.empty(0), seed=1)
    assert (nothing.count, nothing.hit_rate, nothing.mean, nothing.mean_low) == (0, None, None, None)


def test_the_bootstrap_is_that_of_its_seed_and_covers_the_mean() -> None:
    results = np.random.default_rng(5).normal(0.02, 0.05, 40)
    assert bootstrap_mean(results, 7) == bootstrap_mean(results, 7) != bootstrap_mean(results, 8)
    low, high = bootstrap_mean(results, 7)
    assert low < results.mean() < high
    assert high - low == pytest.approx(4 * results.std() / 40**0.5, rel=0.25)


def test_a_seed_follows_from_content_alone() -> None:
    assert seed_of({"a": 1, "b": [2.5]}) == seed_of({"b": [2.5], "a": 1}) != seed_of({"a": 1, "b": [2.6]})


def waves(count: int = 240, period: int = 12) -> BarSeries:
    """A share that does the same every `period` bars, so that each like bar is known by hand."""
    closes = [round(20 + 2 * np.sin(2 * np.pi * i / period), 2) for i in range(count)]
    return daily(closes, [1_000_000.0 + 1_000 * (i % period) for i in range(count)])


def test_like_bars_of_a_periodic_share_are_found_and_counted() -> None:
    bars, plan = waves(), TradePlan(0.08, 0.15, sessions=3)
    found = search(bars, plan)
    last = len(bars) - 1
    exact = [sample.place for sample in found.samples if sample.distance < 0.05]
    assert exact
    assert {(last - place) % 12 for place in exact} == {0}
    wanted = [place for place in range(60, last - plan.sessions) if (last - place) % 12 == 0]
    assert sorted(exact) == wanted
    assert len({round(sample.result, 9) for sample in found.samples if sample.distance < 0.05}) == 1
    assert found.features == verify.FEATURES
    assert len(found.base) == last - plan.sessions - 60


def test_samples_do_not_overlap_and_the_more_similar_stays() -> None:
    plan = TradePlan(0.08, 0.15, sessions=10)
    found = search(waves(), plan)
    places = sorted(sample.place for sample in found.samples)
    assert all(later - earlier > plan.sessions for earlier, later in pairwise(places))
    assert len(places) < found.similar
    assert [sample.distance for sample in found.samples] == sorted(s.distance for s in found.samples)


@pytest.mark.parametrize("sessions", [1, 5, 10, 40])
def test_every_outcome_ends_before_the_snapshot(sessions: int) -> None:
    bars = waves()
    found = search(bars, TradePlan(None, None, sessions))
    assert all(sample.place + 1 + sessions <= len(bars) - 1 for sample in found.samples)


def test_features_look_back_only() -> None:
    bars = daily([20 + i % 7 + 0.01 * i for i in range(120)], [1e6 + i % 9 * 1e4 for i in range(120)])
    whole, short = features(bars), features(bars.slice(0, 100))
    for name in verify.FEATURES:
        np.testing.assert_allclose(whole[name][:100], short[name], rtol=1e-12)


def test_too_short_a_history_says_so_and_extrapolates_nothing() -> None:
    view = snapshot(bars={BarInterval.DAILY: daily([20 + i % 5 for i in range(70)])})
    evidence, turn = quant.verify(view, PLAN, "AGGRESSIVE", "q1", 1)
    checked = turn.verification
    assert checked is not None
    assert (checked.samples, checked.hit_rate, checked.mean_return, checked.base_hit_rate) == (
        0,
        None,
        None,
        None,
    )
    assert not checked.enough
    assert "70 根，无法" in str(turn.text)
    assert "hit_rate_95" not in evidence.result
    assert (turn.stance, turn.confidence) == (Stance.NEUTRAL, 0.0)


def test_no_bars_at_all_are_no_evidence_of_any_time() -> None:
    evidence, turn = quant.verify(snapshot(bars={}), PLAN, "JUDGE", "q1", 1)
    assert evidence.available_at is None
    assert turn.verification is not None
    assert turn.verification.bars == 0


def rough(count: int, seed: int) -> BarSeries:
    """A seeded random walk."""
    draw = np.random.default_rng(seed)
    closes = np.round(20 * np.exp(np.cumsum(draw.normal(0.001, 0.015, count))), 2)
    return daily(closes.tolist(), draw.uniform(1e6, 3e6, count).tolist())


def test_too_few_samples_have_no_figures_but_the_base_rate() -> None:
    view = snapshot(at=NOW + timedelta(days=400), bars={BarInterval.DAILY: waves(110)})
    evidence, turn = quant.verify(view, replace(PLAN, sessions=10), "AGGRESSIVE", "q1", 1)
    checked = turn.verification
    assert checked is not None
    assert 0 < checked.samples < MIN_SAMPLES
    assert (checked.hit_rate, checked.hit_low, checked.payoff, checked.mean_return) == (None,) * 4
    assert checked.base_hit_rate is not None
    assert "too_few" in evidence.result
    assert "不作统计" in str(turn.text)


def test_what_happens_after_the_snapshot_changes_nothing() -> None:
    """Poison: every bar after the cut becomes absurd, for many cuts; the evidence stays byte for byte."""
    bars = rough(300, 11)
    for cut in range(150, 290, 20):
        at = bars.end_of(cut)
        columns = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close")}
        for column in columns.values():
            column[cut + 1 :] *= 7.5
        poisoned = replace(bars, volume=np.where(np.arange(300) > cut, nan, bars.volume), **columns)
        clean = quant.verify(snapshot(at=at, bars={BarInterval.DAILY: bars}), PLAN, "JUDGE", "q1", 1)
        other = quant.verify(snapshot(at=at, bars={BarInterval.DAILY: poisoned}), PLAN, "JUDGE", "q1", 1)
        assert clean == other
        assert clean[0].available_at == at


def test_enough_samples_are_told_with_intervals_and_the_base_rate() -> None:
    bars = rough(500, 2)
    view = snapshot(at=bars.end_of(-1), bars={BarInterval.DAILY: bars})
    evidence, turn = quant.verify(view, PLAN, "AGGRESSIVE", "q1", 2)
    checked = turn.verification
    assert checked is not None
    assert checked.enough
    assert checked.hit_rate == pytest.approx(checked.hits / checked.samples, abs=1e-6)
    assert checked.hit_low is not None
    assert checked.hit_high is not None
    assert checked.hit_low < checked.hit_rate < checked.hit_high
    assert checked.mean_low is not None
    assert checked.mean_high is not None
    assert checked.mean_return is not None
    assert checked.mean_low <= checked.mean_return <= checked.mean_high
    assert (turn.role, turn.round, turn.evidence, evidence.id) == ("QUANT", 2, ("q1",), "q1")
    assert turn.confidence == checked.hit_low
    assert "{" not in str(turn.text)


def test_a_missing_volume_leaves_its_feature_out() -> None:
    bars = daily([20 + i % 7 + 0.01 * i for i in range(200)], [nan] * 200)
    assert search(bars, PLAN).features == verify.FEATURES[:-1]


def test_a_share_that_never_moves_has_nothing_to_compare() -> None:
    found = search(daily([10.0] * 200), PLAN)
    assert (found.features, found.samples) == ((), ())
