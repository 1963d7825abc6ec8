"""Accounts in agreement with their brokers, in mode LIVE. The broker is right.

At the start, after a lost connection and every `reconcile.every` seconds the broker's orders, trades,
positions and cash are compared with the book, once account data came twice and no order or trade for
`reconcile.settle` seconds. Until then, and on data older than `reconcile.account_max_age`, no order is sent.

A trade that the host knows and the book does not is booked as the fill that it is. What differs after that,
in two looks in a row, is adjusted: journaled, told, and where it is much, everything stops.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from vnpy.trader.engine import MainEngine
from vnpy.trader.object import AccountData, LogData, OrderData, PositionData, TradeData

from vnpy_aiagent.agents.adjustments import Adjuster
from vnpy_aiagent.agents.broker_link import BrokerLink, Doubt, Explained, link_news
from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.execution import ExecutionAgent
from vnpy_aiagent.agents.fate import FateFinder
from vnpy_aiagent.agents.venue import Venue
from vnpy_aiagent.domain import MARKET_TZ, AccountChecked, Intent, OrderState, Severity, Text, say
from vnpy_aiagent.execution.broker_view import (
    BrokerHoldings,
    Difference,
    cash_of,
    differences,
    holdings_of,
    is_credit_account,
)
from vnpy_aiagent.portfolio import AccountBook

RECONCILE_TIMER = "reconcile"
STEP = timedelta(seconds=1)
ASK_EVERY = timedelta(seconds=5)
Row = TypeVar("Row", AccountData, OrderData, PositionData, TradeData)


class Reconciler:
    """Hears what brokers say, and knows whether an intent may be sent."""

    def __init__(
        self,
        house: AgentContext,
        execution: ExecutionAgent,
        main_engine: MainEngine,
        adjuster: Adjuster,
        opened: Iterable[str],
    ) -> None:
        """`opened` are accounts that the journal knows; the others open with what their broker says."""
        self.house = house
        self.execution = execution
        self.main_engine = main_engine
        self.adjuster = adjuster
        self.fates = FateFinder(house, execution)
        settings = house.settings.reconcile
        self.max_age = timedelta(seconds=settings.account_max_age)
        self.settle = timedelta(seconds=settings.settle)
        self.every = timedelta(seconds=settings.every)
        now, reason = house.clock.now(), say("启动后还没有收到柜台的全部数据")
        self.links = {
            gateway: BrokerLink(account.name, gateway, now, reason)
            for account in house.settings.accounts
            for gateway in account.gateways
        }
        self.unopened = {account.name for account in house.settings.accounts} - set(opened)
        self._told: set[str] = set()
        self._chain, self._next = 0, now
        execution.sender.gate = self.objection
        if any(account.second_gateway for account in house.settings.accounts):
            Venue(house, execution, main_engine, self.links, self.max_age)

    def start(self) -> None:
        """Take what the host heard before, and begin to look."""
        for account in self.main_engine.get_all_accounts():
            self.on_account(account)
        for order in self.main_engine.get_all_orders():
            self.execution.on_order(order)
        for trade in self.main_engine.get_all_trades():
            self.execution.on_trade(trade)
        self._plan(self.house.clock.now())

    # the gate

    def objection(self, intent: Intent) -> Text | None:
        """Why an intent may not be sent now, None where it may."""
        if is_credit_account(self.main_engine.gateways.get(intent.gateway)):
            return say(
                "接口 {gateway} 登录的是融资融券账户，买入会成为融资买入；本系统只支持普通账户，委托未发送",
                gateway=intent.gateway,
            )
        link = self.links.get(intent.gateway)
        return link.objection(self.house.clock.now(), self.max_age) if link else None

    def is_reconciled(self, account: str) -> bool:
        """Whether an account's gateways agree with its book, on fresh data."""
        now = self.house.clock.now()
        links = [link for link in self.links.values() if link.account == account]
        return all(link.objection(now, self.max_age) is None for link in links)

    def reasons(self, account: str) -> list[Text]:
        """Why it does not, one sentence a gateway."""
        now = self.house.clock.now()
        found = [link.objection(now, self.max_age) for link in self.links.values() if link.account == account]
        return [reason for reason in found if reason is not None]

    # what is heard

    def on_account(self, data: AccountData) -> None:
        """Account data: the sign of life of a gateway."""
        link = self.links.get(data.gateway_name)
        if link is None:
            return
        accounts = self._of(link, self.main_engine.get_all_accounts()) or [data]
        cash = cash_of(accounts)
        now = self.house.clock.now()
        if cash is None:
            sentence = say(
                "{gateway} 报来的资金不可信，未采用：{cash}", gateway=link.gateway, cash=data.balance
            )
            self._tell_once(sentence, link)
            return
        if link.heard is not None and link.is_stale(now, self.max_age):
            self._lose(link, say("柜台数据中断后恢复，重新核对"))
        link.hear_cash(now, cash)
        if self._next - now > 2 * STEP:  # the machine's clock went back
            self._chain += 1
            self._plan(now)

    def on_order(self, data: OrderData) -> None:
        """An order was told, ours or not: positions are to be heard again."""
        link = self.links.get(data.gateway_name)
        if link is not None:
            link.hear_report(self.house.clock.now())

    def on_trade(self, data: TradeData) -> None:
        """A trade was told; one that is not ours explains a difference to come."""
        link = self.links.get(data.gateway_name)
        if link is None:
            return
        link.hear_report(self.house.clock.now())
        if self.execution.desk.owner(data.vt_orderid) is None:
            link.strangers[data.vt_tradeid] = data

    def on_log(self, line: LogData) -> None:
        """A gateway says that its connection broke, or is back: what was heard before is old."""
        link = self.links.get(line.gateway_name)
        news = link_news(line.msg) if link is not None else None
        if link is None or news is None:
            return
        if news:
            self._lose(link, say("接口 {gateway} 重新连接，等待核对", gateway=link.gateway))
        else:
            self._lose(link, say("接口 {gateway} 连接断开", gateway=link.gateway))

    # looking

    def on_timer(self, chain: object = None) -> None:
        """Look at every gateway; plan the next look. A timer of before the clock went back is over."""
        if chain is not None and chain != self._chain:
            return
        now = self.house.clock.now()
        self._plan(now)
        for link in self.links.values():
            self._look(link, now)

    def _plan(self, now: datetime) -> None:
        self._next = now + STEP
        self.house.timers.set(self._next, RECONCILE_TIMER, self._chain)

    def _look(self, link: BrokerLink, now: datetime) -> None:
        if link.is_stale(now, self.max_age / 2):
            self._ask(link, now)
        if link.is_stale(now, self.max_age):
            if link.heard is not None:
                self._lose(
                    link, say("柜台资金数据超过 {age} 秒未更新", age=f"{self.max_age.total_seconds():.0f}")
                )
            return
        due = not link.reconciled or link.doubt is not None or link.due is None or now >= link.due
        if due and link.is_quiet(now, self.settle):
            self._reconcile(link, now)

    def _ask(self, link: BrokerLink, now: datetime) -> None:
        """Ask a silent gateway for cash and positions, not more often than every few seconds."""
        gateway = self.main_engine.gateways.get(link.gateway)
        if gateway is None or (link.asked is not None and timedelta(0) <= now - link.asked < ASK_EVERY):
            return
        link.asked = now
        try:
            gateway.query_position()
            gateway.query_account()
        except Exception as error:  # noqa: BLE001 - a gateway that is not connected may raise what it likes
            self._tell_once(say("{gateway} 查询失败：{error}", gateway=link.gateway, error=error), link)

    def _reconcile(self, link: BrokerLink, now: datetime) -> None:
        """Compare orders, trades, positions and cash; what differs twice is adjusted."""
        self._fold_known(link)
        view = self._view(link)
        if self._is_unbelievable(link, view):
            return
        if not self._has_begun(link, view):
            return
        self.fates.resolve(link, self._of(link, self.main_engine.get_all_orders()), now)
        self.execution.cancel_unwanted(link.gateway, link.since)
        found = self._differences(link, view)
        if not found:
            self.fates.settled(link)
        cash = Decimal(0) if found else self._cash_gap(link)
        doubt = link.doubt
        if not found and not cash:
            self._agree(link, now)
        elif doubt is None or (doubt.holdings, doubt.cash) != (tuple(found), cash):
            link.doubt = Doubt(tuple(found), cash, link.rounds)
        elif link.rounds > doubt.rounds:
            link.doubt = None
            self.adjuster.adjust(link, found, cash, view.prices | self.fates.prices(link), self.fates)

    def _has_begun(self, link: BrokerLink, view: BrokerHoldings) -> bool:
        """Whether the account is open, and this gateway a part of it; where it can, it begins now."""
        first = self.house.account(link.account).gateway_name
        if link.account in self.unopened:
            if link.gateway != first:
                link.reason = say("等待第一接口 {gateway} 核对", gateway=first)
                return False
            self.unopened.discard(link.account)
            self.adjuster.open(link, view)
        elif link.gateway != first and link.gateway not in self._book(link).venues.cash:
            self.adjuster.join(link, view)
        return True

    def _agree(self, link: BrokerLink, now: datetime) -> None:
        link.doubt, link.due = None, now + (STEP if self.fates.is_open(link) else self.every)
        if self._compares_cash(link):
            link.explained = Explained()
        if link.reconciled:
            return
        link.reconciled = True
        link.reason = say("已与柜台核对一致")
        self._post(link)

    def _lose(self, link: BrokerLink, reason: Text) -> None:
        if link.lose(self.house.clock.now(), reason):
            self._post(link)

    def _post(self, link: BrokerLink) -> None:
        bus = self.house.bus
        bus.post(
            AccountChecked,
            cause=None,
            account=link.account,
            gateway=link.gateway,
            reconciled=link.reconciled,
            reason=link.reason,
        )
        if link.reconciled:
            sentence = say("账户 {account} 已与柜台核对一致，可以下单", account=link.account)
            bus.say_log(sentence, Severity.INFO)
        else:
            sentence = say("账户 {account} 暂停下单：{why}", account=link.account, why=link.reason)
            bus.say_log(sentence, Severity.WARNING)

    # comparing

    def _fold_known(self, link: BrokerLink) -> None:
        """What the host knows of orders of ours, and the book may not."""
        desk = self.execution.desk
        for order in self._of(link, self.main_engine.get_all_orders()):
            child = desk.owner(order.vt_orderid)
            if child is not None and not child.ended:
                self.execution.on_order(order)
        for trade in self._of(link, self.main_engine.get_all_trades()):
            if desk.owner(trade.vt_orderid) is not None:
                self.execution.on_trade(trade)

    def _is_unbelievable(self, link: BrokerLink, view: BrokerHoldings) -> bool:
        """Whether a broker says that all is gone, or impossible figures of what is held: not booked."""
        book = self._book(link)
        ours = [row.vt_symbol for row in view.impossible if book.volume(row.vt_symbol)]
        all_empty = not link.cash and not any(view.volumes.values())
        if ours:
            held = "、".join(ours)
            reason = say("{gateway} 报来的持仓不可信：{symbols}", gateway=link.gateway, symbols=held)
        elif all_empty and (link.account in self.unopened or book.positions or book.cash):
            reason = say("{gateway} 报来的资金和持仓全部为空，未采用", gateway=link.gateway)
        else:
            return False
        self._tell_once(reason, link)
        link.reason = reason
        if link.reconciled:
            self._lose(link, reason)
        return True

    def _differences(self, link: BrokerLink, view: BrokerHoldings) -> list[Difference]:
        """Shares that differ, but for symbols in which an order of unknown fate may have traded."""
        volumes, _ = self._part(link)
        external = self._book(link).external
        outside = {symbol: min(volume, volumes.get(symbol, 0)) for symbol, volume in external.items()}
        undecided = {
            child.intent.symbol
            for _, child in self.execution.desk.working()
            if child.intent.gateway == link.gateway and child.state is OrderState.UNKNOWN
        }
        unheard, missing = self.fates.unheard(link), self.fates.missing(link)
        due = self.adjuster.claims.shares_due(link.account, link.gateway, volumes)
        found = differences(volumes, outside, view.volumes, unheard, missing, link.by_people(), due)
        return [item for item in found if item.symbol not in undecided]

    def _cash_gap(self, link: BrokerLink) -> Decimal:
        """Cash that the broker has more than the book.

        Not compared while an order works, which freezes an amount that brokers compute their own way, nor
        while contracts are held, whose margin is the broker's own.
        """
        if link.cash is None or not self._compares_cash(link):
            return Decimal(0)
        return link.cash - self._part(link)[1]

    def _compares_cash(self, link: BrokerLink) -> bool:
        """Whether nothing is known that makes the broker's cash differ from the book's by itself."""
        working = any(c.intent.gateway == link.gateway for _, c in self.execution.desk.working())
        active = any(map(self._is_active, self._of(link, self.main_engine.get_all_active_orders())))
        return not (working or active or self._book(link).margin)

    def _is_active(self, order: OrderData) -> bool:
        """Whether an order that the host lists as active can be: of today, and not ended as ours.

        Brokers do not tell the end of orders that the close ends, and the host keeps them for ever.
        """
        child = self.execution.desk.owner(order.vt_orderid)
        if child is not None and child.ended:
            return False
        at = order.datetime
        if not isinstance(at, datetime):
            return True
        local = at.astimezone(MARKET_TZ) if at.tzinfo else at
        return local.date() >= self.house.today()

    def _book(self, link: BrokerLink) -> AccountBook:
        return self.house.portfolio.books[link.account]

    def _part(self, link: BrokerLink) -> tuple[dict[str, int], Decimal]:
        """Shares and cash that the book has at a gateway."""
        book, gateways = self._book(link), self.house.account(link.account).gateways
        volumes = {symbol: position.volume for symbol, position in book.positions.items()}
        if len(gateways) == 1:
            return volumes, book.cash
        others = gateways[1:] if link.gateway == gateways[0] else ()
        venues = book.venues
        return venues.shares_at(link.gateway, others, volumes), venues.cash_at(
            link.gateway, others, book.cash
        )

    def _view(self, link: BrokerLink) -> BrokerHoldings:
        """The broker's holdings that can be booked; a human is told once of any other."""
        found = holdings_of(self._of(link, self.main_engine.get_all_positions()))
        for row in [*found.impossible, *found.short]:
            sentence = say(
                "{gateway} 报来的持仓不可信或不受支持，未计入：{symbol} {direction} {volume}",
                gateway=link.gateway,
                symbol=row.vt_symbol,
                direction=getattr(row.direction, "name", row.direction),
                volume=row.volume,
            )
            self._tell_once(sentence, link)
        for symbol in [s for s, v in found.volumes.items() if v and not self.adjuster.is_known(s)]:
            del found.volumes[symbol]
            sentence = say(
                "{gateway} 账户里的 {symbol} 没有交易规则，未计入账本", gateway=link.gateway, symbol=symbol
            )
            self._tell_once(sentence, link)
        return found

    def _of(self, link: BrokerLink, rows: Iterable[Row]) -> list[Row]:
        return [row for row in rows if row.gateway_name == link.gateway]

    def _tell_once(self, sentence: Text, link: BrokerLink) -> None:
        key = str(sentence)
        if key not in self._told:
            self._told.add(key)
            self.house.bus.alert(Severity.CRITICAL, sentence, account=link.account)
