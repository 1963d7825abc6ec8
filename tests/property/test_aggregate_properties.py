"""The sum of findings: bounds, order, weight zero, and who prevails."""

from hypothesis import given
from hypothesis import strategies as st

from vnpy_aiagent.brain.aggregate import aggregate, counted_weight
from vnpy_aiagent.domain import Finding, Silence, Stance, say

RATIO = st.floats(0, 1)


def finding(
    role: str, stance: Stance, strength: float, confidence: float, weight: float, fresh: bool
) -> Finding:
    made = Finding(
        role=role, stance=stance, strength=strength, confidence=confidence, text=say("x"), fresh=fresh
    )
    return made.model_copy(update={"weight": counted_weight(made, weight)})


WEIGHTS = {f"role{place}": 0.2 for place in range(6)} | dict.fromkeys(("stale", "unweighted", "more"), 0.5)
ONE = st.tuples(st.sampled_from(Stance), RATIO, RATIO, RATIO, st.booleans())
FINDINGS = st.lists(ONE, max_size=6).map(
    lambda rows: [finding(f"role{place}", *row) for place, row in enumerate(rows)]
)


@given(FINDINGS, st.randoms(use_true_random=False))
def test_the_order_of_findings_does_not_matter(findings: list[Finding], chance: object) -> None:
    shuffled = list(findings)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert (
        aggregate(shuffled, {}, WEIGHTS).model_dump_json()
        == aggregate(findings, {}, WEIGHTS).model_dump_json()
    )


@given(FINDINGS)
def test_score_strength_and_confidence_stay_within_those_of_the_counted_findings(
    findings: list[Finding],
) -> None:
    total = aggregate(findings, {}, WEIGHTS)
    counted = [each for each in findings if each.weight > 0]
    assert set(total.weights) == {each.role for each in counted}
    assert -1 <= total.score <= 1
    assert total.strength == abs(total.score)
    assert total.strength <= max((each.strength for each in counted), default=0.0) + 1e-6
    confidences = [each.confidence for each in counted] or [0.0]
    assert min(confidences) - 1e-6 <= total.confidence <= max(confidences) + 1e-6
    sign = (total.score > 0) - (total.score < 0)
    assert total.stance is {1: Stance.BULLISH, 0: Stance.NEUTRAL, -1: Stance.BEARISH}[sign]


@given(FINDINGS, st.sampled_from(Stance), RATIO, RATIO, RATIO)
def test_a_finding_of_weight_zero_or_without_fresh_evidence_changes_nothing(
    findings: list[Finding], stance: Stance, strength: float, confidence: float, weight: float
) -> None:
    total = aggregate(findings, {}, WEIGHTS)
    stale = finding("stale", stance, strength, confidence, weight, False)
    unweighted = finding("unweighted", stance, strength, confidence, 0.0, True)
    assert aggregate([stale, *findings, unweighted], {}, WEIGHTS) == total


@given(FINDINGS)
def test_turning_every_finding_round_turns_the_score_round(findings: list[Finding]) -> None:
    turned = {
        Stance.BULLISH: Stance.BEARISH, Stance.BEARISH: Stance.BULLISH, Stance.NEUTRAL: Stance.NEUTRAL,
    }  # fmt: skip
    other = [each.model_copy(update={"stance": turned[each.stance]}) for each in findings]
    assert aggregate(other, {}, WEIGHTS).score == -aggregate(findings, {}, WEIGHTS).score


@given(st.sampled_from([Stance.BULLISH, Stance.BEARISH]), st.floats(0.01, 1), RATIO, st.floats(0.01, 1))
def test_a_lone_finding_keeps_its_strength(
    stance: Stance, strength: float, confidence: float, weight: float
) -> None:
    total = aggregate([finding("only", stance, strength, confidence, weight, True)], {}, {"only": weight})
    assert (total.stance, total.strength, total.support) == (stance, round(strength, 6), 1.0)


@given(FINDINGS)
def test_another_firm_view_for_never_lowers_the_score_below_what_it_says(findings: list[Finding]) -> None:
    before = aggregate(findings, {}, WEIGHTS).score
    after = aggregate([*findings, finding("more", Stance.BULLISH, 1.0, 1.0, 0.5, True)], {}, WEIGHTS).score
    assert after >= before - 1e-6


def test_the_example_of_the_document() -> None:
    findings = [
        finding("technical_analyst", Stance.BULLISH, 0.85, 0.7, 0.35, True),
        finding("fundamental_analyst", Stance.BULLISH, 0.40, 0.7, 0.25, True),
        finding("risk_analyst", Stance.BEARISH, 0.50, 0.7, 0.15, True),
    ]
    weights = {"technical_analyst": 0.35, "fundamental_analyst": 0.25, "risk_analyst": 0.15}
    total = aggregate(findings, {"policy_analyst": Silence.NO_DATA}, weights)
    assert total.support == 0.8
    assert total.weights == {
        "fundamental_analyst": 0.1, "risk_analyst": 0.075, "technical_analyst": 0.2975,
    }  # fmt: skip
    assert round(total.score, 2) == 0.54
    assert [(each.role, each.why) for each in total.silent] == [("policy_analyst", Silence.NO_DATA)]


@given(FINDINGS)
def test_support_is_the_weight_of_those_who_share_the_stance(findings: list[Finding]) -> None:
    total = aggregate(findings, {}, WEIGHTS)
    behind = [each for each in findings if each.weight > 0 and each.stance is total.stance]
    expected = len(behind) * 0.2 / sum(WEIGHTS.values()) if total.score else 0.0
    assert abs(total.support - expected) < 1e-5
    assert aggregate([], {}, {}).support == 0.0
