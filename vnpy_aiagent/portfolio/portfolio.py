"""All accounts, the latest quotes, and the views that risk rules and tools read."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal

from vnpy_aiagent.domain import Clock, Fill, Side
from vnpy_aiagent.market import Board, Fees, InstrumentRules, TradingCalendar, hours
from vnpy_aiagent.portfolio.book import AccountBook, Origin, Reservation, RoundTrip
from vnpy_aiagent.portfolio.quotes import QuoteBoard
from vnpy_aiagent.tools.snapshot import AccountView, InstrumentView, PositionView

RulesFor = Callable[[str, date], InstrumentRules]
FUND_BOARDS = (Board.ETF,)


def book_at(book: AccountBook, fill: Fill, origin: Origin | None, gateway: str) -> RoundTrip | None:
    """Book a fill, and note at which gateway (where one is named) its shares and cash moved."""
    if book.knows(fill):
        return None
    cash, held = book.cash, book.volume(fill.symbol)
    trip = book.apply(fill, origin)
    if gateway:
        book.venues.move(gateway, fill.symbol, book.volume(fill.symbol) - held, book.cash - cash)
    return trip


class Portfolio:
    """The accounts side by side, on one board of quotes."""

    def __init__(self, clock: Clock, calendar: TradingCalendar, rules_for: RulesFor) -> None:
        """`rules_for(vt_symbol, day)` gives the exchange's rules of that day."""
        self.clock = clock
        self.calendar = calendar
        self.rules_for = rules_for
        self.quotes = QuoteBoard()
        self.books: dict[str, AccountBook] = {}
        self.stops: dict[tuple[str, str], Decimal] = {}
        self.triggers: dict[tuple[str, str], int] = {}
        self.session: date | None = None
        self._orders: dict[tuple[str, str], tuple[Decimal, int]] = {}
        self._yesterday: dict[tuple[str, str], tuple[Decimal, int]] = {}

    def open(self, book: AccountBook) -> None:
        """Add an account."""
        self.books[book.name] = book

    @property
    def today(self) -> date:
        """The market date now."""
        return self.clock.now().date()

    def rules(self, vt_symbol: str) -> InstrumentRules:
        """The exchange's rules of today."""
        return self.rules_for(vt_symbol, self.today)

    def trading_day(self, vt_symbol: str, when: datetime | None = None) -> date:
        """The trading day of a moment (None: now) for a symbol; a night session's is the next one."""
        return hours.trading_day(self.calendar, self.rules(vt_symbol), when or self.clock.now())

    def floating_loss(self, account: str) -> Decimal:
        """What contracts have lost since their last settlement, each by itself (CNY, not negative)."""
        prices = self.quotes.last_prices
        positions = self.books[account].positions.items()
        worths = [item.worth(prices.get(symbol)) for symbol, item in positions if item.terms is not None]
        return -sum((worth for worth in worths if worth < 0), Decimal(0))

    def sellable(self, account: str, vt_symbol: str) -> int:
        """Shares that the account may sell now."""
        return self.books[account].sellable(vt_symbol, self.today, self.rules(vt_symbol).t_plus)

    def equity(self, account: str) -> Decimal:
        """Cash and holdings at the last prices (CNY)."""
        return self.books[account].equity(self.quotes.last_prices)

    def fill_fees(
        self,
        account: str,
        orderid: str,
        side: Side,
        symbol: str,
        price: Decimal,
        volume: int,
        day: date | None = None,
    ) -> Fees:
        """Fees that one more fill adds to its order: fees(all so far) less fees(before).

        By the rules of the fill's own day (None: today); one of the day before may arrive late. Remembers
        the order's turnover, so call it once a fill.
        """
        day = day or self.today
        rules = self.rules_for(symbol, day)
        late = self.session is not None and day < self.session
        orders = self._yesterday if late else self._orders
        turnover, traded = orders.get((account, orderid), (Decimal(0), 0))
        before = rules.order_fees(side, turnover, traded) if traded else None
        turnover, traded = turnover + price * volume, traded + volume
        orders[account, orderid] = (turnover, traded)
        after = rules.order_fees(side, turnover, traded)
        if before is None:
            return after
        return Fees(
            commission=after.commission - before.commission,
            stamp_duty=after.stamp_duty - before.stamp_duty,
            transfer_fee=after.transfer_fee - before.transfer_fee,
        )

    def reservation(self, vt_symbol: str, side: Side, volume: int, price: Decimal) -> Reservation:
        """What an order holds back that is about to be sent: cash or margin with fees, or shares."""
        rules = self.rules(vt_symbol)
        fees = rules.order_fees(side, rules.value(price, volume), volume).total
        return Reservation(vt_symbol, side, volume, price, fees, rules.multiplier, rules.margin_ratio)

    def apply(self, fill: Fill, origin: Origin | None = None, gateway: str = "") -> RoundTrip | None:
        """Book a fill on its account; `gateway` is where it traded."""
        return book_at(self.books[fill.account], fill, origin, gateway)

    def start_session(self, day: date) -> None:
        """Note each account's equity before the open, from which the daily loss is measured.

        A day begins once: a restart in mid session keeps what was restored. Orders are day orders, so a fill
        that arrives late belongs to one of the day before; earlier ones are forgotten.
        """
        if day == self.session:
            return
        self.session = day
        self._yesterday, self._orders = self._orders, {}
        for book in self.books.values():
            book.day_start_equity = book.equity(self.quotes.last_prices)

    def mark(self, account: str) -> tuple[Decimal, Decimal]:
        """Cash and market value now; also moves the account's peak equity."""
        book = self.books[account]
        value = book.market_value(self.quotes.last_prices)
        book.peak_equity = max(book.peak_equity, book.cash + value)
        return book.cash, value

    def position_view(self, account: str, vt_symbol: str) -> PositionView | None:
        """The account's holding in a symbol."""
        book = self.books[account]
        position = book.positions.get(vt_symbol)
        if position is None:
            return None
        return PositionView(
            vt_symbol=vt_symbol,
            volume=position.volume,
            sellable=self.sellable(account, vt_symbol),
            cost=position.cost,
            last=self.quotes.last_prices.get(vt_symbol, position.cost),
            opened=position.opened,
            sessions=self.sessions_since(position.opened),
            setup=position.origin.setup,
            stop=self.stops.get((account, vt_symbol)),
            triggers=self.triggers.get((account, vt_symbol), 0),
        )

    def account_view(self, account: str, vt_symbol: str, max_weight: float) -> AccountView:
        """The account as a decision on one symbol sees it."""
        book = self.books[account]
        equity = self.equity(account)
        return AccountView(
            name=account,
            style=book.style,
            cash=book.cash,
            equity=equity,
            position=self.position_view(account, vt_symbol),
            weights=self._weights(book, equity),
            max_weight=max_weight,
        )

    def instrument_view(self, vt_symbol: str, name: str, hypothetical: bool) -> InstrumentView:
        """What today's rules say of an instrument."""
        rules = self.rules(vt_symbol)
        return InstrumentView(
            vt_symbol=vt_symbol,
            name=name,
            board=rules.board.name,
            tick=rules.tick_size,
            lot=rules.lot_size,
            min_buy=rules.min_buy,
            t_plus=rules.t_plus,
            fund=rules.board in FUND_BOARDS,
            hypothetical=hypothetical,
            multiplier=rules.multiplier if rules.futures else None,
            margin=rules.margin_ratio if rules.futures else None,
        )

    def sessions_since(self, day: date) -> int:
        """Trading days after `day` up to today."""
        return max(0, len(self.calendar.sessions(day, self.today)) - 1)

    def quote_age(self, vt_symbol: str, now: datetime) -> float | None:
        """Seconds since the last quote, None where there was none."""
        quote = self.quotes.get(vt_symbol)
        return (now - quote.at).total_seconds() if quote else None

    def _weights(self, book: AccountBook, equity: Decimal) -> Mapping[str, float]:
        """Value, for contracts margin, as ratios of equity."""
        prices = self.quotes.last_prices
        return {
            symbol: float((position.margin or position.worth(prices.get(symbol))) / equity)
            for symbol, position in sorted(book.positions.items())
            if equity > 0
        }
