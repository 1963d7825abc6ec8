"""Real money: only listed symbols, only so much capital."""

from vnpy_aiagent.domain import Mode, RuleLine, say
from vnpy_aiagent.risk.context import RiskContext, bounded, passed, refused


class LiveLimitsRule:
    """In live mode an entry is on the allowlist and within the capital limit (a contract by its margin)."""

    name = "live_limits"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Outside live mode nothing is bounded."""
        if context.mode is not Mode.LIVE:
            return passed(self.name, say("非实盘，不适用实盘限额"))
        if context.allowlist is None or context.symbol not in context.allowlist:
            return refused(self.name, say("{symbol} 不在实盘白名单", symbol=context.symbol))
        if context.capital_limit is None:
            return refused(self.name, say("未设置实盘资金上限"))
        room = context.capital_limit - context.exposure
        most = int(room / context.unit_margin) if room > 0 else 0
        return bounded(
            self.name,
            context,
            most,
            say("实盘资金上限 {cap} 元，剩余 {room} 元", cap=context.capital_limit, room=room),
        )
