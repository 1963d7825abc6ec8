from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from decimal import Decimal
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vnpy_aiagent.errors import BudgetSpent, ModelError, ModelRefused, ModelTimeout, ModelUnavailable
from vnpy_aiagent.llm.budget import BudgetedModel, BudgetLimits, DayUse, Ledger
from vnpy_aiagent.llm.port import ChatMessage, ModelReply, ModelRequest, Usage
from vnpy_aiagent.llm.pricing import TokenPrice, estimate_prompt
from vnpy_aiagent.llm.scope import Scope
from vnpy_aiagent.testing.fake_model import FakeModel, Scripted

MONDAY, TUESDAY = date(2024, 1, 8), date(2024, 1, 9)
REQUEST = ModelRequest(task="t", messages=(ChatMessage(role="user", content="x" * 240),), max_tokens=100)
PRICE = TokenPrice(input=Decimal(10_000), output=Decimal(10_000))


def _reply(prompt: int = 50, completion: int = 10) -> ModelReply:
    usage = Usage(
        calls=1,
        prompt_tokens=prompt,
        completion_tokens=completion,
        cost=PRICE.cost(prompt, completion),
    )
    return ModelReply(text="hold", usage=usage)


def _budgeted(replies: list[Scripted], **limits: object) -> BudgetedModel:
    ledger = Ledger(BudgetLimits(**limits))  # type: ignore[arg-type]
    model = BudgetedModel(FakeModel(replies), ledger, price=PRICE)
    model.ledger.begin_decision(MONDAY)
    return model


def test_the_requests_worst_case_is_a_hundred_prompt_and_a_hundred_answer_tokens() -> None:
    assert estimate_prompt(REQUEST) == 100


def test_use_is_settled_by_what_was_reported() -> None:
    model = _budgeted([_reply(), _reply()])
    model.complete(REQUEST)
    model.complete(REQUEST)
    assert model.ledger.usage_decision == Usage(
        calls=2, prompt_tokens=100, completion_tokens=20, cost=Decimal("1.2")
    )
    assert model.ledger.usage_day == model.ledger.usage_decision


def test_calls_of_a_decision_end() -> None:
    model = _budgeted([_reply()] * 3, calls_per_decision=2)
    model.complete(REQUEST)
    model.complete(REQUEST)
    with pytest.raises(BudgetSpent, match=r"2 model calls of this decision.*budget\.calls_per_decision"):
        model.complete(REQUEST)
    model.ledger.begin_decision(MONDAY)
    model.complete(REQUEST)
    assert model.ledger.usage_decision.calls == 1
    assert model.ledger.usage_day.calls == 3


def test_a_call_whose_worst_case_does_not_fit_is_not_made() -> None:
    fake = FakeModel([_reply()])
    model = BudgetedModel(fake, Ledger(BudgetLimits(tokens_per_decision=199)))
    model.ledger.begin_decision(MONDAY)
    with pytest.raises(BudgetSpent, match="199 tokens of this decision"):
        model.complete(REQUEST)
    assert fake.requests == []
    assert model.ledger.usage_day == Usage()


def test_a_worst_case_that_just_fits_is_made_and_the_rest_is_free_again() -> None:
    model = _budgeted([_reply()] * 2, tokens_per_decision=200)
    model.complete(REQUEST)
    with pytest.raises(BudgetSpent, match="tokens"):
        model.complete(REQUEST)
    small = REQUEST.model_copy(update={"max_tokens": 40})
    model.complete(small)
    assert model.ledger.usage_decision.tokens == 120


def test_money_of_a_day_ends_and_the_next_market_day_has_new_money() -> None:
    model = _budgeted([_reply(100, 100)] * 2, cost_per_day=Decimal(3))
    model.complete(REQUEST)
    model.ledger.begin_decision(MONDAY)
    with pytest.raises(BudgetSpent, match=r"3 CNY for models on 2024-01-08.*budget\.cost_per_day"):
        model.complete(REQUEST)
    model.ledger.begin_decision(TUESDAY)
    model.complete(REQUEST)
    assert model.ledger.usage_day.cost == 2


