"""Only what may be sold today is sold: T+1, and shares in working sales."""

from vnpy_aiagent.domain import RuleLine, Side, say
from vnpy_aiagent.risk.context import RiskContext, passed, refused


class SellableRule:
    """A sale at most the sellable shares."""

    name = "sellable"
    entries_only = False

    def check(self, context: RiskContext) -> RuleLine:
        """Bound a sale; buys pass."""
        if context.side is Side.BUY:
            return passed(self.name, say("买入不受可卖数量限制"))
        if context.sellable <= 0:
            return refused(
                self.name, say("持有 {held} 股，可卖 0 股（当日买入或已在卖出）", held=context.held)
            )
        return passed(
            self.name,
            say("可卖 {sellable} 股，持有 {held} 股", sellable=context.sellable, held=context.held),
            context.sellable,
        )
