"""All holdings together are capped."""

from vnpy_aiagent.domain import RuleLine, say, to_decimal
from vnpy_aiagent.risk.context import RiskContext, bounded, percent


class ExposureRule:
    """Holdings, working buys and this trade at most cap x equity."""

    name = "exposure"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Bound the volume by the room left."""
        cap = context.limits.max_exposure
        room = context.equity * to_decimal(cap) - context.exposure
        most = int(room / context.price) if room > 0 else 0
        total = (
            (context.exposure + context.wanted * context.price) / context.equity if context.equity > 0 else 1
        )
        return bounded(
            self.name,
            context,
            most,
            say("总仓位将达 {total}，上限 {cap}", total=percent(total), cap=percent(cap)),
        )
