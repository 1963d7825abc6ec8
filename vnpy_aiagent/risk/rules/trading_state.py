"""New risk only while the trading state is ACTIVE; exits also while REDUCING."""

from vnpy_aiagent.domain import RuleLine, TradingState, say
from vnpy_aiagent.risk.context import RiskContext, passed, refused


class TradingStateRule:
    """HALTED refuses every order, REDUCING every entry."""

    name = "trading_state"
    entries_only = False

    def check(self, context: RiskContext) -> RuleLine:
        """Compare the wanted trade with the state."""
        if context.state is TradingState.HALTED:
            return refused(self.name, say("交易已停止（HALTED），需人工恢复"))
        if context.state is TradingState.REDUCING and context.entry:
            return refused(self.name, say("当前只减仓（REDUCING），不开新仓"))
        return passed(self.name, say("交易状态 {state}", state=context.state.name))
