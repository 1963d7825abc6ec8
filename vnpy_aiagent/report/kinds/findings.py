"""Findings of analysts and what they come to together, in words."""

from vnpy_aiagent.domain import Aggregate, Decision, Finding
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.numbers import share


def finder(finding: Finding, say: Localizer) -> str:
    """Who found it, the view, what it counts with; only the role where it was not asked."""
    role = say.label(finding.role)
    if not finding.weight and not finding.evidence:
        return say("{role}（未计入）", role=role)
    view = {
        "role": role,
        "stance": say.label(finding.stance),
        "strength": f"{finding.strength:.2f}",
        "confidence": share(finding.confidence),
    }
    if not finding.weight:
        return say("{role}（{stance}，强度 {strength}，把握 {confidence}，未计入）", **view)
    return say(
        "{role}（{stance}，强度 {strength}，把握 {confidence}，权重 {weight}）",
        **view,
        weight=f"{finding.weight:.3f}",
    )


def signal(total: Aggregate, say: Localizer) -> str:
    """All findings in one: the view, its strength, confidence and support."""
    return say(
        "综合信号{stance}，强度 {strength}，把握 {confidence}，同向权重占 {support}",
        stance=say.label(total.stance),
        strength=f"{total.strength:.2f}",
        confidence=share(total.confidence),
        support=share(total.support),
    )


def not_counted(total: Aggregate, say: Localizer) -> str:
    """The roles that did not count with the reasons, empty where all did."""
    silent = [f"{say.label(each.role)} ({say.label(each.why)})" for each in total.silent]
    return f"{say('未计入')}: {', '.join(silent)}" if silent else ""


def sum_lines(decision: Decision, say: Localizer) -> list[str]:
    """The signal and the roles that did not count; nothing for a decision of an older version."""
    total = decision.aggregate
    if total is None:
        return []
    return [line for line in (signal(total, say), not_counted(total, say)) if line]


def model_name(decision: Decision, say: Localizer) -> str:
    """The model that decided; of the rules it says that they are no language model."""
    return decision.model if decision.is_llm else say("离线分析员：规则，不是语言模型")
