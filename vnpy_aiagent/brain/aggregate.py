"""All findings in one: a weighted mean of signed strengths. The order of the findings does not matter.

A finding weighs its role's weight times its strength, so that a faint view neither carries nor drowns a firm
one; without fresh evidence it weighs zero. score = sum(weight x sign x strength) / sum(weight), where sign is
1 for BULLISH, -1 for BEARISH and 0 for NEUTRAL. Stance is the sign of the score, strength its size.

Support is the weight of the roles whose findings have that stance, over the weight of all roles that had
fresh data, whatever became of them: a minor role that is alone with its view has little.
"""

from collections.abc import Iterable, Mapping
from math import fsum

from vnpy_aiagent.domain import Aggregate, Finding, Silence, SilentRole, Stance

SIGN = {Stance.BULLISH: 1, Stance.NEUTRAL: 0, Stance.BEARISH: -1}
DIGITS = 6


def counted_weight(finding: Finding, weight: float) -> float:
    """What a finding of a role with this weight weighs, a ratio."""
    return round(weight * finding.strength, DIGITS) if finding.fresh else 0.0


def aggregate(
    findings: Iterable[Finding], silent: Mapping[str, Silence], weights: Mapping[str, float]
) -> Aggregate:
    """The findings, one a role, by what they weigh.

    `silent` are the roles that do not count, and why. `weights` are those of the roles with fresh data.
    """
    counted = {finding.role: finding for finding in findings if finding.weight > 0}
    total = fsum(finding.weight for finding in counted.values())
    score = confidence = 0.0
    if total:
        score = fsum(f.weight * SIGN[f.stance] * f.strength for f in counted.values()) / total
        confidence = fsum(f.weight * f.confidence for f in counted.values()) / total
    score = max(-1.0, min(1.0, round(score, DIGITS))) + 0.0  # no negative zero
    stance = Stance.BULLISH if score > 0 else Stance.BEARISH if score < 0 else Stance.NEUTRAL
    behind = fsum(weights[role] for role, each in counted.items() if each.stance is stance)
    return Aggregate(
        score=score,
        stance=stance,
        strength=abs(score),
        confidence=max(0.0, min(1.0, round(confidence, DIGITS))),
        support=round(behind / fsum(weights.values()), DIGITS) if score else 0.0,
        weights={role: counted[role].weight for role in sorted(counted)},
        silent=tuple(SilentRole(role=role, why=silent[role]) for role in sorted(silent)),
    )
