"""What became of orders whose end the app did not hear: after a crash, a lost connection, or a day.

An intent of unknown fate is looked for among the broker's orders that nobody owns: exactly one is adopted,
none closes it, several keep it unknown with its exposure reserved. Nothing is ever sent again.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from vnpy.trader.object import OrderData

from vnpy_aiagent.agents.broker_link import BrokerLink
from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.execution import ExecutionAgent
from vnpy_aiagent.domain import Intent, OrderState, Severity, Side, Signal, say
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.execution import TERMINAL, Child
from vnpy_aiagent.execution.adoption import candidates

PATIENCE = timedelta(seconds=10)
"""How long after its intent an order may still be on its way to the broker's list."""


class FateFinder:
    """Ends or adopts the children of one gateway whose fate is open."""

    def __init__(self, house: AgentContext, execution: ExecutionAgent) -> None:
        """Nobody was told anything yet."""
        self.house = house
        self.execution = execution
        self._told: set[str] = set()

    def resolve(self, link: BrokerLink, orders: Sequence[OrderData], now: datetime) -> None:
        """Look at every child of a gateway whose broker's orders and trades are all told."""
        listed = {order.vt_orderid for order in orders}
        for _, child in list(self.execution.desk.working()):
            intent = child.intent
            if intent.gateway != link.gateway or now - intent.at < PATIENCE:
                continue
            if _is_unknown(child):
                self._match(child, orders)
            elif child.state in TERMINAL or not child.vt_orderids:
                continue
            elif not listed & {*child.vt_orderids} or self.execution.hearing.is_of_before(child):
                self._end(child)

    def open_intents(self) -> list[str]:
        """Ids of the intents of which nobody knows whether the broker has an order."""
        children = (child for _, child in self.execution.desk.working())
        return [child.intent.id for child in children if _is_unknown(child)]

    def settle(self, intent_id: str, order: str, orders: Sequence[OrderData]) -> Intent:
        """A human says which of the broker's orders an intent became (`order`, a vt_orderid), or none ("").

        Nothing is sent. Raises ConfigError for an intent whose fate is not open and for an order that it
        cannot be.
        """
        children = [child for _, child in self.execution.desk.working() if child.intent.id == intent_id]
        if not children or not _is_unknown(children[0]):
            known = ", ".join(self.open_intents()) or "none"
            raise ConfigError(f"intent {intent_id!r} is not of unknown fate; those that are: {known}")
        child = children[0]
        if not order:
            self.execution.desk.write_off(child, "a human says that the broker has no such order")
            self._tell_state(child)
            return child.intent
        found = self._alike(child, orders)
        chosen = next((each for each in found if each.vt_orderid == order), None)
        if chosen is None:
            fitting = ", ".join(each.vt_orderid for each in found) or "none"
            raise ConfigError(f"order {order!r} cannot be intent {intent_id}; orders that can: {fitting}")
        self._adopt(child, chosen)
        return child.intent

    def is_open(self, link: BrokerLink) -> bool:
        """Whether the fate of an order through the gateway is open still."""
        return any(
            child.intent.gateway == link.gateway and child.state is OrderState.UNKNOWN
            for _, child in self.execution.desk.working()
        )

    def plan_of(self, child: Child) -> Signal | None:
        """The signal that a child works, None where its parent is done and forgotten."""
        parent = self.execution.desk.parents.get(child.intent.parent_id)
        return parent.signal if parent else None

    def prices(self, link: BrokerLink) -> dict[str, Decimal]:
        """Limits (CNY) of the orders that `unheard` counts, by symbol."""
        return {child.intent.symbol: child.intent.price for child in self._silent(link)}

    def unheard(self, link: BrokerLink) -> Counter[tuple[str, Side]]:
        """Shares that orders of ours may have traded without a fill in the book, by symbol and side."""
        found: Counter[tuple[str, Side]] = Counter()
        for child in self._silent(link):
            found[child.intent.symbol, child.intent.side] += child.unheard
        return found

    def missing(self, link: BrokerLink) -> Counter[tuple[str, Side]]:
        """Shares among them that the broker reported as traded."""
        found: Counter[tuple[str, Side]] = Counter()
        for child in self._silent(link):
            found[child.intent.symbol, child.intent.side] += child.missing
        return found

    def shares_of(self, link: BrokerLink, symbol: str, volume: int) -> list[tuple[Child, int]]:
        """Whose orders' shares a change of `volume` is (sold negative): of ended orders first."""
        side, left = (Side.BUY if volume > 0 else Side.SELL), abs(volume)
        found: list[tuple[Child, int]] = []
        wanted = [c for c in self._silent(link) if (c.intent.symbol, c.intent.side) == (symbol, side)]
        for child in sorted(wanted, key=lambda item: item.state not in TERMINAL):
            part = min(left, child.unheard)
            if part:
                found.append((child, part if volume > 0 else -part))
                left -= part
        return found

    def adjusted(self, child: Child, volume: int) -> None:
        """Shares of an order were booked without a fill (sold negative)."""
        self.execution.desk.adjust(child, abs(volume))
        self._tell_state(child)
        self.execution.hearing.after_change(child)

    def settled(self, link: BrokerLink) -> None:
        """Positions agree: an ended order has no more fills to come, whatever its reports added up to."""
        for _, child in list(self.execution.desk.working()):
            if child.intent.gateway == link.gateway and child.state in TERMINAL:
                self.execution.desk.settle(child)
                if child.written_off:
                    self._tell_state(child)
                self.execution.hearing.after_change(child)

    def _silent(self, link: BrokerLink) -> list[Child]:
        """Children of which shares may have traded unheard."""
        children = (child for _, child in self.execution.desk.working())
        return [child for child in children if child.intent.gateway == link.gateway and child.unheard]

    def _tell_state(self, child: Child) -> None:
        self.execution.hearing.tell_state(child, child.vt_orderids[0] if child.vt_orderids else "")

    def _match(self, child: Child, orders: Sequence[OrderData]) -> None:
        intent = child.intent
        found = self._alike(child, orders)
        figures = {"account": intent.account, "symbol": intent.symbol}
        if len(found) == 1:
            self._adopt(child, found[0])
            sentence = say(
                "{account} {symbol} 状态不明的委托已在柜台找到：{order}", **figures, order=found[0].vt_orderid
            )
            self.house.bus.alert(Severity.INFO, sentence, cause=intent.id, account=intent.account)
        elif not found:
            self.execution.desk.write_off(child, "the broker has no such order")
            sentence = say(
                "{account} {symbol} 状态不明的委托在柜台没有找到，按未发出处理，不会重发", **figures
            )
            if self.execution.hearing.is_of_before(child):
                sentence = say(
                    "{account} {symbol} 状态不明的委托是此前交易日的，柜台已不再列出；"
                    "是否成交以柜台持仓为准，不会重发",
                    **figures,
                )
            self.house.bus.alert(Severity.WARNING, sentence, cause=intent.id, account=intent.account)
        elif intent.id not in self._told:
            self._told.add(intent.id)
            sentence = say(
                "{account} {symbol} 状态不明的委托在柜台有 {count} 笔相符，无法确定是哪一笔：{orders}；"
                "请人工核对，额度继续占用；认定后用 aiagent settle-order {intent} 告诉系统",
                **figures,
                intent=intent.id,
                count=len(found),
                orders="、".join(order.vt_orderid for order in found),
            )
            self.house.bus.alert(Severity.CRITICAL, sentence, cause=intent.id, account=intent.account)

    def _alike(self, child: Child, orders: Sequence[OrderData]) -> list[OrderData]:
        """The broker's orders that nobody owns and that the child may have become."""
        return candidates(child.intent, orders, lambda order: self.execution.desk.owner(order) is not None)

    def _adopt(self, child: Child, order: OrderData) -> None:
        """The broker's order is the child's from now on."""
        self.execution.hearing.is_out(child.intent, (order.vt_orderid,))
        self.execution.on_order(order)

    def _end(self, child: Child) -> None:
        """The broker does not list an order of ours any more: it was a day order, or was never taken."""
        intent = child.intent
        self.execution.desk.write_off(child, "the broker does not list the order any more")
        if not self.execution.hearing.is_of_before(child):
            sentence = say(
                "{account} {symbol} 的委托 {order} 柜台没有记录，按已结束处理",
                account=intent.account,
                symbol=intent.symbol,
                order="、".join(child.vt_orderids),
            )
            self.house.bus.alert(Severity.WARNING, sentence, cause=intent.id, account=intent.account)


def _is_unknown(child: Child) -> bool:
    return child.state is OrderState.UNKNOWN and not child.vt_orderids