def test_calls_of_a_day_end() -> None:
    model = _budgeted([_reply()], calls_per_day=1)
    model.complete(REQUEST)
    model.ledger.begin_decision(MONDAY)
    with pytest.raises(BudgetSpent, match="1 model calls of 2024-01-08"):
        model.complete(REQUEST)


def test_a_restart_frees_no_money() -> None:
    model = BudgetedModel(FakeModel([_reply()]), Ledger(BudgetLimits(cost_per_day=Decimal(5))), price=PRICE)
    model.ledger.restore_day(MONDAY, Usage(calls=7, cost=Decimal(4)))
    model.ledger.begin_decision(MONDAY)
    with pytest.raises(BudgetSpent, match="CNY"):
        model.complete(REQUEST)
    assert model.ledger.usage_day.calls == 7


def test_models_that_share_a_ledger_share_the_budget() -> None:
    ledger = Ledger(BudgetLimits(calls_per_decision=2))
    deep, quick = (BudgetedModel(FakeModel([_reply()] * 2), ledger, price=PRICE) for _ in range(2))
    ledger.begin_decision(MONDAY)
    deep.complete(REQUEST)
    quick.complete(REQUEST)
    with pytest.raises(BudgetSpent, match="calls_per_decision"):
        deep.complete(REQUEST)


def test_a_days_use_adds_up_until_the_next_day_begins() -> None:
    use = Usage(calls=2, prompt_tokens=10, cost=Decimal(1))
    spent = DayUse(MONDAY).add(MONDAY, use).add(MONDAY, use)
    assert spent == DayUse(MONDAY, Usage(calls=4, prompt_tokens=20, cost=Decimal(2)))
    assert spent.add(TUESDAY, use) == DayUse(TUESDAY, use)
    assert DayUse(TUESDAY, use).add(MONDAY, use) == DayUse(TUESDAY, use)


def test_time_of_a_decision_shortens_the_timeout_and_ends() -> None:
    now = [0.0]
    fake = FakeModel([_reply()])
    model = BudgetedModel(fake, Ledger(BudgetLimits(seconds_per_decision=30), lambda: now[0]))
    model.ledger.begin_decision(MONDAY)
    now[0] = 25.0
    model.complete(REQUEST)
    assert fake.requests[0].timeout == 5.0
    now[0] = 29.5
    with pytest.raises(BudgetSpent, match="30 seconds of this decision"):
        model.complete(REQUEST)


@pytest.mark.parametrize(
    ("error", "tokens"),
    [(ModelTimeout("slow"), 100), (ModelUnavailable("down"), 0), (ModelRefused("no"), 0)],
)
def test_a_failed_call_counts_and_costs_its_prompt_where_the_server_may_have_worked(
    error: ModelError, tokens: int
) -> None:
    model = _budgeted([error])
    with pytest.raises(type(error)):
        model.complete(REQUEST)
    assert model.ledger.usage_decision.calls == 1
    assert model.ledger.usage_decision.tokens == tokens
    assert model.ledger.usage_day.cost == PRICE.cost(tokens, 0)


def test_a_crash_of_the_model_frees_its_reservation() -> None:
    model = _budgeted([KeyError("bug"), _reply()], tokens_per_decision=200)
    with pytest.raises(KeyError):
        model.complete(REQUEST)
    assert model.complete(REQUEST).text == "hold"


def test_a_call_before_any_decision_is_a_mistake_of_the_program() -> None:
    model = BudgetedModel(FakeModel([_reply()]), Ledger(BudgetLimits()))
    with pytest.raises(RuntimeError, match="begin_decision"):
        model.complete(REQUEST)


def test_calls_at_the_same_time_are_both_settled() -> None:
    together = Barrier(2, timeout=10)

    def wait(request: ModelRequest) -> ModelReply:
        together.wait()
        return _reply()

    model = _budgeted([wait] * 2, tokens_per_decision=400)
    with ThreadPoolExecutor(2) as pool:
        replies = list(pool.map(model.complete, [REQUEST, REQUEST]))
    assert [reply.text for reply in replies] == ["hold", "hold"]
    assert model.ledger.usage_decision.calls == 2


