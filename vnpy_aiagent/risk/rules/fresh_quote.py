"""A trade needs a quote of today."""

from vnpy_aiagent.domain import Mode, RuleLine, say
from vnpy_aiagent.risk.context import RiskContext, passed, refused

MAX_AGE = 180.0
"""Oldest quote to trade on with live quotes, seconds. Recorded bars have few points a day and are exempt."""


class FreshQuoteRule:
    """No quote of the present session means suspended or disconnected: no order."""

    name = "fresh_quote"
    entries_only = False

    def check(self, context: RiskContext) -> RuleLine:
        """Compare the quote's day with the rules' day."""
        if context.quote is None or context.quote.at.date() != context.rules.on:
            return refused(self.name, say("没有当日行情（停牌或行情中断）"))
        if context.mode is not Mode.SIMULATION and context.quote_age > MAX_AGE:
            age = f"{context.quote_age:.0f}"
            return refused(
                self.name, say("行情已过期 {age} 秒，上限 {cap} 秒", age=age, cap=f"{MAX_AGE:.0f}")
            )
        return passed(self.name, say("最新价 {last}", last=context.quote.last))
