"""Decisions of a language model, recorded over real HTTP and made again with the server gone."""

import json
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "brain"))
from decision_world import NOW, request, snapshot

from vnpy_aiagent.brain import BrainAnswer
from vnpy_aiagent.brain.build import BrainSetup
from vnpy_aiagent.brain.decide import failed_answer
from vnpy_aiagent.brain.kept import read_kept
from vnpy_aiagent.brain.replay import Replayed, replay
from vnpy_aiagent.brain.runner import ProcessRunner
from vnpy_aiagent.brain.shown_prompts import prompts_of
from vnpy_aiagent.config import BrainSettings, BudgetSettings, Fallback, LlmSettings, QuickModel
from vnpy_aiagent.domain import Action, Decision, Proposal, RunStarted, VirtualClock
from vnpy_aiagent.errors import ModelUnavailable
from vnpy_aiagent.llm.cassette import Cassette
from vnpy_aiagent.store.journal import JournalReader
from vnpy_aiagent.testing.model_server import (
    Body,
    Fault,
    ModelServer,
    Stream,
    closed_port_url,
    streamed,
    text_reply,
)

from .loop_helpers import Played, play, settings, sse50
from .scripted_trader import trade

SYMBOLS = ("601857.SSE", "601988.SSE", "600150.SSE", "601600.SSE", "601088.SSE")
START, END = date(2025, 7, 1), date(2025, 7, 8)
KEY = "sk-replay-0123456789"


def run(
    shared: Path, base_url: str, *, end: date = END, budget: BudgetSettings | None = None, **llm: Any
) -> Played:
    fields = {"model": "test-model", "api_key": KEY, "timeout": 5.0, "max_retries": 0} | llm
    made = settings(llm=LlmSettings(base_url=base_url, **fields), budget=budget or BudgetSettings())
    return play(sse50(shared).restrict(SYMBOLS), start=START, end=end, settings=made)


def again(played: Played, cassette: Path | None = None) -> list[Replayed]:
    """Every decision of a run, made again."""
    answers = Cassette(cassette or played.result.journal.with_name("cassette.db"))
    with JournalReader.open(played.result.journal) as reader:
        entries = list(reader.read(kinds=(Decision.kind,)))
        found = [replay(read_kept(reader, entry), answers) for entry in entries]
    answers.close()
    return found


@pytest.fixture(scope="module")
def recorded(shared: Path) -> Played:
    """A week with a model that trades; its server is gone afterwards."""
    with ModelServer(trade) as server:
        return run(shared, server.base_url, input_price=2, output_price=8)


def test_every_decision_is_made_again_byte_for_byte_without_the_server(recorded: Played) -> None:
    found = again(recorded)
    assert [each.difference for each in found] == [""] * len(found)
    assert len(found) == len(recorded.of(Decision)) > 10
    assert sum(each.proposals for each in found) == len(recorded.of(Proposal))
    asked = sum(decision.usage.calls for decision in recorded.of(Decision))
    assert sum(len(each.questions) for each in found) == asked
    assert all(decision.usage.cost > 0 for decision in recorded.of(Decision))


def test_the_prompts_shown_are_those_that_the_server_got(shared: Path) -> None:
    def aloud(body: Body) -> Body:
        answer = trade(body)
        answer["choices"][0]["message"]["reasoning_content"] = "thinking"
        return answer

    with ModelServer(aloud) as server:
        played = run(shared, server.base_url, end=date(2025, 7, 2))
    sent = [[(m["role"], m["content"] or "") for m in asked.body["messages"]] for asked in server.requests]
    shown: list[Any] = []
    answers = Cassette(played.result.journal.with_name("cassette.db"))
    for each in again(played):
        prompts = prompts_of(each, answers)
        assert all(prompt.exact and prompt.model == "test-model" for prompt in prompts)
        assert all(prompt.answer is not None and prompt.answer.reasoning == "thinking" for prompt in prompts)
        contents = [prompt.content for prompt in prompts if prompt.content]
        shown += [[(m["role"], m["content"]) for m in content["messages"]] for content in contents]
    answers.close()
    assert shown == sent


def test_a_run_from_the_cassette_is_the_recorded_one_but_for_its_cost(shared: Path, recorded: Played) -> None:
    cassette = recorded.result.journal.with_name("cassette.db")
    played = run(
        shared,
        closed_port_url(),
        input_price=2,
        output_price=8,
        cassette=str(cassette),
        cassette_mode="replay",
    )
    assert all(decision.usage.cost == 0 for decision in played.of(Decision))
    calls = [sum(decision.usage.calls for decision in each.of(Decision)) for each in (played, recorded)]
    assert calls[0] == calls[1] > 50
    assert _but_for_cost(played) == _but_for_cost(recorded)
    assert [each.difference for each in again(played, cassette)] == [""] * len(played.of(Decision))


