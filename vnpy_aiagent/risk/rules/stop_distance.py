"""Every entry has a stop at a sensible distance."""

from decimal import Decimal

from vnpy_aiagent.domain import RuleLine, say
from vnpy_aiagent.risk.context import RiskContext, passed, percent, refused


class StopDistanceRule:
    """The stop lies below the entry, within the account's bounds.

    Distance = (entry - stop) / entry, where the entry is the plan's own price, not the order's limit with its
    slippage. A plan that enters above the last price fills at the last price: the least distance is then
    measured from there.
    """

    name = "stop_distance"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Compare the distance from the entry with both bounds."""
        if context.stop is None:
            return refused(self.name, say("没有止损价"))
        entry = context.entry_price
        last = entry if context.quote is None else context.quote.last
        low, high = context.limits.min_stop_distance, context.limits.max_stop_distance
        nearest, farthest = _distance(min(entry, last), context.stop), _distance(entry, context.stop)
        bounds = {"low": percent(low), "high": percent(high)}
        if nearest < low or farthest > high:
            wrong = percent(nearest if nearest < low else farthest)
            return refused(
                self.name, say("止损距离 {distance} 不在 {low} 与 {high} 之间", distance=wrong, **bounds)
            )
        return passed(
            self.name, say("止损距离 {distance}，允许 {low} 至 {high}", distance=percent(farthest), **bounds)
        )


def _distance(price: Decimal, stop: Decimal) -> float:
    return float((price - stop) / price)
