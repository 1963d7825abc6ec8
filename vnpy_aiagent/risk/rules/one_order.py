"""One working order a symbol and account: no doubling, no trading with oneself."""

from vnpy_aiagent.domain import RuleLine, say
from vnpy_aiagent.risk.context import RiskContext, passed, refused


class OneOrderRule:
    """An entry waits until the buys already working in its symbol have ended."""

    name = "one_order"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Look for working buys."""
        if context.working:
            return refused(self.name, say("已有 {volume} 股买单在途", volume=context.working))
        return passed(self.name, say("没有在途买单"))
