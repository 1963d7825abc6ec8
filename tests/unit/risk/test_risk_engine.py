"""The engine takes the smallest bound; entries-only rules never hinder an exit; a broken rule refuses."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest

from vnpy_aiagent.config import RiskLimits
from vnpy_aiagent.domain import Mode, Outcome, RuleLine, TradingState, say
from vnpy_aiagent.risk import RiskContext, RiskEngine

Make = Callable[..., RiskContext]


@dataclass
class Fixed:
    """A rule that always gives the same bound."""

    max_volume: int | None
    name: str = "fixed"
    entries_only: bool = False

    def check(self, context: RiskContext) -> RuleLine:
        return RuleLine(rule=self.name, passed=True, max_volume=self.max_volume, text=say("固定"))


class Broken:
    """A rule with a bug."""

    name = "broken"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        raise ZeroDivisionError("division by zero")


def test_a_sound_entry_is_approved_whole_with_a_line_of_every_rule(context: Make) -> None:
    assessment = RiskEngine().assess(context())
    assert (assessment.outcome, assessment.volume) == (Outcome.APPROVED, 1000)
    assert [line.rule for line in assessment.lines] == [rule.name for rule in RiskEngine().rules]


def test_names_of_rules_differ() -> None:
    names = [rule.name for rule in RiskEngine().rules]
    assert len(set(names)) == len(names) == 20


def test_the_smallest_bound_wins_and_the_entry_is_reduced(context: Make) -> None:
    assessment = RiskEngine().assess(context(wanted=9000, available=Decimal(60_100)))
    bounds = {line.rule: line.max_volume for line in assessment.lines if line.max_volume is not None}
    assert min(bounds, key=lambda rule: bounds[rule]) == "cash"
    assert assessment.outcome is Outcome.REDUCED
    assert assessment.volume == 3000
    assert all(line.passed for line in assessment.lines)


def test_rounding_to_lots_alone_is_no_reduction(context: Make, sale: Make) -> None:
    bought = RiskEngine().assess(context(wanted=1050))
    sold = RiskEngine().assess(sale(wanted=550))
    assert (bought.outcome, bought.volume) == (Outcome.APPROVED, 1000)
    assert (sold.outcome, sold.volume) == (Outcome.APPROVED, 500)


def test_a_sale_of_what_is_only_partly_sellable_is_reduced(sale: Make) -> None:
    assessment = RiskEngine().assess(sale(wanted=1000, sellable=600))
    assert (assessment.outcome, assessment.volume) == (Outcome.REDUCED, 600)


def test_one_refusal_rejects_and_every_rule_is_still_heard(context: Make) -> None:
    assessment = RiskEngine().assess(context(confidence=0.1, entries_today=9))
    assert (assessment.outcome, assessment.volume) == (Outcome.REJECTED, 0)
    assert {line.rule for line in assessment.lines if not line.passed} == {"confidence", "entries_per_day"}
    assert len(assessment.lines) == len(RiskEngine().rules)


def test_a_lot_that_is_too_dear_is_rejected_in_one_sentence(context: Make) -> None:
    assessment = RiskEngine().assess(
        context(symbol="600519.SSE", price=Decimal(1450), stop=Decimal(1400), wanted=100, quote=None)
    )
    assert assessment.outcome is Outcome.REJECTED
    assert "单票仓位 14.5% 超过上限 10.0%（最少买入 100 股）" in [str(line.text) for line in assessment.lines]


def test_no_entry_rule_ever_hinders_an_exit(sale: Make) -> None:
    worst = sale(
        confidence=0.0,
        mode=Mode.LIVE,
        state=TradingState.REDUCING,
        limits=RiskLimits(max_positions=1, max_exposure=0.0, max_entries_per_day=0, max_weight_share=0.0),
        equity=Decimal(-1),
        available=Decimal(-1000),
        working=500,
        exposure=Decimal(10**9),
        positions=99,
        entries_today=99,
        day_start_equity=Decimal(10**9),
        peak_equity=Decimal(10**9),
        average_volume=None,
        allowlist=(),
        capital_limit=Decimal(0),
    )
    assessment = RiskEngine().assess(worst)
    assert (assessment.outcome, assessment.volume) == (Outcome.APPROVED, 500)
    exits = {rule.name for rule in RiskEngine().rules if not rule.entries_only}
    assert {line.rule for line in assessment.lines} == exits
    assert exits == {"trading_state", "fresh_quote", "sellable", "lot_size"}


def test_a_broken_rule_refuses_and_says_so(context: Make, sale: Make) -> None:
    engine = RiskEngine([Fixed(500), Broken()])
    assessment = engine.assess(context())
    assert assessment.outcome is Outcome.REJECTED
    assert str(assessment.lines[-1].text) == "规则 broken 出错：ZeroDivisionError: division by zero"
    assert engine.assess(sale()).outcome is Outcome.APPROVED


def test_bounds_that_leave_less_than_a_lot_are_rejected_by_the_tightest(context: Make, sale: Make) -> None:
    engine = RiskEngine([Fixed(500, "wide"), Fixed(60, "tight"), Fixed(None, "silent")])
    assessment = engine.assess(context())
    assert assessment.outcome is Outcome.REJECTED
    assert assessment.lines[-1].rule == "tight"
    assert str(assessment.lines[-1].text) == "tight 只允许 60 股，不足最少买入 100 股"
    assert "不足一手" in str(engine.assess(sale()).lines[-1].text)


@pytest.mark.parametrize("wanted", [0, -100, 50])
def test_nothing_wanted_is_rejected_even_without_bounds(context: Make, wanted: int) -> None:
    assessment = RiskEngine([Fixed(None)]).assess(context(wanted=wanted))
    assert (assessment.outcome, assessment.volume) == (Outcome.REJECTED, 0)
    assert assessment.lines[-1].rule == "lot_size"


def test_a_price_of_zero_is_refused_by_broken_arithmetic(context: Make) -> None:
    assessment = RiskEngine().assess(context(price=Decimal(0)))
    assert assessment.outcome is Outcome.REJECTED
    assert any("出错" in str(line.text) for line in assessment.lines)
