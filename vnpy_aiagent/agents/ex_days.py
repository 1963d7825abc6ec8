"""Ex-days: what holders receive goes into the books, and every watched price goes to the new level.

Known actions take effect when the session opens: once for each account, position and ex-day, as the journal
says. On the simulated exchange shares and cash are booked there and in the app's book by the same formulas;
for other gateways the broker's own figures are the truth, and only stops and triggers move. Ex-days that
nobody entered: `ex_reference`.
"""

from collections.abc import Callable, Collection
from datetime import date, datetime
from decimal import Decimal

from vnpy_aiagent.agents.claims import Claims
from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.ex_levels import ExLevels
from vnpy_aiagent.agents.ex_reference import ReferenceWatch
from vnpy_aiagent.agents.monitoring import MonitoringAgent
from vnpy_aiagent.agents.restore import Restored
from vnpy_aiagent.base import EVENT_AI_FILL
from vnpy_aiagent.data.corporate_file import Actions
from vnpy_aiagent.domain import (
    MARKET_TZ,
    CorporateActionApplied,
    DividendTaxTaken,
    Fill,
    Severity,
    Side,
    Text,
    say,
)
from vnpy_aiagent.market import CorporateAction, ex_level
from vnpy_aiagent.portfolio import AccountBook
from vnpy_aiagent.sim.exchange import SimExchange


class ExDays:
    """Applies known ex-days; `reference` finds those that nobody entered."""

    def __init__(
        self,
        house: AgentContext,
        monitoring: MonitoringAgent,
        actions: Callable[[], Actions],
        exchange: SimExchange | None,
        simulated: Collection[str],
    ) -> None:
        """`simulated` names the accounts on the simulated `exchange`; it may be filled later."""
        self.house = house
        self.actions = actions
        self.exchange = exchange
        self.simulated = simulated
        self.levels = ExLevels(house, monitoring)
        self.reference = ReferenceWatch(house, self.levels, actions)
        self.claims = Claims(house, actions, self.reference.shifted)
        self._applied: set[tuple[str, str, date]] = set()
        self._priced: set[tuple[str, date]] = set()
        house.bus.subscribe(EVENT_AI_FILL, self.on_fill)

    def restore(self, restored: Restored) -> None:
        """What was done before the restart is not done again."""
        self._applied.update(restored.applied)
        self.reference.restore(restored)
        self.claims.restore(restored)
        for update in restored.stops.values():
            self.levels.on_stop(update)

    def on_fill(self, fill: Fill) -> None:
        """Journal the dividend tax that a sale made due; the book has taken it already."""
        tax = self.house.portfolio.books[fill.account].dividend_taxes.get(fill.identity)
        if fill.side is Side.SELL and tax:
            self.house.bus.post(
                DividendTaxTaken,
                cause=fill.id,
                account=fill.account,
                symbol=fill.symbol,
                fill_id=fill.id,
                amount=tax,
            )

    def since(self, vt_symbol: str, when: datetime) -> bool:
        """Whether an ex-day of the symbol lies after the day of a moment, up to today."""
        before, today = when.astimezone(MARKET_TZ).date(), self.house.today()
        known = (item.ex_date for item in self.actions().get(vt_symbol, ()))
        found = (day for (_, symbol), day in self.reference.shifted.items() if symbol == vt_symbol)
        return any(before < day <= today for day in (*known, *found))

    def open(self, day: date) -> None:
        """A session opens: what went ex by now takes effect, before the exchange begins its day."""
        self.reference.begin(day)
        for items in self.actions().values():
            for action in items:
                if action.ex_date <= day:
                    self._apply(action)

    def _apply(self, action: CorporateAction) -> None:
        for name, book in self.house.portfolio.books.items():
            key = name, action.vt_symbol, action.ex_date
            if key not in self._applied and _held_before(book, action):
                self._applied.add(key)
                self._apply_to(book, action)
        self._reprice(action)

    def _apply_to(self, book: AccountBook, action: CorporateAction) -> None:
        house, symbol = self.house, action.vt_symbol
        booked = book.name in self.simulated
        if not booked:
            self.claims.note(book, action)
        shares, cash = book.apply_action(action) if booked else (0, Decimal(0))
        if booked and self.exchange is not None:
            self.exchange.apply_action(book.name, action)
        tick = house.portfolio.rules(symbol).tick_size
        applied = house.bus.post(
            CorporateActionApplied,
            cause=None,
            account=book.name,
            symbol=symbol,
            ex_date=action.ex_date,
            bonus=action.bonus,
            cash=action.cash,
            rights=action.rights,
            rights_price=action.rights_price,
            adjusts=action.adjusts,
            booked=booked,
            shares=shares,
            amount=cash,
            tick=tick,
        )
        reason = say("除权除息（{day}），止损按除权价公式调整", day=action.ex_date)

        def level(price: Decimal) -> Decimal:
            return ex_level(price, action, tick)

        self.levels.move(book.name, symbol, action.ex_date, level, reason, applied.id)
        house.bus.alert(Severity.INFO, _sentence(applied), cause=applied.id, account=book.name)

    def _reprice(self, action: CorporateAction) -> None:
        """A last price of before the ex-day values holdings on the new level until the first quote comes."""
        quotes, symbol = self.house.portfolio.quotes, action.vt_symbol
        at, key = quotes.at(symbol), (symbol, action.ex_date)
        if key in self._priced or at is None or at.date() >= action.ex_date:
            return
        self._priced.add(key)
        tick = self.house.portfolio.rules(symbol).tick_size
        quotes.last_prices[symbol] = ex_level(quotes.last_prices[symbol], action, tick)


def _held_before(book: AccountBook, action: CorporateAction) -> bool:
    position = book.positions.get(action.vt_symbol)
    return position is not None and any(lot.day < action.ex_date for lot in position.lots)


def _sentence(applied: CorporateActionApplied) -> Text:
    if applied.booked:
        return say(
            "{account} {symbol} 除权除息（{day}）：送转 {shares} 股，税前红利 {amount} 元已入账，"
            "止损和触发价已按除权价公式调整",
            account=applied.account,
            symbol=applied.symbol,
            day=applied.ex_date,
            shares=applied.shares,
            amount=applied.amount,
        )
    return say(
        "{account} {symbol} 除权除息（{day}）：止损和触发价已按除权价公式调整，股数和现金以柜台为准",
        account=applied.account,
        symbol=applied.symbol,
        day=applied.ex_date,
    )
