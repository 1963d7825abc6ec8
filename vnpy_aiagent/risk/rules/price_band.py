"""The order's price lies inside today's limits, and the side is open."""

from vnpy_aiagent.domain import RuleLine, say
from vnpy_aiagent.risk.context import RiskContext, passed, refused


class PriceBandRule:
    """No buy at limit up, and no price outside the band."""

    name = "price_band"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Compare with the quote's limits, where the day has any."""
        quote = context.quote
        if quote is None or quote.limit_up is None or quote.limit_down is None:
            return passed(self.name, say("今日无涨跌停限制或限制未知"))
        figures = {"price": context.price, "down": quote.limit_down, "up": quote.limit_up}
        if quote.last >= quote.limit_up:
            return refused(self.name, say("已涨停 {up}，不追买", up=quote.limit_up))
        if not quote.limit_down <= context.price <= quote.limit_up:
            return refused(self.name, say("价格 {price} 超出涨跌停 {down}～{up}", **figures))
        return passed(self.name, say("价格 {price}，涨跌停 {down}～{up}", **figures))
