"""What the stop would cost is a bounded share of equity."""

from vnpy_aiagent.domain import RuleLine, say, to_decimal
from vnpy_aiagent.risk.context import RiskContext, bounded, percent, refused


class RiskPerTradeRule:
    """Volume at most equity x ratio / (limit - stop).

    The limit, not the entry: a buy may pay up to it, and the loss at the stop is then the largest.
    """

    name = "risk_per_trade"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Bound the volume by the loss at the stop."""
        if context.stop is None or context.stop >= context.price:
            return refused(self.name, say("没有止损价，无法计算单笔风险"))
        ratio = context.limits.risk_per_trade
        loss = context.price - context.stop
        most = int(context.equity * to_decimal(ratio) / loss)
        return bounded(
            self.name,
            context,
            most,
            say(
                "单笔风险 {risk} 元，上限为权益的 {cap}（最多 {most} 股）",
                risk=f"{loss * context.wanted:.2f}",
                cap=percent(ratio),
                most=most,
            ),
        )
