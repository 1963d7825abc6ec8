"""Accounts at two brokers: which gateway an order goes to.

An entry goes to the first gateway, and to the second one where the first took it not for certain: it gave no
id, or is known to be out of order. Never where its fate is unknown. An exit goes where its shares are.
"""

from collections.abc import Mapping
from datetime import timedelta

from vnpy.trader.engine import MainEngine

from vnpy_aiagent.agents.broker_link import BrokerLink
from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.execution import ExecutionAgent
from vnpy_aiagent.config import AccountSettings
from vnpy_aiagent.domain import Route, Severity, Side, Signal, say
from vnpy_aiagent.execution import Child
from vnpy_aiagent.execution.broker_view import is_count


class Venue:
    """Chooses the gateway of each child order of accounts that have two."""

    def __init__(
        self,
        house: AgentContext,
        execution: ExecutionAgent,
        main_engine: MainEngine,
        links: Mapping[str, BrokerLink],
        max_age: timedelta,
    ) -> None:
        """Takes its place between the plans of orders and the gateways."""
        self.house = house
        self.execution = execution
        self.main_engine = main_engine
        self.links = links
        self.max_age = max_age
        execution.worker.venue = self.choose
        execution.sender.move = self.move

    def choose(self, signal: Signal, volume: int) -> tuple[str, int]:
        """The gateway of a signal's next child, and how many of `volume` shares it may take there."""
        account = self.house.account(signal.account)
        if len(account.gateways) == 1 or signal.side is Side.BUY:
            return account.gateway_name, volume
        free = {gateway: self._free(account, gateway, signal.symbol) for gateway in account.gateways}
        best = max(
            account.gateways, key=lambda gateway: (self._ready(gateway) and free[gateway] > 0, free[gateway])
        )
        held = self._held(account, best, signal.symbol)
        rules = self.house.portfolio.rules(signal.symbol)
        return best, rules.round_sell(min(volume, free[best]), held)

    def move(self, child: Child) -> bool:
        """Send an entry, which the first gateway took not for certain, through the second one."""
        intent = child.intent
        account = self.house.account(intent.account)
        second = account.second_gateway
        if (
            intent.side is not Side.BUY
            or intent.gateway != account.gateway_name
            or account.route is Route.CTA
        ):
            return False
        if not second or not self._ready(second) or not self._affords(account, child):
            return False
        sentence = say(
            "{account} {symbol} 的买单改由第二接口 {gateway} 发出",
            account=intent.account,
            symbol=intent.symbol,
            gateway=second,
        )
        self.house.bus.say_log(sentence, Severity.WARNING)
        self.execution.worker.send_again(child, second)
        return True

    def _ready(self, gateway: str) -> bool:
        return self.links[gateway].objection(self.house.clock.now(), self.max_age) is None

    def _affords(self, account: AccountSettings, child: Child) -> bool:
        """Whether the cash at the second gateway covers an entry and its fees."""
        intent, portfolio = child.intent, self.house.portfolio
        needed = portfolio.reservation(intent.symbol, intent.side, intent.volume, intent.price).cash
        working = sum(
            portfolio.reservation(
                c.intent.symbol, c.intent.side, c.intent.volume - c.filled, c.intent.price
            ).cash
            for _, c in self.execution.desk.working()
            if c.intent.gateway == account.second_gateway
        )
        there = portfolio.books[account.name].venues.cash_at(
            account.second_gateway, (), portfolio.books[account.name].cash
        )
        return there - working >= needed

    def _held(self, account: AccountSettings, gateway: str, symbol: str) -> int:
        book, gateways = self.house.portfolio.books[account.name], account.gateways
        others = gateways[1:] if gateway == gateways[0] else ()
        return book.venues.shares_at(gateway, others, {symbol: book.volume(symbol)}).get(symbol, 0)

    def _free(self, account: AccountSettings, gateway: str, symbol: str) -> int:
        """Shares that may be sold at a gateway: those there, less what works, and as many as the broker lets.

        The broker's own word on T+1 and frozen shares is volume less frozen.
        """
        selling = sum(
            c.intent.volume - c.filled
            for _, c in self.execution.desk.working()
            if (c.intent.gateway, c.intent.symbol, c.intent.side) == (gateway, symbol, Side.SELL)
        )
        free = self._held(account, gateway, symbol) - selling
        told = [
            row.volume - row.frozen
            for row in self.main_engine.get_all_positions()
            if row.gateway_name == gateway and row.vt_symbol == symbol
        ]
        if told and is_count(sum(told)):
            free = min(free, int(sum(told)))
        return max(0, free)
