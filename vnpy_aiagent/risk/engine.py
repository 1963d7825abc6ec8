"""All rules over one wanted trade: the smallest volume that any allows, rounded to the exchange's lots."""

from collections.abc import Sequence
from dataclasses import dataclass

from vnpy_aiagent.domain import Outcome, RuleLine, Side, say
from vnpy_aiagent.risk.context import RiskContext, Rule
from vnpy_aiagent.risk.rules import default_rules
from vnpy_aiagent.risk.rules.futures import BESIDES, INSTEAD

LOT_RULE = "lot_size"


@dataclass(frozen=True, slots=True)
class Assessment:
    """The outcome, the volume in shares, and one line a rule."""

    outcome: Outcome
    volume: int
    lines: tuple[RuleLine, ...]


class RiskEngine:
    """Deterministic: the same context gives the same assessment."""

    def __init__(self, rules: Sequence[Rule] | None = None) -> None:
        """The default rules, or a user's own sequence."""
        self.rules = tuple(rules) if rules is not None else default_rules()

    def assess(self, context: RiskContext) -> Assessment:
        """Ask every rule that applies. A rule that raises counts as refused."""
        lines = tuple(
            self._ask(rule, context)
            for rule in self._rules_for(context)
            if context.entry or not rule.entries_only
        )
        if not all(line.passed for line in lines):
            return Assessment(Outcome.REJECTED, 0, lines)
        bounds = [line.max_volume for line in lines if line.max_volume is not None]
        volume = self._in_lots(context, min([context.wanted, *bounds]))
        whole = self._in_lots(context, context.wanted)
        if volume <= 0:
            return Assessment(Outcome.REJECTED, 0, (*lines, self._too_small(context, lines)))
        return Assessment(Outcome.APPROVED if volume >= whole else Outcome.REDUCED, volume, lines)

    def _rules_for(self, context: RiskContext) -> tuple[Rule, ...]:
        """A contract is judged by rules of its own where shares and cash are counted."""
        if context.rules.futures is None:
            return self.rules
        return (*(INSTEAD.get(rule.name, rule) for rule in self.rules), *BESIDES)

    def _in_lots(self, context: RiskContext, volume: int) -> int:
        if context.side is Side.BUY:
            return context.rules.round_buy(volume)
        return context.rules.round_sell(volume, context.held)

    def _ask(self, rule: Rule, context: RiskContext) -> RuleLine:
        try:
            return rule.check(context)
        except Exception as error:  # noqa: BLE001 - a broken rule must refuse, and say so in the verdict
            sentence = say(
                "规则 {rule} 出错：{error}", rule=rule.name, error=f"{type(error).__name__}: {error}"
            )
            return RuleLine(rule=rule.name, passed=False, max_volume=0, text=sentence)

    def _too_small(self, context: RiskContext, lines: Sequence[RuleLine]) -> RuleLine:
        bounds = [(line.max_volume, line.rule) for line in lines if line.max_volume is not None]
        most, rule = min([*bounds, (context.wanted, LOT_RULE)])
        figures = {"rule": rule, "most": most, "smallest": context.rules.min_buy}
        if context.rules.futures is not None:
            sentence = say("{rule} 只允许 {most} 手，不足一手", rule=rule, most=most)
        elif context.entry:
            sentence = say("{rule} 只允许 {most} 股，不足最少买入 {smallest} 股", **figures)
        else:
            sentence = say("{rule} 只允许 {most} 股，不足一手", **figures)
        return RuleLine(rule=rule, passed=False, max_volume=0, text=sentence)
