"""A buy is paid from available cash, fees included."""

from vnpy_aiagent.domain import RuleLine, Side, say
from vnpy_aiagent.risk.context import RiskContext, bounded


class CashRule:
    """Price x volume and fees at most what is available."""

    name = "cash"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Bound the volume by cash; the fee is taken for the volume before rounding."""
        most = int(context.available / context.price) if context.available > 0 else 0
        if most:
            fees = context.rules.order_fees(Side.BUY, context.price * most, most).total
            most = max(0, int((context.available - fees) / context.price))
        return bounded(
            self.name,
            context,
            most,
            say("可用资金 {cash} 元，最多买 {most} 股", cash=f"{context.available:.2f}", most=most),
        )
