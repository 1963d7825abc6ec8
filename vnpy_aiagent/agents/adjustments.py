"""The book is set to what the broker says: journaled, told to a human, and where it is much, all stops."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from vnpy_aiagent.agents.broker_link import BrokerLink, Explained
from vnpy_aiagent.agents.claims import Claims
from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.fate import FateFinder
from vnpy_aiagent.agents.monitoring import MonitoringAgent
from vnpy_aiagent.domain import (
    AccountOpened,
    CashAdjusted,
    HoldingAdjusted,
    Severity,
    Signal,
    Text,
    TradingState,
    say,
    to_decimal,
)
from vnpy_aiagent.errors import AiAgentError
from vnpy_aiagent.execution import Child
from vnpy_aiagent.execution.broker_view import BrokerHoldings, Difference
from vnpy_aiagent.execution.ex_day_claims import paid_by
from vnpy_aiagent.execution.strangers import Strange, strange_sums
from vnpy_aiagent.market import ex_level
from vnpy_aiagent.triggers import fallback_stop

ZERO = Decimal(0)
FEES = Decimal("0.005")
"""Most that fees take of a turnover, as a ratio."""
OFF_LIMIT = Decimal("0.02")
"""How far from its limit an order may have filled, as a ratio, before more than that is unexplained."""
Halt = Callable[[str], None]


class Adjuster:
    """Writes adjustments. `halt(reason)` stops all; only a human lifts that."""

    def __init__(self, house: AgentContext, monitoring: MonitoringAgent, halt: Halt, claims: Claims) -> None:
        """Nothing is adjusted before the reconciler asks for it; `claims` are what ex-days owe."""
        self.house = house
        self.monitoring = monitoring
        self.halt = halt
        self.claims = claims

    def open(self, link: BrokerLink, found: BrokerHoldings) -> None:
        """An account's first start: it begins with the broker's cash, and holdings that are not the app's."""
        house = self.house
        settings, book = house.account(link.account), house.portfolio.books[link.account]
        cash = link.cash or ZERO
        house.bus.post(
            AccountOpened,
            cause=None,
            account=link.account,
            gateway=link.gateway,
            style=settings.style,
            cash=cash,
        )
        book.open_with(cash)
        book.venues.move(link.gateway, "", 0, cash)
        self._take_in(link, found, say("首次实盘启动时账户里已有的持仓，不归本系统管理"))
        sentence = say(
            "账户 {account} 首次连接柜台：可用资金 {cash} 元，已有持仓 {count} 只"
            "（视为外部持仓，系统不会卖出）",
            account=link.account,
            cash=cash,
            count=sum(1 for volume in found.volumes.values() if volume),
        )
        house.bus.alert(Severity.INFO, sentence, account=link.account)

    def _take_in(self, link: BrokerLink, found: BrokerHoldings, reason: Text) -> None:
        """Holdings that were there before the app: external, bought before today as far as that is told."""
        before = self.house.today() - timedelta(days=1)
        for symbol, volume in sorted(found.volumes.items()):
            price, older = self._price(symbol, found.prices), found.older.get(symbol, 0)
            for part, bought in ((older, before), (volume - older, None)):
                if part:
                    self._holding(link, symbol, part, part, price, reason, bought)

    def join(self, link: BrokerLink, found: BrokerHoldings) -> None:
        """A second broker's first start: what lies there joins the account, its shares as external ones."""
        house = self.house
        reason = say("第二接口首次接入时已有的资金和持仓")
        self._book_cash(link, link.cash or ZERO, reason)
        self._take_in(link, found, reason)
        sentence = say(
            "账户 {account} 首次接入第二接口 {gateway}：可用资金 {cash} 元",
            account=link.account,
            gateway=link.gateway,
            cash=link.cash or ZERO,
        )
        house.bus.alert(Severity.INFO, sentence, account=link.account)

    def adjust(
        self,
        link: BrokerLink,
        found: Iterable[Difference],
        cash: Decimal,
        prices: Mapping[str, Decimal],
        fates: FateFinder,
    ) -> None:
        """Book differences. What trades by people explain is told, and is no reason to stop.

        `fates` says which orders of ours explain the app's own part, and hears that it is booked.
        """
        house = self.house
        equity = house.portfolio.equity(link.account)
        strange, by_people = strange_sums(link.strangers.values()), link.by_people()
        amount = ZERO
        for item in found:
            price = self._price(item.symbol, prices)
            unit = house.portfolio.rules(item.symbol).multiplier
            self._tell_holding(link, item, by_people)
            if not self._is_excused(link, item, by_people):
                amount += price * unit * self._unexplained(item, by_people)
            link.taken[item.symbol] = strange.volumes.get(item.symbol, 0)
            self._book(link, item, price, fates)
        if cash:
            dividends = self._dividends(cash, strange, link)
            amount += ZERO if dividends else self._unexplained_cash(cash, strange, link)
            self._cash(link, cash, dividends)
            link.strangers.clear()
            link.taken.clear()
            link.explained = Explained()
        limit = to_decimal(house.settings.reconcile.halt_share) * max(equity, ZERO)
        if amount > limit and house.control.state is not TradingState.HALTED:
            house.bus.say_log(say("账本与柜台相差过大，停止交易"), Severity.CRITICAL)
            self.halt(f"account {link.account} differs from its broker by {amount:.2f} CNY")

    def is_known(self, symbol: str) -> bool:
        """Whether the app knows the exchange's rules of a symbol, and so can value and weigh it."""
        try:
            self.house.portfolio.rules(symbol)
        except (AiAgentError, ValueError):
            return False
        return True

    def _price(self, symbol: str, prices: Mapping[str, Decimal]) -> Decimal:
        """An order's limit or the broker's price where it is told, else the last one."""
        portfolio = self.house.portfolio
        price = prices.get(symbol) or portfolio.quotes.last_prices.get(symbol, ZERO)
        return price or portfolio.rules(symbol).tick_size  # shares that cost nothing have no return

    def _book(self, link: BrokerLink, item: Difference, price: Decimal, fates: FateFinder) -> None:
        gone = item.managed + item.external
        if item.bonus:
            self._book_bonus(link, item, price)
        for child, volume in fates.shares_of(link, item.symbol, item.ours) if item.ours else ():
            self._book_ours(link, child, volume, price, fates)
        if gone:
            reason = say("与柜台持仓不一致，以柜台为准")
            adjusted = self._holding(link, item.symbol, gone, item.external, price, reason)
            self._drop_stop(link.account, item.symbol, adjusted.id)

    def _book_bonus(self, link: BrokerLink, item: Difference, told: Decimal) -> None:
        """New shares of a known ex-day: as old as those that brought them, and for nothing.

        Where those are sold already, the new ones are a position of their own at the last price, or at the
        broker's (`told`, CNY) put on the level after the ex-day.
        """
        house, symbol = self.house, item.symbol
        claim = self.claims.claim(link.account, link.gateway, symbol)
        if claim is None:
            raise AiAgentError(f"no ex-day of {symbol} owes {item.bonus} shares; report this")
        book, day = house.portfolio.books[link.account], claim.action.ex_date
        tick = house.portfolio.rules(symbol).tick_size
        last = house.portfolio.quotes.last_prices.get(symbol) or ex_level(told, claim.action, tick)
        price = ZERO if book.volume(symbol) else last
        outside = claim.outside(item.bonus)
        if book.volume(symbol) and not (book.external.get(symbol) and book.managed(symbol)):
            outside = 0 if book.managed(symbol) else item.bonus  # wholly the app's, or a human's, by now
        reason = say("除权除息（{day}）的送转股到账", day=day)
        adjusted = self._holding(link, symbol, item.bonus, outside, price, reason, claim.last, ex_date=day)
        self.claims.credit(link.account, link.gateway, claim, item.bonus)
        if book.managed(symbol) and self.monitoring.stops.get(link.account, symbol) is None:
            self.monitoring.protect(link.account, symbol, fallback_stop(last, tick), adjusted.id)
        sentence = say(
            "账户 {account} 的 {symbol} 除权除息（{day}）：柜台送转 {shares} 股已入账，"
            "其中外部持仓 {outside} 股",
            account=link.account,
            symbol=symbol,
            day=day,
            shares=item.bonus,
            outside=outside,
        )
        house.bus.alert(Severity.INFO, sentence, cause=adjusted.id, account=link.account)

    def _is_excused(self, link: BrokerLink, item: Difference, by_people: Mapping[str, int]) -> bool:
        """Whether more shares of a symbol may come from an ex-day that nobody entered: no reason to stop."""
        more = item.external > 0 and self._unexplained(item, by_people)
        if not more or not self.claims.may_be_unknown(link.account, item.symbol):
            return False
        sentence = say(
            "账户 {account} 的 {symbol} 多出 {shares} 股，可能来自未录入的除权除息，"
            "暂记为外部持仓、不受止损保护；核对后请用 aiagent hand-back 交回系统",
            account=link.account,
            symbol=item.symbol,
            shares=more,
        )
        self.house.bus.alert(Severity.CRITICAL, sentence, account=link.account)
        return True

    def _dividends(self, cash: Decimal, strange: Strange, link: BrokerLink) -> dict[str, date]:
        """The ex-days whose cash came, by symbol; none where the amount is not theirs."""
        rest = cash - strange.cash - link.explained.cash
        off = strange.turnover * FEES + link.explained.tolerance
        found = paid_by(rest, self.claims.cash_due(link.account, link.gateway), off)
        for claim in found:
            self.claims.pay(link.account, link.gateway, claim)
        return {claim.action.vt_symbol: claim.action.ex_date for claim in found}

    def _book_ours(
        self, link: BrokerLink, child: Child, volume: int, price: Decimal, fates: FateFinder
    ) -> None:
        """Shares that an order of ours traded unheard; where a human has the position, they are external."""
        intent, book = child.intent, self.house.portfolio.books[link.account]
        reason = say("委托成交回报缺失，按柜台持仓补记")
        external = min(0, book.managed(intent.symbol) + volume)
        if volume > 0 and book.is_handed_over(intent.symbol, intent.parent_id):
            external = volume
        adjusted = self._holding(link, intent.symbol, volume, external, price, reason, intent_id=intent.id)
        unit = self.house.portfolio.rules(intent.symbol).multiplier
        link.explained.cash -= price * unit * volume
        link.explained.tolerance += abs(price * unit * volume) * OFF_LIMIT
        if volume > 0:
            self._protect(link.account, fates.plan_of(child), adjusted.id)
        self._drop_stop(link.account, intent.symbol, adjusted.id)
        fates.adjusted(child, volume)

    def _protect(self, account: str, plan: Signal | None, cause: str) -> None:
        """Shares of an entry have their plan's stop, as by a fill; without one, what is missing is armed."""
        if plan is not None and plan.stop and self.house.portfolio.books[account].managed(plan.symbol):
            self.monitoring.protect(account, plan.symbol, plan.stop, cause)
        self.monitoring.repair()

    def _drop_stop(self, account: str, symbol: str, cause: str) -> None:
        if not self.house.portfolio.books[account].managed(symbol):
            self.monitoring.release(account, symbol, cause, taken_over=False)

    def _holding(
        self,
        link: BrokerLink,
        symbol: str,
        volume: int,
        external: int,
        price: Decimal,
        reason: Text,
        bought: date | None = None,
        intent_id: str | None = None,
        ex_date: date | None = None,
    ) -> HoldingAdjusted:
        house = self.house
        day = bought or house.today()
        book = house.portfolio.books[link.account]
        book.adjust_holding(symbol, volume, external, price, day)  # first: what cannot be is not journaled
        book.venues.move(link.gateway, symbol, volume, ZERO)
        return house.bus.post(
            HoldingAdjusted,
            cause=None,
            account=link.account,
            symbol=symbol,
            volume=volume,
            external=external,
            price=price,
            gateway=link.gateway,
            reason=reason,
            bought=bought,
            intent_id=intent_id,
            ex_date=ex_date,
        )

    def _cash(self, link: BrokerLink, cash: Decimal, dividends: Mapping[str, date]) -> None:
        house = self.house
        adjusted = self._book_cash(link, cash, say("与柜台资金不一致，以柜台为准"), dividends)
        sentence = say(
            "账户 {account} 的资金以柜台为准调整 {cash} 元（出入金、分红或实际费用）",
            account=link.account,
            cash=f"{cash:+}",
        )
        if abs(cash) > house.settings.reconcile.cash_alert:
            house.bus.alert(Severity.WARNING, sentence, cause=adjusted.id, account=link.account)
        else:
            house.bus.say_log(sentence, Severity.INFO)

    def _book_cash(
        self, link: BrokerLink, cash: Decimal, reason: Text, dividends: Mapping[str, date] | None = None
    ) -> CashAdjusted:
        house, book = self.house, self.house.portfolio.books[link.account]
        adjusted = house.bus.post(
            CashAdjusted,
            cause=None,
            account=link.account,
            amount=cash,
            gateway=link.gateway,
            reason=reason,
            dividends=dict(dividends or {}),
        )
        book.adjust_cash(cash)
        book.venues.move(link.gateway, "", 0, cash)
        return adjusted

    def _tell_holding(self, link: BrokerLink, item: Difference, by_people: Mapping[str, int]) -> None:
        unexplained = self._unexplained(item, by_people)
        if item.volume == item.bonus:
            return
        sentence = say(
            "账户 {account} 的 {symbol} 与柜台不一致，以柜台为准调整 {volume} 股"
            "（系统持仓 {managed}，外部持仓 {external}，系统委托漏报 {ours}）",
            account=link.account,
            symbol=item.symbol,
            volume=f"{item.volume - item.bonus:+}",
            managed=f"{item.managed:+}",
            external=f"{item.external:+}",
            ours=f"{item.ours:+}",
        )
        severe = unexplained or item.managed or item.ours
        severity = Severity.CRITICAL if severe else Severity.WARNING
        self.house.bus.alert(severity, sentence, account=link.account)

    def _unexplained(self, item: Difference, by_people: Mapping[str, int]) -> int:
        """Shares for whose change there is neither an order of ours nor a trade by people."""
        rest = item.managed + item.external
        theirs = by_people.get(item.symbol, 0)
        explained = min(rest, max(theirs, 0)) if rest > 0 else max(rest, min(theirs, 0))
        return abs(rest - explained)

    def _unexplained_cash(self, cash: Decimal, strange: Strange, link: BrokerLink) -> Decimal:
        """Cash for whose change there is no trade by people and no missing fill of ours."""
        off = abs(cash - strange.cash - link.explained.cash)
        return max(ZERO, off - strange.turnover * FEES - link.explained.tolerance)
