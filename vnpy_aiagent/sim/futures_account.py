"""Futures at the simulated exchange: positions by direction and day, margin, fees, realised and daily gains.

A position binds margin, not its value: fees, what a close realises and the daily settlement move cash. Margin
is the exchange's minimum on fill prices of today and settlement prices of before; what is lost since the last
settlement is not available, what is gained is not available before it. Long and short positions of a contract
stand beside each other and both bind margin. Nothing is liquidated by force: where the margin is short,
nothing can be opened. Prices in points, volumes in contracts, amounts in CNY.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

from vnpy.trader.constant import Direction, Exchange, Offset
from vnpy.trader.object import AccountData, OrderRequest, PositionData

from vnpy_aiagent.domain import Clock, cny, to_decimal
from vnpy_aiagent.market import FuturesRules, InstrumentRules, TradingCalendar, contracts, default_calendar
from vnpy_aiagent.market.futures_hours import trading_day
from vnpy_aiagent.market.matching import Execution
from vnpy_aiagent.sim.account import SimAccount, SimOrder
from vnpy_aiagent.sim.contract_book import SIGN, ContractBook, ContractLot

ZERO = Decimal(0)
WORDS = {Offset.CLOSE: "平仓", Offset.CLOSETODAY: "平今", Offset.CLOSEYESTERDAY: "平昨"}
OPPOSITE = {Direction.LONG: Direction.SHORT, Direction.SHORT: Direction.LONG}


class ContractDesk:
    """Checks, books, settles and reports contracts for all accounts of one exchange."""

    def __init__(
        self,
        clock: Clock,
        rules_for: Callable[[str, date], InstrumentRules],
        last: Callable[[str], Decimal | None],
    ) -> None:
        """`last(vt_symbol)` is the present price in points, None before there is one."""
        self.clock = clock
        self.rules_for = rules_for
        self.last = last
        self.calendar: TradingCalendar | None = None
        self._traded = 0
        self._begun: date | None = None

    def day(self) -> date:
        """The trading day now: the next one in a night session."""
        return trading_day(self.calendar or default_calendar(), self.clock.now())

    def begins_day(self) -> bool:
        """Whether this is the first moment of a trading day, or of the process; asked again it is not."""
        begun, self._begun = self._begun, self.day()
        return begun != self._begun

    def next_trade(self) -> int:
        """Number of the next trade. It never begins anew, since an order of the night goes on in the day."""
        self._traded += 1
        return self._traded

    def restore(
        self,
        account: SimAccount,
        lots: Mapping[str, list[ContractLot]],
        settled: dict[str, tuple[date, Decimal]],
    ) -> None:
        """Set an account's long contracts after a restart, with their last settlements."""
        book = account.contracts = ContractBook(settled=dict(settled))
        for symbol, held in lots.items():
            book.lots[symbol, Direction.LONG] = list(held)
        self._bind(book)

    # orders

    def error(self, account: SimAccount, request: OrderRequest) -> str:
        """Why an order is refused for offset, size, month, margin or position; empty where it is taken."""
        rules = self._rules(request.vt_symbol)
        size = rules.volume_error(request.volume)
        if size:
            return f"委托数量不合规：{size}"
        if request.offset is Offset.NONE:
            return "期货委托须指明开仓或平仓"
        if request.offset is not Offset.OPEN:
            free = self._closable(account, request, rules)
            return "" if request.volume <= free else f"可平数量不足：{WORDS[request.offset]}最多 {free} 手"
        shut = rules.opening_error(self.calendar or default_calendar())
        if shut:
            return f"合约不可开仓：{shut}"
        needed, free_cash = self.frozen(request, int(request.volume)), self.available(account)
        return "" if needed <= free_cash else f"保证金不足：需要 {needed}，可用 {free_cash}"

    def frozen(self, request: OrderRequest, volume: int) -> Decimal:
        """Margin and fee that an opening order holds back at its limit; a closing one holds back none."""
        if request.offset is not Offset.OPEN or not volume:
            return ZERO
        rules, limit = self._rules(request.vt_symbol), to_decimal(request.price)
        return (
            rules.margin(limit, volume) + rules.fees(rules.value(limit, volume), volume, opening=True).total
        )

    def available(self, account: SimAccount) -> Decimal:
        """Cash less margin, working orders and what is lost since the last settlement."""
        return account.available + min(ZERO, self.floating(account))

    def floating(self, account: SimAccount) -> Decimal:
        """What all contracts gained since their last settlement, at the last prices."""
        book, total = account.contracts, ZERO
        for (symbol, direction), lots in book.lots.items():
            last = self.last(symbol)
            if last is not None and lots:
                points = last * sum(lot.volume for lot in lots) - contracts.margin_base(lots)
                total += points * self._rules(symbol).multiplier * SIGN[direction]
        return cny(total)

    # fills and settlement

    def fill(self, account: SimAccount, order: SimOrder, done: Execution) -> None:
        """Book a fill: the position, fee, realised gain, margin."""
        request, book, day = order.request, account.contracts, self.day()
        rules = self._rules(request.vt_symbol)
        opening = request.offset is Offset.OPEN
        today = 0
        if opening:
            self._open(account, book, request, done, day)
        else:
            today = self._close(account, book, request, done, day)
        value = rules.value(done.price, done.volume)
        account.cash -= rules.fees(value, done.volume, opening=opening, today=today).total
        left = self.frozen(request, order.remaining)
        account.frozen += left - order.frozen
        order.frozen = left
        self._bind(book)

    def settle(self, account: SimAccount, day: date, prices: Mapping[str, Decimal]) -> list[str]:
        """Mark contracts to a trading day's settlement prices; the contracts that were marked.

        A day is settled once. What was opened in the night session after it keeps its price.
        """
        book = account.contracts
        marked = []
        for symbol, price in sorted(prices.items()):
            done = book.settled.get(symbol)
            if done is not None and done[0] >= day:
                continue
            book.settled[symbol] = (day, price)
            for direction, sign in SIGN.items():
                points = contracts.settle(book.lots.get((symbol, direction), []), day, price)
                account.cash += cny(points * self._rules(symbol).multiplier * sign)
            marked.append(symbol)
        self._bind(book)
        return marked

    # reports

    def positions(self, gateway: str, account: SimAccount, vt_symbol: str) -> list[PositionData]:
        """Long and short contracts that are or were held; frozen is what working closes hold back."""
        book, day = account.contracts, self.day()
        symbol, _, suffix = vt_symbol.rpartition(".")
        found = []
        for direction in SIGN:
            lots = book.lots.get((vt_symbol, direction))
            if lots is None:
                continue
            volume = sum(lot.volume for lot in lots)
            paid = sum((lot.price * lot.volume for lot in lots), ZERO)
            found.append(
                PositionData(
                    symbol=symbol,
                    exchange=Exchange(suffix),
                    direction=direction,
                    volume=volume,
                    frozen=sum(
                        order.remaining for order in _closing(account, vt_symbol, OPPOSITE[direction])
                    ),
                    price=float(paid / volume) if volume else 0.0,
                    yd_volume=volume - contracts.opened_on(lots, day),
                    gateway_name=gateway,
                )
            )
        return found

    def account_data(self, gateway: str, account: SimAccount) -> AccountData:
        """Cash as a futures broker tells it: the balance with what is gained, frozen with the margin."""
        floating = self.floating(account)
        return AccountData(
            accountid=account.name,
            balance=float(account.cash + floating),
            frozen=float(account.frozen + account.contracts.margin + max(ZERO, floating)),
            gateway_name=gateway,
        )

    def _rules(self, vt_symbol: str) -> FuturesRules:
        rules = self.rules_for(vt_symbol, self.day()).futures
        if rules is None:
            raise ValueError(f"{vt_symbol} is no futures contract")
        return rules

    def _closable(self, account: SimAccount, request: OrderRequest, rules: FuturesRules) -> int:
        """Contracts that a closing order may take: of its day where the exchange keeps days apart."""
        held = account.contracts.lots.get((request.vt_symbol, OPPOSITE[request.direction]), [])
        today = contracts.opened_on(held, self.day())
        working = _closing(account, request.vt_symbol, request.direction)
        if not rules.close_today_apart:
            return sum(lot.volume for lot in held) - sum(order.remaining for order in working)
        of_today = request.offset is Offset.CLOSETODAY
        taken = sum(
            order.remaining for order in working if (order.request.offset is Offset.CLOSETODAY) is of_today
        )
        return (today if of_today else sum(lot.volume for lot in held) - today) - taken

    def _open(
        self, account: SimAccount, book: ContractBook, request: OrderRequest, done: Execution, day: date
    ) -> None:
        lot = ContractLot(day, done.volume, done.price, done.price)
        book.lots.setdefault((request.vt_symbol, request.direction), []).append(lot)
        settled = book.settled.get(request.vt_symbol)
        if settled is not None and day <= settled[0]:  # after the settlement, before the trading day ends
            points = contracts.settle([lot], *settled)
            gain = points * self._rules(request.vt_symbol).multiplier * SIGN[request.direction]
            account.cash += cny(gain)

    def _close(
        self, account: SimAccount, book: ContractBook, request: OrderRequest, done: Execution, day: date
    ) -> int:
        """Take what is closed from the position; how many of it were opened today."""
        rules, held = self._rules(request.vt_symbol), OPPOSITE[request.direction]
        lots = book.lots[request.vt_symbol, held]
        opened = contracts.opened_on(lots, day)
        today = contracts.closed_today(
            request.offset.name,
            apart=rules.close_today_apart,
            today=opened,
            older=sum(lot.volume for lot in lots) - opened,
            volume=done.volume,
        )
        base = contracts.take(lots, done.volume, today, day)
        account.cash += cny((done.price * done.volume - base) * rules.multiplier * SIGN[held])
        return today

    def _bind(self, book: ContractBook) -> None:
        """Margin of all that is held."""
        total = ZERO
        for (symbol, _), lots in book.lots.items():
            rules = self._rules(symbol)
            total += cny(contracts.margin_base(lots) * rules.multiplier * rules.row.margin)
        book.margin = total


def _closing(account: SimAccount, vt_symbol: str, direction: Direction) -> list[SimOrder]:
    """Working orders of one direction that close."""
    return [
        order
        for order in account.orders.values()
        if order.request.vt_symbol == vt_symbol
        and order.request.direction is direction
        and order.request.offset is not Offset.OPEN
    ]
