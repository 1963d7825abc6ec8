"""The cost of a day before it is begun."""

from decimal import Decimal
from typing import Any

import pytest

from vnpy_aiagent.config import AccountSettings, LlmSettings, QuickModel, Settings
from vnpy_aiagent.domain import Style
from vnpy_aiagent.llm.estimate import SPEECH, STUDY, CostEstimate, daily_cost

PRICED = {"base_url": "https://x/v1", "model": "m", "input_price": 2, "output_price": 8}


def estimate(llm: dict[str, Any] | None = None, **changes: Any) -> CostEstimate:
    return daily_cost(Settings(llm=LlmSettings(**(PRICED | (llm or {}))), **changes))


def test_the_offline_analyst_costs_nothing() -> None:
    found = daily_cost(Settings())
    assert (found.typical.calls, found.typical.cost, found.at_most.cost) == (0, 0, 0)
    assert "没有费用" in str(found.sentence())


def test_a_default_day_lies_within_its_bounds() -> None:
    found = estimate()
    assert 0 < found.typical.calls < found.at_most.calls <= 2_000
    assert found.typical.cost is not None
    assert found.at_most.cost is not None
    assert 0 < found.typical.cost < found.at_most.cost <= 50
    assert f"{found.typical.cost:.2f} 元" in str(found.sentence())


def test_a_price_that_is_not_known_is_said() -> None:
    found = estimate({"input_price": 0, "output_price": 0})
    assert found.typical.calls > 0
    assert found.typical.cost is None
    assert found.at_most.cost is None
    assert "费用未知" in str(found.sentence())


@pytest.mark.parametrize("price", [0, 1])
def test_the_quick_models_price_counts_for_what_it_does(price: int) -> None:
    quick = QuickModel(model="q", input_price=Decimal(price), output_price=Decimal(price))
    found, alone = estimate({"quick": quick}), estimate()
    if price == 0:
        assert found.typical.cost is None
    else:
        assert found.typical.cost is not None
        assert alone.typical.cost is not None
        assert found.typical.cost < alone.typical.cost
    assert found.typical.calls == alone.typical.calls


def test_half_the_places_are_half_the_use() -> None:
    whole, half = estimate(), estimate(scan={"max_symbols": 5})
    assert half.typical.tokens == pytest.approx(whole.typical.tokens / 2, rel=0.01)
    assert estimate(universe=[f"60000{n}.SSE" for n in range(5)]).typical == half.typical


def test_only_enabled_passes_count_and_without_any_only_triggers_remain() -> None:
    job = {"name": "d", "at": "09:35", "task": "decide"}
    one = estimate(schedule=[job])
    assert one.typical.calls < estimate().typical.calls
    none = estimate(schedule=[job | {"enabled": False}])
    assert 0 < none.typical.calls < one.typical.calls


def test_a_lone_account_hears_two_voices_and_is_asked_once_a_place() -> None:
    alone = [AccountSettings(name="judge", style=Style.JUDGE)]
    budget = {"calls_per_day": 1_000_000, "cost_per_day": 1_000_000}
    lone, all_three = estimate(accounts=alone, budget=budget), estimate(budget=budget)
    assert lone.typical.calls < all_three.typical.calls
    assert lone.at_most.calls < all_three.at_most.calls


def test_the_budget_bounds_both() -> None:
    found = estimate(budget={"calls_per_day": 30, "cost_per_day": "0.01"})
    assert found.typical.calls == found.at_most.calls == 30
    assert found.typical.cost == found.at_most.cost == Decimal("0.01")


def test_a_typical_decision_fits_its_budget() -> None:
    debated = STUDY.plus(SPEECH.times(3))
    assert debated.calls < Settings().budget.calls_per_decision
    assert debated.prompt + debated.completion < Settings().budget.tokens_per_decision
