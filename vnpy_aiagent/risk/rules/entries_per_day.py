"""New entries a day are capped, against overtrading."""

from vnpy_aiagent.domain import RuleLine, say
from vnpy_aiagent.risk.context import RiskContext, passed, refused


class EntriesPerDayRule:
    """At most so many entries a session."""

    name = "entries_per_day"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Count the session's approved entries."""
        cap = context.limits.max_entries_per_day
        figures = {"count": context.entries_today, "cap": cap}
        if context.entries_today >= cap:
            return refused(self.name, say("今日已开仓 {count} 次，上限 {cap} 次", **figures))
        return passed(self.name, say("今日已开仓 {count} 次，上限 {cap} 次", **figures))
