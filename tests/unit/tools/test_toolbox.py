"""The toolbox: evidence ids, repeats, refusals, nothing of the future, and only finite JSON."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import inf, isfinite, nan

import pytest
from decision_world import NOW, SYMBOL, account, daily, lesson, position, quote, rising, snapshot
from fact_world import full

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import MARKET_TZ, BarInterval, Style
from vnpy_aiagent.errors import ToolError
from vnpy_aiagent.tools import ALL_TOOLS, Tool, Toolbox, ToolResult
from vnpy_aiagent.tools.registry import NoArguments, as_message
from vnpy_aiagent.tools.snapshot import DecisionSnapshot


def only_finite(node: object) -> bool:
    if isinstance(node, dict):
        return all(only_finite(value) for value in node.values())
    if isinstance(node, list):
        return all(only_finite(value) for value in node)
    return not isinstance(node, float) or isfinite(node)


def box(view: DecisionSnapshot | None = None) -> Toolbox:
    return Toolbox(view or snapshot(), ALL_TOOLS)


def strict(text: str) -> object:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_evidence_is_numbered_in_order_of_calls() -> None:
    tools = box()
    assert [tools.call(name, "{}").id for name in ("get_quote", "get_market", "get_bars")] == [
        "e1",
        "e2",
        "e3",
    ]
    assert [evidence.tool for evidence in tools.evidence] == ["get_quote", "get_market", "get_bars"]


def test_the_same_call_again_is_the_same_evidence_and_not_run_twice() -> None:
    runs = []

    def count(view: DecisionSnapshot, arguments: NoArguments) -> ToolResult:
        runs.append(1)
        return ToolResult({"n": len(runs)}, None)

    tools = Toolbox(snapshot(), {"count": Tool("count", "counts", NoArguments, count)})
    first = tools.call("count", "{}")
    assert tools.call("count", "") is first
    assert tools.call("count", " { } ".strip()) is first
    assert len(runs) == len(tools.evidence) == 1


def test_defaults_written_out_are_the_same_call() -> None:
    tools = box()
    spelled = tools.call("get_bars", '{"count": 20, "interval": "DAILY"}')
    assert tools.call("get_bars", "{}") is spelled
    assert tools.call("get_bars", '{"count": 21}').id == "e2"


def test_an_unknown_tool_is_refused_with_the_list_of_tools() -> None:
    with pytest.raises(ToolError, match=r"no tool 'send_order'.*get_quote"):
        box().call("send_order", "{}")


@pytest.mark.parametrize(
    "arguments",
    [
        "not json",
        "[]",
        "null",
        '{"count": 0}',
        '{"count": 1e9}',
        '{"interval": "TICK"}',
        '{"symbol": "x"}',
        "  ",
    ],
)
def test_wrong_arguments_are_refused_with_what_to_correct(arguments: str) -> None:
    tools = box()
    with pytest.raises(ToolError, match=r"get_bars: .*correct the arguments"):
        tools.call("get_bars", arguments)
    assert tools.evidence == []


@pytest.mark.parametrize("name", sorted(ALL_TOOLS))
@pytest.mark.parametrize("held", [None, position(), position(cost=Decimal(0), stop=None)])
def test_every_tool_gives_strict_json_that_was_available(name: str, held: object) -> None:
    view = full(accounts=(account(Style.JUDGE, held),), lessons=(lesson(), lesson(confirmed=False)))
    evidence = box(view).call(name, "{}")
    assert only_finite(strict(evidence.result))
    assert evidence.available_at is None or evidence.available_at <= NOW
    message = strict(as_message(evidence))
    assert isinstance(message, dict)
    assert message["evidence_id"] == "e1"
    assert message["data"] == json.loads(evidence.result)


@pytest.mark.parametrize("volume", [nan, 0.0])
@pytest.mark.parametrize("name", ["get_bars", "get_indicators"])
def test_missing_volumes_are_null_or_zero_and_never_nan(name: str, volume: float) -> None:
    view = snapshot(bars={BarInterval.DAILY: daily(rising(), [volume] * 90)})
    data = strict(box(view).call(name, "{}").result)
    assert isinstance(data, dict)
    if name == "get_indicators":
        assert data["volume_ratio"] is None


def test_flat_prices_have_indicators_too() -> None:
    view = snapshot(bars={BarInterval.DAILY: daily([10.0] * 90)})
    data = json.loads(box(view).call("get_indicators", "{}").result)
    assert (data["close"], data["sma60"], data["return20"]) == (10.0, 10.0, 0.0)
    assert only_finite(data)


def test_a_bar_that_is_not_complete_is_not_shown() -> None:
    days = (NOW.date() - date(2024, 1, 2)).days + 1
    view = snapshot(bars={BarInterval.DAILY: daily(rising(days + 5))})
    data = json.loads(box(view).call("get_bars", '{"count": 1}').result)
    assert data["rows"][0][0] == "2024-05-05T15:00+08:00"
    later = snapshot(at=NOW.replace(hour=15), bars=view.bars)
    data = json.loads(box(later).call("get_bars", '{"count": 1}').result)
    assert data["rows"][0][0] == "2024-05-06T15:00+08:00"


def test_data_after_the_present_is_withheld() -> None:
    with pytest.raises(ToolError, match="after the present; it was withheld"):
        box(snapshot(quote=quote(at=NOW + timedelta(seconds=1)))).call("get_quote", "{}")
    tools = box(snapshot(lessons=(lesson(at=NOW + timedelta(days=1)),)))
    with pytest.raises(ToolError, match="withheld"):
        tools.call("get_learnings", "{}")
    assert tools.evidence == []


def test_without_a_quote_the_model_is_told_to_hold() -> None:
    with pytest.raises(ToolError, match="hold"):
        box(snapshot(quote=None)).call("get_quote", "{}")


@pytest.mark.parametrize("days", [0, 1, 29])
def test_too_short_a_history_is_a_tool_error(days: int) -> None:
    view = snapshot(bars={BarInterval.DAILY: daily(rising(days))})
    with pytest.raises(ToolError, match="indicators need at least 30"):
        box(view).call("get_indicators", "{}")
    if not days:
        with pytest.raises(ToolError, match="no complete bars"):
            box(view).call("get_bars", "{}")


def test_an_interval_that_cannot_be_made_names_what_is_held() -> None:
    with pytest.raises(ToolError, match="no MINUTE bars are held; ask for one of DAILY"):
        box().call("get_bars", '{"interval": "MINUTE"}')
    with pytest.raises(ToolError, match="bars"):
        box(snapshot(bars={})).call("get_bars", "{}")


def test_weekly_bars_are_made_of_daily_ones() -> None:
    closes = rising(30)
    days = [date(2024, 3, 4) + timedelta(days=7 * (i // 5) + i % 5) for i in range(30)]
    rows = [(day, c, c, c, c, 100.0) for day, c in zip(days, closes, strict=True)]
    series = BarSeries.from_rows(SYMBOL, BarInterval.DAILY, rows)
    data = json.loads(
        box(snapshot(bars={BarInterval.DAILY: series})).call("get_bars", '{"interval": "WEEKLY"}').result
    )
    assert data["rows"][0][4] == closes[4]
    assert data["rows"][0][5] == 500.0


def test_unconfirmed_lessons_carry_no_adjustment() -> None:
    view = snapshot(lessons=(lesson(), lesson(id="l2", confirmed=False)))
    data = json.loads(box(view).call("get_learnings", "{}").result)
    assert [each["adjustment"] for each in data["learnings"]] == [-0.1, 0.0]


def test_account_figures_are_those_of_the_account() -> None:
    view = snapshot(accounts=(account(Style.JUDGE, position()), account(Style.AGGRESSIVE)))
    judge, aggressive = json.loads(box(view).call("get_accounts", "{}").result)["accounts"]
    assert judge["position"]["return"] == pytest.approx(1 / 19, abs=1e-6)
    assert judge["invested"] == 0.02
    assert aggressive["position"] is None


def test_a_tool_that_returns_infinity_does_not_reach_the_model() -> None:
    endless = Tool("endless", "x", NoArguments, lambda view, arguments: ToolResult({"x": inf}, None))
    with pytest.raises(ToolError, match="endless"):
        Toolbox(snapshot(), {"endless": endless}).call("endless", "{}")


def test_schemas_name_every_argument_and_refuse_others() -> None:
    specs = {spec.name: spec.parameters for spec in box().specs()}
    assert set(specs) == set(ALL_TOOLS)
    assert specs["get_bars"]["additionalProperties"] is False
    assert set(specs["get_bars"]["properties"]) == {"interval", "count"}


def test_a_snapshot_finds_its_accounts_by_name() -> None:
    assert snapshot().account("judge").style is Style.JUDGE
    with pytest.raises(KeyError):
        snapshot().account("nobody")


def test_times_are_shanghai_times() -> None:
    data = json.loads(box().call("get_quote", "{}").result)
    assert datetime.fromisoformat(data["at"]) == NOW.astimezone(MARKET_TZ)
