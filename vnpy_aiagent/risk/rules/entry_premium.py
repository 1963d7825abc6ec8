"""A buy does not run after the market."""

from vnpy_aiagent.domain import RuleLine, say
from vnpy_aiagent.risk.context import RiskContext, passed, percent, refused


class EntryPremiumRule:
    """The entry lies at most the cap above the last price."""

    name = "entry_premium"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Premium = entry / last - 1. Without a quote there is no premium to measure, and no entry."""
        if context.quote is None:
            return refused(self.name, say("没有当日行情（停牌或行情中断）"))
        entry, last, cap = context.entry_price, context.quote.last, context.limits.max_entry_premium
        premium = float(entry / last - 1)
        if premium > cap:
            return refused(
                self.name,
                say(
                    "入场价 {entry} 高于现价 {last} 达 {premium}，上限 {cap}，不追高",
                    entry=entry,
                    last=last,
                    premium=percent(premium),
                    cap=percent(cap),
                ),
            )
        return passed(
            self.name,
            say("入场价 {entry}，现价 {last}，溢价上限 {cap}", entry=entry, last=last, cap=percent(cap)),
        )
