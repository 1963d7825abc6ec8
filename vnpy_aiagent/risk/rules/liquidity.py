"""An order is small against what usually trades."""

from math import isfinite

from vnpy_aiagent.domain import RuleLine, say, to_decimal
from vnpy_aiagent.risk.context import RiskContext, bounded, percent, refused


class LiquidityRule:
    """Volume at most a share of the 20-day average daily volume."""

    name = "liquidity"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Bound the volume; without a known average there is no entry."""
        if context.average_volume is None or not isfinite(context.average_volume):
            return refused(self.name, say("缺少近 20 日成交量，无法评估流动性"))
        share = context.limits.max_volume_share
        most = int(to_decimal(context.average_volume) * to_decimal(share))
        return bounded(
            self.name,
            context,
            most,
            say("不超过 20 日均量的 {share}（{most} 股）", share=percent(share), most=most),
        )
