"""Whatever a model answers: no exception, one proposal an account, and only grounded, resolvable plans."""

import json
import sys
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "brain"))
from decision_world import PLAN, account, calls, daily, finding, position, request, snapshot

from vnpy_aiagent.brain.decide import Brain
from vnpy_aiagent.brain.plans import price_context, with_entry
from vnpy_aiagent.brain.scan import scan
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.data.atr import average_true_range
from vnpy_aiagent.domain import (
    Action,
    BarInterval,
    PriceBasis,
    RequestKind,
    Style,
    TriggerKind,
    resolve,
)
from vnpy_aiagent.llm.port import ModelReply, ModelRequest
from vnpy_aiagent.testing.fake_model import FakeModel

NUMBERS = st.floats(-40, 40) | st.just(float("nan"))
PRICES = st.fixed_dictionaries(
    {"basis": st.sampled_from(list(PriceBasis)), "offset": NUMBERS},
    optional={"evidence": st.sampled_from(["e1", "e9"]), "level": st.sampled_from([20.0, 19.9, 5.0])},
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "symbol": st.sampled_from(["600036.SSE", "600519.SSE"]),
        "action": st.sampled_from([*Action, "SHORT"]),
        "target_weight": NUMBERS,
        "entry": st.none() | PRICES,
        "stop": st.none() | PRICES,
        "target": st.none() | PRICES,
        "confidence": NUMBERS,
        "triggers": st.lists(
            st.fixed_dictionaries(
                {"trigger": st.sampled_from(list(TriggerKind))},
                optional={"price": PRICES, "sessions": st.integers(-1, 70)},
            ),
            max_size=2,
        ),
    },
)
REPLIES = st.one_of(
    CHANGES.map(lambda changes: ModelReply(text=json.dumps(PLAN | changes))),
    st.text(max_size=30).map(lambda text: ModelReply(text=text)),
    st.just(calls("get_quote")),
)


@settings(max_examples=150)
@given(
    replies=st.lists(REPLIES, min_size=4, max_size=4),
    held=st.booleans(),
    kind=st.sampled_from(RequestKind),
)
def test_any_answers_give_one_sound_proposal_an_account(
    replies: list[ModelReply], held: bool, kind: RequestKind
) -> None:
    place = iter(range(10**6))

    def speak(asked: ModelRequest) -> ModelReply:
        return replies[next(place) % len(replies)]

    accounts = tuple(account(style, position() if held else None) for style in Style)
    view = snapshot(accounts=accounts)
    model = FakeModel([calls("get_quote"), finding(), *[speak] * 30])
    made = Brain(model, LlmSettings(), BrainSettings()).decide(request(kind), view)
    assert [proposal.account for proposal in made.proposals] == [each.name for each in accounts]
    for proposal in made.proposals:
        assert proposal.symbol == "600036.SSE"
        if proposal.action in (Action.BUY, Action.ADD):
            assert proposal.entry is not None
            assert proposal.stop is not None
            context = price_context(view, average_true_range(view.bars[BarInterval.DAILY].upto(view.at)))
            entry = resolve(proposal.entry, context)
            assert resolve(proposal.stop, with_entry(context, entry)) < entry
        assert held or proposal.action in (Action.BUY, Action.HOLD)
        assert not proposal.abstained or proposal.action is Action.HOLD


@given(
    closes=st.lists(st.lists(st.floats(0.5, 500), min_size=61, max_size=64), max_size=4),
    held=st.sets(st.sampled_from(["s0.SSE", "s1.SSE", "x.SSE"])),
    cap=st.integers(1, 5),
)
@settings(max_examples=60)
def test_a_scan_accounts_for_every_symbol(closes: list[list[float]], held: set[str], cap: int) -> None:
    worlds: dict[str, Any] = {f"s{n}.SSE": daily(row) for n, row in enumerate(closes)}
    empty = daily([])
    found = scan(worlds, lambda s: worlds.get(s, empty), held, max_symbols=cap, min_history=61)
    assert len(found.picked) <= cap
    assert len(found.picked) + sum(found.left_out.values()) == found.market.scanned == len(set(worlds) | held)
    assert [c.held for c in found.picked] == sorted((c.held for c in found.picked), reverse=True)
