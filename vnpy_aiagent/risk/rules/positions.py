"""The number of holdings is capped."""

from vnpy_aiagent.domain import RuleLine, say
from vnpy_aiagent.risk.context import RiskContext, passed, refused


class PositionsRule:
    """A new symbol only while fewer than the cap are held or being bought."""

    name = "positions"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Count holdings; adding to one is always within the count."""
        cap = context.limits.max_positions
        if not context.held and not context.working and context.positions >= cap:
            return refused(
                self.name, say("持仓只数 {count} 已达上限 {cap}", count=context.positions, cap=cap)
            )
        return passed(self.name, say("持仓只数 {count}，上限 {cap}", count=context.positions, cap=cap))
