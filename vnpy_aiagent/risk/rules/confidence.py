"""Confidence decides whether, and how much of, a plan is taken."""

from vnpy_aiagent.domain import RuleLine, say, to_decimal
from vnpy_aiagent.risk.context import RiskContext, bounded, passed, percent, refused

LOW_CERTAINTY = 0.60


class ConfidenceRule:
    """Below the account's minimum: refused. Below 60 %: sized down, unless the plan is already."""

    name = "confidence"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Compare the proposal's confidence with both bounds."""
        minimum = context.limits.min_confidence
        shown = percent(context.confidence)
        if not context.confidence >= minimum:  # so that no number at all is refused too
            return refused(self.name, say("把握 {value} 低于下限 {cap}", value=shown, cap=percent(minimum)))
        if context.sized_down:
            return passed(self.name, say("把握 {value}，低确定性，提案已缩减", value=shown))
        if context.confidence < LOW_CERTAINTY:
            scale = context.limits.low_confidence_scale
            return bounded(
                self.name,
                context,
                int(context.wanted * to_decimal(scale)),
                say("把握 {value}，低确定性，仓位按 {scale} 缩减", value=shown, scale=percent(scale)),
            )
        return passed(self.name, say("把握 {value}，下限 {cap}", value=shown, cap=percent(minimum)))
