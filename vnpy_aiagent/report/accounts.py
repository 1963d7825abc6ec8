"""Accounts and baselines in figures, and their recomputation from fills alone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from vnpy_aiagent.backtest.metrics import max_drawdown, sharpe, total_return
from vnpy_aiagent.domain import (
    BaselineMark,
    EquityMark,
    Fill,
    OrderState,
    OrderUpdate,
    Sent,
    Side,
    Style,
    Text,
    cny,
)
from vnpy_aiagent.report.contract_cash import contract_cash
from vnpy_aiagent.report.read import RunRecord

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class AccountResult:
    """One account over the run. Amounts CNY; ratios; `orders` sent, `rejected` by the exchange."""

    name: str
    style: Style
    equity_start: Decimal
    equity_end: Decimal
    total_return: float
    max_drawdown: float
    sharpe: float | None
    orders: int
    fills: int
    rejected: int
    fees: Decimal


@dataclass(frozen=True, slots=True)
class BaselineResult:
    """One baseline over the run, as if it had begun with the first account's cash."""

    name: str
    label: Text
    total_return: float
    max_drawdown: float
    sharpe: float | None


@dataclass(frozen=True, slots=True)
class Holdings:
    """Cash (CNY) and shares by symbol, without empty positions."""

    cash: Decimal
    positions: dict[str, int]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether an account's last valuation equals what its fills give. `cash_off` is the difference in CNY."""

    account: str
    day: date
    cash_off: Decimal
    positions_agree: bool

    @property
    def ok(self) -> bool:
        """Same cash to the cent and same holdings."""
        return not self.cash_off and self.positions_agree


def equity_curve(cash: Decimal, marks: Sequence[EquityMark]) -> list[float]:
    """Opening cash, then the equity of each day (CNY)."""
    return [float(cash), *(float(mark.equity) for mark in marks)]


def baseline_curve(record: RunRecord, marks: Sequence[BaselineMark]) -> list[float]:
    """The starting cash, then the value of each day (CNY)."""
    values = [float(mark.value) for mark in marks]
    accounts = list(record.accounts.values())
    return [float(accounts[0].cash), *values] if accounts else values


def account_results(record: RunRecord) -> list[AccountResult]:
    """Every account, in the order of opening."""
    sent = Counter(message.account for message in record.of(Sent))
    rejected = Counter(account for account, _ in _rejected(record))
    marks, fills = record.marks, record.fills
    results = []
    for name, opened in record.accounts.items():
        values = equity_curve(opened.cash, marks.get(name, ()))
        own = [fill for fill in fills if fill.account == name]
        results.append(
            AccountResult(
                name=name,
                style=opened.style,
                equity_start=opened.cash,
                equity_end=marks[name][-1].equity if marks.get(name) else opened.cash,
                total_return=total_return(values),
                max_drawdown=max_drawdown(values),
                sharpe=sharpe(values),
                orders=sent[name],
                fills=len(own),
                rejected=rejected[name],
                fees=sum((fill.fees for fill in own), ZERO),
            )
        )
    return results


def baseline_result(name: str, label: Text, values: Sequence[float]) -> BaselineResult:
    """One baseline's figures; `values` begin with the starting cash (CNY)."""
    return BaselineResult(name, label, total_return(values), max_drawdown(values), sharpe(values))


def recompute_accounts(record: RunRecord, until: date | None = None) -> dict[str, Holdings]:
    """Cash and holdings of each account from its opening cash and its fills alone, up to a day's end.

    A buy costs price x volume + fees, a sale brings price x volume - fees; of contracts fees, realised gains
    and daily settlements move cash.
    """
    cash = {name: opened.cash for name, opened in record.accounts.items()}
    shares: dict[str, Counter[str]] = {name: Counter() for name in cash}
    for fill in record.fills:
        if fill.account in cash and (until is None or fill.trading_day <= until):
            cash[fill.account] += _cash_flow(fill)
            shares[fill.account][fill.symbol] += fill.volume if fill.side is Side.BUY else -fill.volume
    for name, amount in contract_cash(record, until).items():
        if name in cash:
            cash[name] += amount
    return {
        name: Holdings(cny(amount), {symbol: held for symbol, held in shares[name].items() if held})
        for name, amount in cash.items()
    }


def agreements(record: RunRecord) -> list[Agreement]:
    """The last valuation of each account against its fills."""
    found = []
    for name, marks in record.marks.items():
        last = marks[-1]
        holdings = recompute_accounts(record, last.day).get(name)
        if holdings is not None:
            held = {symbol: volume for symbol, volume in last.positions.items() if volume}
            found.append(
                Agreement(name, last.day, cny(last.cash) - holdings.cash, held == holdings.positions)
            )
    return found


def _cash_flow(fill: Fill) -> Decimal:
    """What a fill of shares moves; that of a contract is in `contract_cash`."""
    if fill.terms is not None:
        return ZERO
    turnover = fill.price * fill.volume
    return (turnover if fill.side is Side.SELL else -turnover) - fill.fees


def _rejected(record: RunRecord) -> set[tuple[str, str]]:
    """Account and intent of each order that the exchange refused."""
    return {
        (update.account, update.intent_id)
        for update in record.of(OrderUpdate)
        if update.state is OrderState.REJECTED
    }
