"""Which CTA strategy sends the orders of an account of route CTA, by account and symbol."""

from collections.abc import Callable

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.slips import SlipBook
from vnpy_aiagent.domain import Intent, Route, Severity, Text, say
from vnpy_aiagent.errors import ConfigError

OrderRoute = Callable[[Intent], tuple[str, ...] | Text]
"""Sends the order of a durable intent; the vt_orderids, or the reason why nothing was sent."""


class RouteBook:
    """The registered strategies. A human is told once where a CTA account has none for a symbol."""

    def __init__(self, house: AgentContext, slips: SlipBook) -> None:
        """No strategy is registered yet."""
        self.house = house
        self.slips = slips
        self._routes: dict[tuple[str, str], OrderRoute] = {}
        self._missed: set[tuple[str, str]] = set()

    def of(self, intent: Intent) -> OrderRoute | None:
        """The strategy that sends an intent, None where the app itself does."""
        return self._routes.get((intent.account, intent.symbol))

    def register(self, account: str, symbol: str, route: OrderRoute) -> None:
        """Let a CTA strategy send the orders of one account and symbol.

        ConfigError where no account of that name has route CTA, or another strategy has the symbol already.
        """
        cta = [item.name for item in self.house.settings.accounts if item.route is Route.CTA]
        if account not in cta:
            known = ", ".join(cta) or "none; set `route: CTA` for one in the settings"
            raise ConfigError(
                f"account {account!r} is no account of route CTA; accounts of that route: {known}"
            )
        if self._routes.get((account, symbol), route) != route:
            raise ConfigError(
                f"another strategy trades {symbol} for account {account!r}; stop it, or use another account"
            )
        self._routes[account, symbol] = route
        self._missed.discard((account, symbol))

    def release(self, account: str, symbol: str, route: OrderRoute) -> None:
        """Take a registered route back; any other route stays."""
        if self._routes.get((account, symbol)) == route:
            del self._routes[account, symbol]

    def missing(self, intent: Intent) -> bool:
        """Whether a CTA account has no strategy for the symbol; a human is told once, until there is one."""
        key = intent.account, intent.symbol
        if self.house.account(intent.account).route is not Route.CTA or key in self._routes:
            return False
        if key not in self._missed:
            self._missed.add(key)
            sentence = say(
                "没有 CTA 策略承接 {account} 的 {symbol}：请在 CTA 策略中启动该合约的 AiAgentStrategy，"
                "参数 account 填 {account}",
                account=intent.account,
                symbol=intent.symbol,
            )
            self.house.bus.alert(Severity.CRITICAL, sentence, cause=intent.id, account=intent.account)
            self.slips.write(intent, say("没有 CTA 策略承接，委托未发送"))
        return True
