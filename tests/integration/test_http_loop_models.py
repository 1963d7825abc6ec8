"""The whole loop with a language model over real HTTP, well behaved and not."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from vnpy_aiagent.config import LlmSettings
from vnpy_aiagent.domain import (
    Action,
    Alert,
    AnalysisRequest,
    Decision,
    EquityMark,
    Fill,
    HandlerFailed,
    Proposal,
    RequestKind,
    RunEnded,
    ScanResult,
    Side,
    StopState,
    StopUpdate,
    TradeRecord,
)
from vnpy_aiagent.testing.model_server import (
    Body,
    Fault,
    ModelServer,
    closed_port_url,
    empty_choices,
    garbage,
    reset_in_body,
    text_reply,
    truncated,
)

from .loop_helpers import Played, play, settings, sse50
from .scripted_trader import trade

SYMBOLS = ("601857.SSE", "601988.SSE", "600150.SSE", "601600.SSE", "601088.SSE")
START, END = date(2025, 7, 1), date(2025, 7, 22)


def run(shared: Path, base_url: str, *, timeout: float = 5.0, end: date = END) -> Played:
    llm = LlmSettings(base_url=base_url, model="test-model", api_key="key", timeout=timeout, max_retries=0)
    return play(sse50(shared).restrict(SYMBOLS), start=START, end=end, settings=settings(llm=llm))


def test_a_model_that_uses_tools_trades_through_the_whole_loop(shared: Path) -> None:
    with ModelServer(trade) as server:
        played = run(shared, server.base_url)
        asked = len(server.requests)
    assert played.of(HandlerFailed) == []
    decisions = played.of(Decision)
    assert all(decision.is_llm and decision.failures == () for decision in decisions)
    assert sum(decision.usage.calls for decision in decisions) == asked > 50
    tools = {evidence.tool for d in decisions for evidence in d.evidence}
    assert tools >= {"get_quote", "get_indicators", "get_market"}
    roles = {"technical_analyst", "environment_analyst"}  # the others have no facts here
    asked_roles = {each.role for d in decisions for each in d.findings if each.evidence}
    assert asked_roles <= roles
    assert all(
        d.aggregate is not None and "fundamental_analyst" not in d.aggregate.weights for d in decisions
    )
    assert {fill.side for fill in played.of(Fill)} == {Side.BUY, Side.SELL}
    assert any(request.request is RequestKind.REPLAN for request in played.of(AnalysisRequest))
    assert any(update.state is StopState.FLAT for update in played.of(StopUpdate))
    assert played.of(TradeRecord)


def test_the_same_answers_over_http_write_the_same_journal(shared: Path) -> None:
    contents = []
    for _ in range(2):
        with ModelServer(trade) as server:
            played = run(shared, server.base_url, end=date(2025, 7, 8))
        contents.append([entry.content for entry in played.entries[1:]])  # the first names the port
    assert contents[0] == contents[1]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (lambda: Fault(status=429, message="slow down", retry_after=0), "ModelUnavailable"),
        (lambda: Fault(status=500), "ModelUnavailable"),
        (lambda: Fault(status=401, message="bad key"), "ModelRefused"),
        (garbage, "Model"),
        (truncated, "Model"),
        (reset_in_body, "Model"),
        (empty_choices, "Model"),
        (lambda: text_reply("buy everything!"), "ModelNonsense"),
        (lambda: text_reply('{"stance": "BULLISH", "strength": 7}'), "ModelNonsense"),
    ],
    ids=["429", "500", "401", "garbage", "truncated", "reset", "empty", "prose", "out_of_range"],
)
def test_a_model_that_fails_means_hold_with_a_reason(
    shared: Path, fault: Callable[[], Body | Fault], reason: str
) -> None:
    with ModelServer(lambda body: fault()) as server:
        played = run(shared, server.base_url, end=date(2025, 7, 2))
    _all_hold(played, reason)


def test_a_server_that_is_down_means_hold_with_a_reason(shared: Path) -> None:
    _all_hold(run(shared, closed_port_url(), end=date(2025, 7, 2)), "ModelUnavailable")


def test_a_server_that_is_too_slow_means_hold_with_a_reason(shared: Path) -> None:
    with ModelServer(lambda body: Fault(delay=30)) as server:
        played = run(shared, server.base_url, timeout=0.2, end=date(2025, 7, 1))
    _all_hold(played, "Model")
    first = played.of(Decision)[0].failures
    assert len(first) == 2  # after two calls without an answer the server is left alone
    assert all("ModelTimeout" in failure for failure in first)


def test_a_model_that_fails_half_way_leaves_positions_protected_and_the_run_goes_on(shared: Path) -> None:
    answered = 0

    def breaking(body: Body) -> Body | Fault:
        nonlocal answered
        answered += 1
        return trade(body) if answered <= 60 else Fault(status=503)

    with ModelServer(breaking) as server:
        played = run(shared, server.base_url)
    assert played.of(HandlerFailed) == []
    bought = [fill for fill in played.of(Fill) if fill.side is Side.BUY]
    assert bought
    failed = [decision for decision in played.of(Decision) if decision.failures]
    assert failed
    late = [p for p in played.of(Proposal) if p.id > failed[0].id]
    assert late
    assert all(p.action is Action.HOLD and p.abstained for p in late if p.decision_id >= failed[0].id)
    assert {mark.day for mark in played.of(EquityMark)} >= {END}
    assert isinstance(played.messages[played.entries[-1].id], RunEnded)
    engine = played.simulation.engine
    assert engine is not None
    for name, book in engine.house.portfolio.books.items():
        for symbol in book.positions:
            assert engine.monitoring.stops.get(name, symbol) is not None


def _all_hold(played: Played, *reasons: str) -> None:
    assert played.of(HandlerFailed) == []
    decisions, proposals = played.of(Decision), played.of(Proposal)
    assert len(decisions) == len(played.of(AnalysisRequest)) > 0
    assert all(any(reason in decision.failures[0] for reason in reasons) for decision in decisions)
    assert proposals
    assert {p.action for p in proposals} == {Action.HOLD}
    assert all(any(reason in p.abstained for reason in reasons) for p in proposals)
    assert played.of(Fill) == []
    assert isinstance(played.messages[played.entries[-1].id], RunEnded)


def test_a_server_that_is_down_is_told_once_and_every_run_ends_alike(shared: Path) -> None:
    runs = [run(shared, closed_port_url(), end=date(2025, 7, 4)) for _ in range(2)]
    first = [alert.text for alert in runs[0].of(Alert) if "没有应答" in str(alert.text)]
    assert len(first) == 1
    decisions = runs[0].of(Decision)
    assert sum("left alone" in decision.failures[0] for decision in decisions) == len(decisions) - 1 > 0
    assert [d.failures for d in runs[1].of(Decision)][1:] == [d.failures for d in decisions][1:]


def test_a_scan_names_each_symbol_that_it_left_out(shared: Path) -> None:
    played = play(sse50(shared).restrict(SYMBOLS), start=START, end=START)
    scans = played.of(ScanResult)
    assert scans
    for scan in scans:
        assert {reason: len(names) for reason, names in scan.left_out_symbols.items()} == scan.left_out
        named = [symbol for names in scan.left_out_symbols.values() for symbol in names]
        assert sorted([*named, *(pick.vt_symbol for pick in scan.picked)]) == sorted(SYMBOLS)
