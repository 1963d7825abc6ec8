"""What a human manages is not traded beside them."""

from vnpy_aiagent.domain import RuleLine, say
from vnpy_aiagent.risk.context import RiskContext, passed, refused


class ExternalPositionRule:
    """No entry in a symbol that a human took over, unless the settings allow it."""

    name = "external_position"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Look for external shares."""
        if not context.external:
            return passed(self.name, say("没有人工接管的持仓"))
        if context.beside_external:
            return passed(self.name, say("人工接管 {volume} 股，设置允许另行买入", volume=context.external))
        return refused(self.name, say("人工接管 {volume} 股，系统不在其上买入", volume=context.external))
