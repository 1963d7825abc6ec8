"""What holds for every tool: described, bounded, useful or a sentence, and blind to what comes after."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from decision_world import NOW, account, lesson, snapshot
from fact_world import absence, event, full, index_of, value, view

from vnpy_aiagent.data.facts import EVENTS, MARKET_SUBJECT, METRICS, TextCount
from vnpy_aiagent.domain import BarInterval, Style
from vnpy_aiagent.errors import ToolError
from vnpy_aiagent.llm.grounding import price_levels
from vnpy_aiagent.llm.pricing import estimate_tokens
from vnpy_aiagent.tools import ALL_TOOLS, Toolbox, tools_for
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

LONGEST_DESCRIPTION = 200
MOST_TOKENS = 4_000
WITH_PRICES = {"get_bars", "get_indicators", "get_quote"}
ALWAYS = {"get_accounts", "get_learnings", "get_market", "get_quote"}
SENTENCE = re.compile(r"[a-z0-9].*\w", re.DOTALL)


def empty() -> DecisionSnapshot:
    """Nothing but the instrument."""
    return snapshot(bars={}, quote=None, accounts=())


@pytest.mark.parametrize("name", sorted(ALL_TOOLS))
def test_a_tool_says_what_it_does_and_what_each_argument_is(name: str) -> None:
    tool = ALL_TOOLS[name]
    assert tool.name == name
    assert 20 <= len(tool.description) <= LONGEST_DESCRIPTION
    assert tool.run.__doc__
    parameters = tool.spec().parameters
    assert parameters["additionalProperties"] is False
    for argument, schema in parameters.get("properties", {}).items():
        assert "description" in schema or "enum" in schema, argument


@pytest.mark.parametrize("name", sorted(ALL_TOOLS))
def test_a_full_snapshot_gives_finite_json_within_the_bound(name: str) -> None:
    evidence = Toolbox(full(), ALL_TOOLS).call(name, "{}")
    assert json.loads(evidence.result)
    assert len(evidence.result) <= ALL_TOOLS[name].max_chars
    assert estimate_tokens(evidence.result) <= MOST_TOKENS


@pytest.mark.parametrize("name", sorted(set(ALL_TOOLS) - ALWAYS))
def test_an_empty_snapshot_offers_no_tool_and_a_call_gets_a_sentence(name: str) -> None:
    with pytest.raises(ToolError, match=SENTENCE):
        Toolbox(empty(), ALL_TOOLS).call(name, "{}")


def test_what_is_offered_depends_on_what_is_held() -> None:
    assert set(tools_for(full())) == set(ALL_TOOLS)
    bars_only = set(tools_for(snapshot()))
    assert bars_only == ALWAYS | {"get_bars", "get_indicators", "find_similar", "get_portfolio"}


@pytest.mark.parametrize("name", sorted(ALL_TOOLS))
def test_only_bars_indicators_and_quote_hold_levels_that_a_plan_may_copy(name: str) -> None:
    levels = list(price_levels(Toolbox(full(), ALL_TOOLS).call(name, "{}").result))
    assert bool(levels) == (name in WITH_PRICES)


def crowded() -> DecisionSnapshot:
    """As much of everything as a tool can meet, each fact with a long source and moment of its own."""
    moments = iter(NOW - timedelta(minutes=minute) for minute in range(1, 5_000))

    def own() -> dict[str, Any]:
        moment = next(moments)
        return {"available_at": moment, "source": f"source_{moment:%d%H%M}".ljust(40, "x")}

    facts = [value(name, "-1234567.123456", **own()) for name in METRICS if name != "sw_industry"]
    facts += [absence(name, "not_published", **own()) for name in METRICS]
    facts += [
        event(name, NOW.date() + timedelta(days=day), "1234567.25" if unit else None, **own())
        for day in range(30)
        for name, unit in EVENTS.items()
    ]
    many = tuple(TextCount(MARKET_SUBJECT, "policy", "csrc", 10_000, NOW) for _ in range(60))
    weights = {f"{600000 + i}.SSE": 0.01 + i / 1e6 for i in range(60)}
    accounts = tuple(
        replace(account(Style.JUDGE), name=f"account_number_{i}", weights=weights) for i in range(9)
    )
    return full(
        facts=view(*facts, counts=many),
        accounts=accounts,
        indices=tuple(replace(index_of(), vt_symbol=f"00000{i}.SSE") for i in range(8)),
        lessons=tuple(lesson(id=f"r1-{i:07}") for i in range(10)),
    )


@pytest.mark.parametrize("name", sorted(ALL_TOOLS))
def test_a_crowded_snapshot_stays_within_the_bound(name: str) -> None:
    evidence = Toolbox(crowded(), ALL_TOOLS).call(name, "{}")
    assert len(evidence.result) <= ALL_TOOLS[name].max_chars


def test_the_page_of_the_tools_has_a_row_for_each_with_its_bound() -> None:
    page = (Path(__file__).parents[3] / "docs" / "tools.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if "|" in line]
    told = {row[0].strip("`"): row[-1] for row in rows if row[0].startswith("`get_") or "find_" in row[0]}
    assert told == {name: f"{tool.max_chars:,}" for name, tool in ALL_TOOLS.items()}


def test_the_largest_arguments_stay_within_the_bound() -> None:
    tools = Toolbox(full(), ALL_TOOLS)
    assert len(json.loads(tools.call("get_bars", '{"count": 120}').result)["rows"]) == 120
    assert tools.call("find_similar", '{"window": 5, "horizon": 1, "count": 20}')
    assert tools.call("get_calendar", '{"days": 400}')


def test_a_result_above_its_bound_is_a_tool_error() -> None:
    tool = ALL_TOOLS["get_bars"]
    tight = {"get_bars": type(tool)(tool.name, tool.description, tool.arguments, tool.run, max_chars=100)}
    with pytest.raises(ToolError, match="above its 100; ask for less"):
        Toolbox(full(), tight).call("get_bars", "{}")


def test_bars_and_indicators_take_every_timeframe() -> None:
    names = {each.name for each in BarInterval}
    for tool in ("get_bars", "get_indicators"):
        assert set(ALL_TOOLS[tool].spec().parameters["properties"]["interval"]["enum"]) == names
