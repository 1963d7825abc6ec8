"""One symbol's weight in the account is capped."""

from vnpy_aiagent.domain import RuleLine, say, to_decimal
from vnpy_aiagent.risk.context import RiskContext, bounded, percent, refused


class PositionWeightRule:
    """(held + wanted) x price at most cap x equity; funds have their own cap."""

    name = "position_weight"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Bound the volume; where not even the smallest order fits, say what it would weigh."""
        cap = context.limits.max_weight_fund if context.fund else context.limits.max_weight_share
        if context.equity <= 0:
            return refused(self.name, say("账户权益不为正"))
        held = context.held + context.working
        most = int(context.equity * to_decimal(cap) / context.price) - held
        smallest = context.rules.min_buy
        if context.rules.round_buy(max(0, most)) == 0:
            weight = (held + smallest) * context.price / context.equity
            return refused(
                self.name,
                say(
                    "单票仓位 {weight} 超过上限 {cap}（最少买入 {smallest} 股）",
                    weight=percent(weight),
                    cap=percent(cap),
                    smallest=smallest,
                ),
            )
        weight = (held + context.wanted) * context.price / context.equity
        return bounded(
            self.name,
            context,
            most,
            say("单票仓位 {weight}，上限 {cap}", weight=percent(weight), cap=percent(cap)),
        )