def test_mode_auto_asks_nothing_that_is_recorded(shared: Path, recorded: Played) -> None:
    cassette = recorded.result.journal.with_name("cassette.db")
    with ModelServer(trade) as server:
        played = run(shared, server.base_url, cassette=str(cassette), cassette_mode="auto")
    assert server.requests == []
    assert len(played.of(Decision)) == len(recorded.of(Decision))


def test_a_question_that_was_not_recorded_means_hold_with_the_reason(shared: Path) -> None:
    played = run(shared, closed_port_url(), end=date(2025, 7, 1), cassette_mode="replay")
    proposals = played.of(Proposal)
    assert proposals
    assert all("CassetteMiss" in proposal.abstained for proposal in proposals)
    assert all("没有录下这次模型问答" in str(proposal.reasons[0].text) for proposal in proposals)
    assert [each.difference for each in again(played)] == [""] * len(played.of(Decision))


def test_mode_off_writes_no_file_and_replay_says_what_is_missing(shared: Path) -> None:
    with ModelServer(trade) as server:
        played = run(shared, server.base_url, end=date(2025, 7, 1), cassette_mode="off")
    assert not played.result.journal.with_name("cassette.db").exists()
    found = again(played)
    assert found
    assert all("the answer to question 1 (technical_analyst) is not in" in each.difference for each in found)


def test_the_quick_role_is_made_again_with_its_own_settings(shared: Path) -> None:
    with ModelServer(trade) as server:
        quick = QuickModel(model="small", max_tokens=777, seed=3)
        played = run(shared, server.base_url, quick=quick)
    assert {decision.model for decision in played.of(Decision)} == {"test-model", "small"}
    assert [each.difference for each in again(played)] == [""] * len(played.of(Decision))


@pytest.mark.parametrize(
    "fault",
    [
        lambda: Fault(status=500),
        lambda: Fault(status=401, message="bad key"),
        lambda: Fault(body=b"<html>"),
        lambda: text_reply("buy everything!"),
        lambda: text_reply('{"stance": "BULLISH", "strength": 7}'),
    ],
    ids=["500", "401", "garbage", "prose", "out_of_range"],
)
def test_failures_of_a_model_are_made_again_too(shared: Path, fault: Callable[[], Body | Fault]) -> None:
    answered = 0

    def failing(body: Body) -> Body | Fault:
        nonlocal answered
        answered += 1
        return fault() if answered % 5 in (3, 4) else trade(body)

    with ModelServer(failing) as server:
        played = run(shared, server.base_url, end=date(2025, 7, 2), input_price=2, output_price=8)
    assert any(decision.failures for decision in played.of(Decision))
    assert [each.difference for each in again(played)] == [""] * len(played.of(Decision))


def test_decisions_that_a_fallback_answered_are_made_again(shared: Path) -> None:
    """The first server answers every third question, refuses one and dies in the middle of another."""
    asked = 0

    def flaky(body: Body) -> Body | Fault | Stream:
        nonlocal asked
        asked += 1
        if asked % 3 == 1:
            return trade(body)
        return (
            Fault(status=429, retry_after=60)
            if asked % 3 == 2
            else streamed(text_reply("看多" * 9), share=0.5)
        )

    with ModelServer(flaky) as first, ModelServer(trade) as second:
        spare = Fallback(base_url=second.base_url, model="spare", api_key=KEY + "-2", output_price=9)
        played = run(shared, first.base_url, fallbacks=(spare,), input_price=2, output_price=8)
    exchanges = [each for decision in played.of(Decision) for each in decision.exchanges]
    assert {each.model for each in exchanges} == {"test-model", "spare"}
    assert [each.difference for each in again(played)] == [""] * len(played.of(Decision))
    facts = played.of(RunStarted)[0].mind["deep"]["fallbacks"]
    assert facts == [{"model": "spare", "input_price": "0", "output_price": "9"}]
    assert all(KEY.encode() not in path.read_bytes() for path in played.result.journal.parent.iterdir())


def test_both_servers_down_hold_and_are_made_again(shared: Path) -> None:
    spare = Fallback(base_url=closed_port_url(), model="spare", input_price=7)
    played = run(shared, closed_port_url(), end=date(2025, 7, 2), fallbacks=(spare,))
    proposals = played.of(Proposal)
    assert proposals
    assert {proposal.action for proposal in proposals} == {Action.HOLD}
    assert all("ModelUnavailable" in proposal.abstained for proposal in proposals)
    assert [each.difference for each in again(played)] == [""] * len(played.of(Decision))


