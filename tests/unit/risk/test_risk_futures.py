"""Contracts are judged by margin, by what one costs at the stop, by count and by month."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from vnpy_aiagent.config import RiskLimits
from vnpy_aiagent.domain import Mode, Outcome, Side
from vnpy_aiagent.risk import Assessment, RiskContext, RiskEngine

Make = Callable[..., RiskContext]
RB = "rb2410.SHFE"


@pytest.fixture
def contract(context: Make) -> Make:
    """A buy of 5 rb at 3,700 with the stop at 3,600 in 1,000,000 CNY: 1,850 margin and 1,000 loss each."""

    def make(**changes: object) -> RiskContext:
        figures = {
            "symbol": RB,
            "wanted": 5,
            "price": Decimal(3700),
            "stop": Decimal(3600),
            "limits": RiskLimits(risk_per_trade=0.05, max_positions=8),
            "average_volume": 1_000_000.0,
        }
        made = context(**(figures | changes))
        quote = made.quote
        assert quote is not None
        last = Decimal(3700)
        rule = replace(quote, last=last, prev_close=last, limit_up=Decimal(3811), limit_down=Decimal(3589))
        return replace(made, quote=rule)

    return make


def bounds(assessment: Assessment) -> dict[str, int | None]:
    return {line.rule: line.max_volume for line in assessment.lines}


def refusals(assessment: Assessment) -> list[str]:
    return [line.rule for line in assessment.lines if not line.passed]


def test_a_sound_entry_is_approved_with_every_rule_said_for_contracts(contract: Make) -> None:
    assessment = RiskEngine().assess(contract())
    assert (assessment.outcome, assessment.volume) == (Outcome.APPROVED, 5)
    names = [line.rule for line in assessment.lines]
    assert names == [*(rule.name for rule in RiskEngine().rules), "contract", "margin"]
    assert not any("股" in line.text.render() for line in assessment.lines)


def test_each_bound_by_hand(contract: Make) -> None:
    assessment = RiskEngine().assess(contract(wanted=100, available=Decimal(50_000), margin=Decimal(200_000)))
    found = bounds(assessment)
    assert found["position_weight"] == 20  # max_contracts; 100,000 / 1,850 would be 54
    assert found["risk_per_trade"] == 50  # 50,000 / 1,000
    assert found["margin"] == 54  # (300,000 - 200,000) / 1,850
    assert found["cash"] == 26  # 50,000 / (1,850 + 3.70)
    assert found["exposure"] == 432  # 800,000 / 1,850
    assert found["lot_size"] == 100
    assert (assessment.outcome, assessment.volume) == (Outcome.REDUCED, 20)


def test_what_is_held_counts_against_the_most_contracts(contract: Make) -> None:
    assessment = RiskEngine().assess(contract(held=18, working=0))
    assert (assessment.outcome, assessment.volume) == (Outcome.REDUCED, 2)
    assert refusals(RiskEngine().assess(contract(held=20))) == ["position_weight"]


def test_the_margin_of_one_contract_is_capped(contract: Make) -> None:
    limits = RiskLimits(risk_per_trade=0.05, max_weight_futures=0.004)
    assert bounds(RiskEngine().assess(contract(limits=limits)))["position_weight"] == 2


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"margin": Decimal(299_000)}, "margin"),
        ({"available": Decimal(1_800)}, "cash"),
        ({"equity": Decimal(19_000), "available": Decimal(19_000)}, "risk_per_trade"),
        ({"exposure": Decimal(799_000)}, "exposure"),
        ({"average_volume": None}, "liquidity"),
        ({"working": 1}, "one_order"),
        ({"stop": None}, "risk_per_trade"),
        ({"equity": Decimal(0)}, "position_weight"),
        ({"symbol": "rb2405.SHFE"}, "contract"),
    ],
)
def test_what_does_not_fit_one_contract_is_refused(
    contract: Make, changes: dict[str, object], rule: str
) -> None:
    assessment = RiskEngine().assess(contract(**changes))
    assert (assessment.outcome, assessment.volume) == (Outcome.REJECTED, 0)
    assert rule in refusals(assessment)


def test_the_delivery_month_is_said_and_never_hinders_an_exit(contract: Make) -> None:
    entry = RiskEngine().assess(contract(symbol="rb2405.SHFE"))
    assert any("delivery month" in line.text.render() for line in entry.lines)
    leaving = contract(symbol="rb2405.SHFE", side=Side.SELL, stop=None, held=3, sellable=3, wanted=3)
    assert RiskEngine().assess(leaving).volume == 3


def test_an_exit_takes_what_may_be_closed(contract: Make) -> None:
    leaving = contract(side=Side.SELL, stop=None, held=5, sellable=2, wanted=5)
    assessment = RiskEngine().assess(leaving)
    assert (assessment.outcome, assessment.volume) == (Outcome.REDUCED, 2)
    assert refusals(RiskEngine().assess(replace(leaving, sellable=0))) == ["sellable"]


def test_real_money_is_bounded_by_margin(contract: Make) -> None:
    live = {"mode": Mode.LIVE, "allowlist": (RB,), "capital_limit": Decimal(4_000)}
    assert bounds(RiskEngine().assess(contract(**live)))["live_limits"] == 2
    assert "live_limits" in refusals(RiskEngine().assess(contract(**(live | {"allowlist": ()}))))
    assert "live_limits" in refusals(RiskEngine().assess(contract(**(live | {"capital_limit": None}))))
