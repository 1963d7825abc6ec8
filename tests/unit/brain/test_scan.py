"""The scan's setups on hand-made series, its order, and its counts."""

from collections.abc import Sequence
from math import nan

import pytest
from decision_world import daily, falling, rising

from vnpy_aiagent.brain.scan import Scan, classify, regime_of, scan
from vnpy_aiagent.data.bars import BarSeries

FLAT = [10.0] * 70


def run(
    worlds: dict[str, BarSeries], held: Sequence[str] = (), max_symbols: int = 10, min_history: int = 61
) -> Scan:
    empty = daily([])
    return scan(
        worlds, lambda s: worlds.get(s, empty), held, max_symbols=max_symbols, min_history=min_history
    )


def breakout() -> BarSeries:
    return daily([*FLAT, 10.5], [1_000_000.0] * 70 + [2_000_000.0])


def trend(step: float = 0.1) -> BarSeries:
    return daily([*rising(70, step), rising(70, step)[-1] - 0.05])


def pullback() -> BarSeries:
    return daily([*(10 + 0.1 * i for i in range(70)), 16.1, 15.6, 15.3, 15.4])


def oversold() -> BarSeries:
    return daily([*FLAT, 9.5, 9.0, 8.5, 8.6])


@pytest.mark.parametrize(
    ("series", "setup"),
    [
        (breakout(), "breakout"),
        (trend(), "trend"),
        (pullback(), "pullback"),
        (oversold(), "oversold"),
        (daily(FLAT), ""),
        (daily(falling(70)), ""),
    ],
    ids=["breakout", "trend", "pullback", "oversold", "flat", "falling"],
)
def test_a_setup_is_recognised(series: BarSeries, setup: str) -> None:
    assert classify(series)[0] == setup


def test_a_new_high_without_volume_is_no_breakout() -> None:
    assert classify(daily([*FLAT, 10.5]))[0] != "breakout"
    assert classify(daily([*FLAT, 10.5], [nan] * 71))[0] != "breakout"
    assert classify(daily([*FLAT, 10.5], [0.0] * 71))[0] != "breakout"


def test_an_oversold_share_that_still_falls_is_left_alone() -> None:
    assert classify(daily([*FLAT, 9.5, 9.0, 8.6, 8.5]))[0] == ""


def test_holdings_come_first_then_candidates_by_score_then_by_name() -> None:
    worlds = {"c.SSE": trend(), "b.SSE": trend(), "a.SSE": breakout(), "z.SSE": daily(FLAT)}
    found = run(worlds, held=["z.SSE"])
    score = {candidate.vt_symbol: candidate.score for candidate in found.picked}
    assert (found.picked[0].vt_symbol, found.picked[0].held) == ("z.SSE", True)
    rest = [candidate.vt_symbol for candidate in found.picked[1:]]
    assert rest == sorted(rest, key=lambda symbol: (-score[symbol], symbol))
    assert set(rest) == {"a.SSE", "b.SSE", "c.SSE"}


def test_every_symbol_is_picked_or_counted_as_left_out() -> None:
    worlds = {f"t{n}.SSE": trend() for n in range(5)}
    worlds |= {"flat.SSE": daily(FLAT), "young.SSE": daily(rising(60)), "held.SSE": daily(FLAT)}
    for cap in (1, 2, 6, 20):
        found = run(worlds, held=["held.SSE"], max_symbols=cap)
        assert len(found.picked) == min(cap, 6)
        assert found.left_out["short_history"] == 1
        assert found.left_out["no_setup"] == 1
        assert found.market.scanned == len(found.picked) + sum(found.left_out.values()) == 8
        named = [symbol for symbols in found.left_out_symbols.values() for symbol in symbols]
        assert sorted([*named, *(candidate.vt_symbol for candidate in found.picked)]) == sorted(worlds)


def test_each_symbol_that_is_left_out_is_named_with_its_reason() -> None:
    worlds = {"a.SSE": breakout(), "b.SSE": trend(), "flat.SSE": daily(FLAT), "young.SSE": daily(FLAT[:20])}
    assert run(worlds, max_symbols=1).left_out_symbols == {
        "short_history": ("young.SSE",),
        "no_setup": ("flat.SSE",),
        "below_cap": ("a.SSE",),
    }


def test_more_holdings_than_the_cap_are_counted_too() -> None:
    worlds = {f"h{n}.SSE": daily(FLAT) for n in range(4)}
    found = run(worlds, held=list(worlds), max_symbols=3)
    assert len(found.picked) == 3
    assert found.left_out["below_cap"] == 1


def test_a_holding_without_history_or_outside_the_universe_is_still_looked_at() -> None:
    found = run({"a.SSE": daily(FLAT)}, held=["gone.SSE"])
    assert [(candidate.vt_symbol, candidate.setup) for candidate in found.picked] == [("gone.SSE", "")]
    assert found.left_out == {"short_history": 0, "no_setup": 1, "below_cap": 0}


def test_breadth_and_regime_come_of_all_symbols_with_history() -> None:
    up = run({"a.SSE": trend(), "b.SSE": trend(), "c.SSE": daily(falling(70))}).market
    assert (up.breadth, up.regime) == (0.6667, "UP")
    assert run({"c.SSE": daily(falling(70))}).market.regime == "DOWN"


def test_without_data_nothing_is_claimed() -> None:
    found = run({})
    assert found.picked == ()
    assert (found.market.scanned, found.market.breadth, found.market.regime) == (0, None, "UNKNOWN")
    assert found.market.median_return_5d is None


@pytest.mark.parametrize(("breadth", "regime"), [(0.61, "UP"), (0.6, "FLAT"), (0.4, "FLAT"), (0.39, "DOWN")])
def test_the_regime_follows_breadth(breadth: float, regime: str) -> None:
    assert regime_of(breadth) == regime
