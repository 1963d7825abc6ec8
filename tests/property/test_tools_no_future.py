"""Whatever lies after the moment, bars, facts or texts: no tool's answer changes by one byte."""

import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "brain"))
from decision_world import NOW, daily
from fact_world import absence, counts, event, everything, full, index_of, value, view, waves

from vnpy_aiagent.data.bars import VALUE_FIELDS, BarSeries
from vnpy_aiagent.data.facts import EVENTS, METRICS
from vnpy_aiagent.domain import BarInterval
from vnpy_aiagent.errors import ToolError
from vnpy_aiagent.tools import ALL_TOOLS, Toolbox, tools_for
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

AHEAD = 40
ARGUMENTS = {"find_similar": '{"window": 10, "horizon": 5}', "get_bars": '{"count": 120}'}


def answers(seen: DecisionSnapshot) -> dict[str, str]:
    """What every tool says, refusals included."""
    told = {}
    for name in ALL_TOOLS:
        box = Toolbox(seen, ALL_TOOLS)
        try:
            evidence = box.call(name, ARGUMENTS.get(name, "{}"))
            told[name] = f"{evidence.available_at} {evidence.result}"
        except ToolError as error:
            told[name] = str(error)
    return told


def bars(length: int) -> BarSeries:
    return daily(waves(length))


def poisoned(series: BarSeries, at: datetime, factor: float) -> BarSeries:
    """The bars with everything after the moment multiplied."""
    later = series.end > int(at.timestamp())
    columns = {
        name: np.where(later, getattr(series, name) * factor, getattr(series, name)) for name in VALUE_FIELDS
    }
    return BarSeries(series.vt_symbol, series.interval, series.start, series.end, **columns)


moments = st.integers(0, 60 * 24 * AHEAD).map(lambda minutes: NOW + timedelta(minutes=minutes))


@st.composite
def later_facts(draw: st.DrawFn) -> list[Any]:
    """Facts that become known after the present, of all kinds."""
    after = st.integers(1, 10**7).map(lambda seconds: NOW + timedelta(seconds=seconds))
    names = draw(st.lists(st.sampled_from(sorted(METRICS)), max_size=8))
    happenings = draw(st.lists(st.sampled_from(sorted(EVENTS)), max_size=5))
    datasets = draw(st.lists(st.sampled_from(sorted(METRICS)), max_size=3))
    facts: list[Any] = []
    for name in names:
        amount = "801120" if name == "sw_industry" else str(draw(st.integers(-(10**9), 10**9)))
        facts.append(value(name, amount, available_at=draw(after)))
    for name in happenings:
        known = draw(after)
        on = NOW.date() + timedelta(days=draw(st.integers(-20, 90)))
        facts.append(event(name, on, "77" if EVENTS[name] else None, available_at=known))
    facts += [absence(name, "failed", available_at=draw(after)) for name in datasets]
    return facts


@hypothesis_settings(max_examples=40)
@given(later_facts(), st.floats(0.01, 100), st.integers(0, AHEAD))
def test_no_tool_sees_what_becomes_known_later(later: list[Any], factor: float, extra: int) -> None:
    past = full()
    length = len(past.bars[BarInterval.DAILY])
    longer = poisoned(bars(length + extra), NOW, factor)
    late_counts = tuple(replace(each, newest=NOW + timedelta(days=1), count=99) for each in counts())
    late_index = replace(index_of(), vt_symbol="399001.SZSE", available_at=NOW + timedelta(hours=6))
    facts = view(*everything(), *later, counts=(*counts(), *late_counts))
    seen = full(bars={BarInterval.DAILY: longer}, facts=facts, indices=(*past.indices, late_index))
    assert answers(seen) == answers(past)
    assert set(tools_for(seen)) == set(tools_for(past))


@hypothesis_settings(max_examples=25)
@given(moments, st.floats(0.01, 100))
def test_at_any_moment_bars_after_it_change_nothing(at: datetime, factor: float) -> None:
    length = len(full().bars[BarInterval.DAILY]) + AHEAD
    given_bars = bars(length)
    one = full(at=at, bars={BarInterval.DAILY: given_bars})
    other = full(at=at, bars={BarInterval.DAILY: poisoned(given_bars, at, factor)})
    assert answers(one) == answers(other)


@pytest.mark.parametrize("metric", sorted(set(METRICS) - {"sw_industry"}))
@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_every_value_is_told_from_the_moment_on_at_which_it_was_known(metric: str, seconds: int) -> None:
    fact = value(metric, "123456.5", available_at=NOW + timedelta(seconds=seconds))
    told = answers(full(facts=view(fact)))
    assert any("123456.5" in words for words in told.values()) == (seconds <= 0)