def test_roles_that_ask_different_models_are_made_again(shared: Path) -> None:
    with ModelServer(trade) as server, ModelServer(trade) as small:
        quick = QuickModel(base_url=small.base_url, model="small", max_tokens=777, seed=3, input_price=1)
        played = run(shared, server.base_url, quick=quick, roles={"conservative": "quick", "judge": "deep"})
    tokens = {body["max_tokens"] for body in (request.body for request in small.requests)}
    assert tokens == {777}
    asked = [each for each in played.of(Decision) if len({e.model for e in each.exchanges}) == 2]
    assert asked
    assert [each.difference for each in again(played)] == [""] * len(played.of(Decision))


def test_a_spent_budget_is_made_again_too(shared: Path) -> None:
    with ModelServer(trade) as server:
        budget = BudgetSettings(calls_per_decision=3)
        played = run(shared, server.base_url, end=date(2025, 7, 2), budget=budget)
    assert any("BudgetSpent" in failure for d in played.of(Decision) for failure in d.failures)
    assert [each.difference for each in again(played)] == [""] * len(played.of(Decision))


def test_a_late_decision_that_no_model_was_asked_for_is_made_again(recorded: Played) -> None:
    """As if the brain's process had ended: the journal holds the answer that stands for it."""
    with JournalReader.open(recorded.result.journal) as reader:
        kept = read_kept(reader, next(iter(reader.read(kinds=(Decision.kind,)))))
    for error in (ModelUnavailable("the brain process ended unexpectedly"), KeyError("x")):
        answer = failed_answer(kept.request, kept.snapshot, "test-model", True, error)
        place = {"id": kept.entry.id, "at": kept.decision.at, "cause": kept.request.id}
        decision = answer.decision.model_copy(update=place)
        entry = replace(kept.entry, body=decision.model_dump_json())
        proposals = tuple(
            replace(
                kept.proposals[0],
                body=p.model_copy(update={"id": "p", "decision_id": kept.entry.id}).model_dump_json(),
            )
            for p in answer.proposals
        )
        found = replay(
            replace(kept, entry=entry, decision=decision, proposals=proposals), Cassette(Path("no.db"))
        )
        assert found.difference == ""
        assert found.unasked
        assert found.proposals == len(answer.proposals) > 0


def test_the_brain_process_records_what_this_process_reads(tmp_path: Path) -> None:
    told: Queue[Any] = Queue()
    answers: Queue[BrainAnswer] = Queue()
    weak = '{"stance": "NEUTRAL", "strength": 0, "confidence": 0.5, "text": "无"}'
    with ModelServer(lambda body: text_reply(weak)) as server:
        llm = LlmSettings(base_url=server.base_url, model="m", api_key=KEY)
        setup = BrainSetup(llm, BudgetSettings(), BrainSettings(), cassette=tmp_path / "cassette.db")
        runner = ProcessRunner(setup, "m", True, told.put, VirtualClock(NOW))
        runner.submit(request(), snapshot(), answers.put)
        decision = answers.get(timeout=120).decision
        cassette = Cassette(tmp_path / "cassette.db")
        found = [cassette.find(each.request, each.reply) for each in decision.exchanges]
        runner.close()
    assert [each.text for each in found if each] == [weak] == [weak] * decision.usage.calls
    assert cassette.question(decision.exchanges[0].request)
    cassette.close()
    assert told.empty()
    assert all(KEY.encode() not in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("UPDATE exchange SET answer = replace(answer, 'scripted', 'rewritten')", "was changed"),
        ("DELETE FROM exchange WHERE seq = 1", "is not in"),
    ],
)
def test_a_tampered_cassette_is_told(recorded: Played, tmp_path: Path, damage: str, sentence: str) -> None:
    copy = tmp_path / "cassette.db"
    copy.write_bytes(recorded.result.journal.with_name("cassette.db").read_bytes())
    database = sqlite3.connect(copy)
    with database:
        database.execute(damage)
    database.close()
    found = [each.difference for each in again(recorded, copy) if each.difference]
    assert found
    assert all(sentence in difference for difference in found)


def test_neither_journal_nor_cassette_holds_the_key(recorded: Played) -> None:
    for path in recorded.result.journal.parent.iterdir():
        assert KEY.encode() not in path.read_bytes(), path
    assert recorded.of(RunStarted)[0].mind["deep"]["model"] == "test-model"


def _but_for_cost(played: Played) -> list[tuple[str, Any]]:
    """All entries but the first, which names the port, without what model calls cost."""
    return [(entry.kind, _free(json.loads(entry.body))) for entry in played.entries[1:]]


def _free(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _free(each) for key, each in value.items() if key != "cost"}
    return [_free(each) for each in value] if isinstance(value, list) else value
