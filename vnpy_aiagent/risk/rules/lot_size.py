"""The exchange's lots."""

from vnpy_aiagent.domain import RuleLine, Side, say
from vnpy_aiagent.risk.context import RiskContext, passed, refused


class LotSizeRule:
    """The wanted volume makes at least one order of the exchange's lots."""

    name = "lot_size"
    entries_only = False

    def check(self, context: RiskContext) -> RuleLine:
        """Round down to what the exchange takes."""
        rules = context.rules
        if context.side is Side.BUY:
            most = rules.round_buy(context.wanted)
            figures = {"wanted": context.wanted, "smallest": rules.min_buy}
            if not most:
                return refused(self.name, say("目标 {wanted} 股不足最少买入 {smallest} 股", **figures))
        else:
            most = rules.round_sell(context.wanted, context.held)
            if not most:
                return refused(self.name, say("目标 {wanted} 股不足一手", wanted=context.wanted))
        return passed(self.name, say("按交易单位取 {most} 股", most=most), most)
