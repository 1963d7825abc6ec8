"""After a bad day, or far below the peak, nothing new is opened."""

from vnpy_aiagent.domain import RuleLine, say
from vnpy_aiagent.risk.context import RiskContext, passed, percent, refused


class DailyLossRule:
    """Loss since the session's start at most the cap."""

    name = "daily_loss"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Loss = 1 - equity / equity before the open."""
        start, cap = context.day_start_equity, context.limits.daily_loss
        loss = float(1 - context.equity / start) if start > 0 else 1.0
        figures = {"loss": percent(loss), "cap": percent(cap)}
        if loss >= cap:
            return refused(self.name, say("当日亏损 {loss} 达到上限 {cap}，今日不再开仓", **figures))
        return passed(self.name, say("当日亏损 {loss}，上限 {cap}", **figures))


class DrawdownRule:
    """Distance from the highest equity at most the cap."""

    name = "drawdown"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Drawdown = 1 - equity / peak equity."""
        peak, cap = context.peak_equity, context.limits.max_drawdown
        drawdown = max(0.0, float(1 - context.equity / peak)) if peak > 0 else 1.0
        figures = {"drawdown": percent(drawdown), "cap": percent(cap)}
        if drawdown >= cap:
            return refused(self.name, say("回撤 {drawdown} 达到上限 {cap}，不再开仓", **figures))
        return passed(self.name, say("回撤 {drawdown}，上限 {cap}", **figures))
