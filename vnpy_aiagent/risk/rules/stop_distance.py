"""Every entry has a stop at a sensible distance."""

from vnpy_aiagent.domain import RuleLine, say
from vnpy_aiagent.risk.context import RiskContext, passed, percent, refused


class StopDistanceRule:
    """The stop lies below the entry price, within the account's bounds."""

    name = "stop_distance"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Distance = (price - stop) / price."""
        if context.stop is None:
            return refused(self.name, say("没有止损价"))
        distance = float((context.price - context.stop) / context.price)
        low, high = context.limits.min_stop_distance, context.limits.max_stop_distance
        figures = {"distance": percent(distance), "low": percent(low), "high": percent(high)}
        if not low <= distance <= high:
            return refused(self.name, say("止损距离 {distance} 不在 {low} 与 {high} 之间", **figures))
        return passed(self.name, say("止损距离 {distance}，允许 {low} 至 {high}", **figures))