def test_a_reservation_in_flight_blocks_what_no_longer_fits() -> None:
    model: BudgetedModel

    def nested(request: ModelRequest) -> ModelReply:
        with pytest.raises(BudgetSpent, match="tokens"):
            model.complete(request)
        return _reply()

    model = _budgeted([nested], tokens_per_decision=399)
    assert model.complete(REQUEST).text == "hold"


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=12),
    st.integers(200, 1000),
    st.integers(1, 8),
)
def test_honest_usage_never_passes_the_limits(uses: list[tuple[int, int]], tokens: int, calls: int) -> None:
    model = _budgeted([_reply(*use) for use in uses], tokens_per_decision=tokens, calls_per_decision=calls)
    for _ in uses:
        try:
            model.complete(REQUEST)
        except BudgetSpent:
            break
    assert model.ledger.usage_decision.tokens <= tokens
    assert model.ledger.usage_decision.calls <= calls


def test_decisions_at_the_same_time_have_limits_of_their_own_and_share_the_day() -> None:
    ledger = Ledger(BudgetLimits(calls_per_decision=1, calls_per_day=3))
    model = BudgetedModel(FakeModel([_reply()] * 3), ledger, price=PRICE)
    scopes = [Scope(ledger.begin_decision(MONDAY)) for _ in range(4)]
    for scope in scopes[:3]:
        model.answer(REQUEST, scope)
    with pytest.raises(BudgetSpent, match="calls_per_decision"):
        model.answer(REQUEST, scopes[0])
    with pytest.raises(BudgetSpent, match="calls_per_day"):
        model.answer(REQUEST, scopes[3])
    assert [scope.purse.usage.calls for scope in scopes if scope.purse] == [1, 1, 1, 0]
    assert ledger.usage_day.calls == 3


def test_a_decision_of_yesterday_that_ends_today_frees_none_of_todays_money() -> None:
    ledger = Ledger(BudgetLimits(cost_per_day=Decimal(3)))
    model = BudgetedModel(FakeModel([_reply(100, 100)] * 3), ledger, price=PRICE)
    late, today = ledger.begin_decision(MONDAY), ledger.begin_decision(TUESDAY)
    model.answer(REQUEST, Scope(today))
    model.answer(REQUEST, Scope(late))
    assert ledger.usage_day.cost == 2
    ledger.begin_decision(MONDAY)
    with pytest.raises(BudgetSpent, match="CNY for models on 2024-01-09"):
        model.answer(REQUEST, Scope(ledger.begin_decision(TUESDAY)))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100), st.booleans()), min_size=16, max_size=64),
    st.integers(1, 40),
    st.decimals(0, 60, places=1),
)
def test_sixteen_threads_never_spend_more_than_there_is(
    uses: list[tuple[int, int, bool]], calls: int, cost: Decimal
) -> None:
    """Each call uses at most what was reserved for it, or fails; at no moment is more spent or reserved."""
    ledger = Ledger(BudgetLimits(calls_per_day=calls, cost_per_day=cost))
    seen: list[Usage] = []

    def answer(request: ModelRequest) -> ModelReply:
        prompt, completion, fails = uses[int(request.task)]
        if fails:
            raise ModelTimeout("slow")
        return _reply(prompt, completion)

    model = BudgetedModel(FakeModel([answer] * len(uses)), ledger, price=PRICE)

    def decide(number: int) -> None:
        purse = ledger.begin_decision(MONDAY, lambda used: seen.append(ledger.usage_day))
        with suppress(BudgetSpent, ModelTimeout):
            model.answer(REQUEST.model_copy(update={"task": str(number)}), Scope(purse))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(decide, range(len(uses))))
    assert all(usage.cost <= cost and usage.calls <= calls for usage in [*seen, ledger.usage_day])
    assert ledger.usage_day.calls == len(seen)
    whole = Usage(calls=calls - ledger.usage_day.calls)
    if whole.calls and ledger.usage_day.cost <= cost:
        ledger.begin_decision(MONDAY).reserve(whole.model_copy(update={"calls": 1}))  # nothing stays reserved


def test_name_kind_and_close_are_those_of_the_model_behind() -> None:
    fake = FakeModel([], name="deepseek-chat", is_llm=True)
    model = BudgetedModel(fake, Ledger(BudgetLimits()))
    assert model.name == "deepseek-chat"
    assert model.is_llm
    model.close()
    assert fake.closed
