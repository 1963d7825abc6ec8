"""Accounts and baselines judged: all figures, how far they could be chance, periods, more baselines."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from vnpy_aiagent.backtest import chance
from vnpy_aiagent.backtest.assess import SEED, Assessment, assess
from vnpy_aiagent.backtest.metrics import Array, Trading, daily_returns, daily_sharpe
from vnpy_aiagent.domain import Fill, Text, TradeRecord, say
from vnpy_aiagent.report.accounts import baseline_curve, equity_curve
from vnpy_aiagent.report.prices import Prices
from vnpy_aiagent.report.read import RunRecord


@dataclass(frozen=True)
class BaselineSeries:
    """A baseline by day (CNY), beginning with the first account's cash before the first day."""

    name: str
    label: Text
    opening: float
    days: tuple[date, ...]
    values: tuple[float, ...]

    @property
    def curve(self) -> list[float]:
        """The opening cash, then each day's value (CNY)."""
        return [self.opening, *self.values]


@dataclass(frozen=True)
class AccountEvaluation:
    """One account. Market values at the closes and fees up to them in CNY; `benchmark` names the baseline
    that alpha and beta are against, None where none covers the account's days."""

    name: str
    market_values: tuple[float, ...]
    costs: tuple[float, ...]
    benchmark: str | None
    result: Assessment


@dataclass(frozen=True)
class Evaluation:
    """Every account that was valued, always above 0, and every baseline: of the journal, then made here."""

    accounts: tuple[AccountEvaluation, ...]
    baselines: tuple[BaselineSeries, ...]


def evaluate(record: RunRecord, prices: Prices | None = None) -> Evaluation:
    """Judge a run. Without `prices` there is no moving average and no random baseline."""
    baselines = _journal_baselines(record)
    fills: dict[str, list[Fill]] = defaultdict(list)
    for fill in record.fills:
        fills[fill.account].append(fill)
    names = [
        name
        for name in record.accounts
        if record.marks.get(name) and min(_curve(record, name)) > 0  # below, no ratio means anything
    ]
    sharpes = [
        found for name in names if (found := daily_sharpe(daily_returns(_curve(record, name)))) is not None
    ]
    accounts = tuple(
        _account(record, name, fills[name], baselines[0] if baselines else None, len(names), sharpes, prices)
        for name in names
    )
    return Evaluation(accounts, (*baselines, *_made_baselines(record, accounts, prices)))


def _curve(record: RunRecord, name: str) -> list[float]:
    return equity_curve(record.accounts[name].cash, record.marks[name])


def _journal_baselines(record: RunRecord) -> list[BaselineSeries]:
    found = []
    for name, marks in record.baselines.items():
        curve = baseline_curve(record, marks)
        days, values = tuple(mark.day for mark in marks), tuple(float(mark.value) for mark in marks)
        found.append(BaselineSeries(name, marks[-1].label, curve[0], days, values))
    return found


def _account(
    record: RunRecord,
    name: str,
    fills: Sequence[Fill],
    benchmark: BaselineSeries | None,
    trials: int,
    sharpes: Sequence[float],
    prices: Prices | None,
) -> AccountEvaluation:
    marks = record.marks[name]
    days, curve = tuple(mark.day for mark in marks), _curve(record, name)
    held = tuple(float(mark.market_value) for mark in marks)
    profits = [float(trade.pnl) for trade in record.of(TradeRecord) if trade.account == name]
    amount, fees = _amount(fills), sum(float(fill.fees) for fill in fills)
    same_days = benchmark is not None and benchmark.days == days
    total, cost = curve[-1] / curve[0] - 1, fees / amount if amount else 0.0
    return AccountEvaluation(
        name=name,
        market_values=held,
        costs=_costs(days, fills),
        benchmark=benchmark.name if benchmark is not None and same_days else None,
        result=assess(
            days,
            curve,
            Trading(amount, fees, profits, held),
            benchmark=benchmark.curve if benchmark is not None and same_days else (),
            trials=trials,
            sharpes=sharpes,
            random=_random(record, name, total, cost, prices),
            shifted=_shifted(record, name, prices),
        ),
    )


def _amount(fills: Sequence[Fill]) -> float:
    """What was bought and sold (CNY), contracts by their value."""
    return sum(
        float(fill.price * fill.volume * (1 if fill.terms is None else fill.terms.multiplier))
        for fill in fills
    )


def _costs(days: Sequence[date], fills: Sequence[Fill]) -> tuple[float, ...]:
    """Fees so far at each close (CNY)."""
    paid: dict[date, float] = defaultdict(float)
    for fill in fills:
        paid[fill.trading_day] += float(fill.fees)
    return tuple(float(sum(fee for on, fee in paid.items() if on <= day)) for day in days)


def _random(
    record: RunRecord, name: str, total: float, cost: float, prices: Prices | None
) -> chance.Chance | None:
    """Random trading with this account's turnover; None without prices, holdings, or known symbols."""
    if prices is None:
        return None
    marks, row = record.marks[name], {day: n for n, day in enumerate(prices.days)}
    column = {symbol: n for n, symbol in enumerate(prices.symbols)}
    if any(mark.day not in row for mark in marks):
        return None
    rows = [row[mark.day] for mark in marks]
    weights = np.zeros((len(rows), len(prices.symbols)))
    for n, mark in enumerate(marks):
        worth = {s: v * prices.closes[rows[n], column[s]] for s, v in mark.positions.items() if s in column}
        whole = float(np.nansum(list(worth.values())))
        for symbol, each in worth.items():  # scaled to the mark: adjusted closes are not what was valued
            if whole > 0 and np.isfinite(each):
                weights[n, column[symbol]] = each / whole * float(mark.market_value / mark.equity)
    return chance.random_same_turnover(weights, prices.returns[rows], cost, total, seed=SEED)


def _shifted(record: RunRecord, name: str, prices: Prices | None) -> chance.Perturbed | None:
    """The closed trades with entries and exits moved by some days; None without prices or such trades."""
    if prices is None:
        return None
    row = {day: n for n, day in enumerate(prices.days)}
    column = {symbol: n for n, symbol in enumerate(prices.symbols)}
    equity = {mark.day: float(mark.equity) for mark in record.marks[name]}
    trips = [
        chance.Trip(
            column[trade.symbol],
            row[trade.opened],
            row[trade.closed],
            float(trade.buy_price * trade.volume) / equity[trade.opened],
        )
        for trade in record.of(TradeRecord)
        if trade.account == name
        and trade.symbol in column
        and trade.opened in row
        and trade.closed in row
        and trade.opened in equity
    ]
    return chance.perturbed_entries(trips, prices.returns, seed=SEED)


def _made_baselines(
    record: RunRecord, accounts: Sequence[AccountEvaluation], prices: Prices | None
) -> list[BaselineSeries]:
    if prices is None or not accounts:
        return []
    first = accounts[0]
    found = []
    rows = {day: n for n, day in enumerate(prices.days)}
    if all(day in rows for day in first.result.days):
        places = [rows[day] for day in first.result.days]
        weights = chance.moving_average_weights(prices.closes)[places]
        grown = chance.curve_of(weights, prices.returns[places], _cost_rate(record))
        label = say("{days} 日均线以上持有（按本次费率计费）", days=chance.AVERAGE_DAYS)
        found.append(_scaled("moving_average", label, first, grown))
    for account in accounts:
        if account.result.random is not None:
            label = say(
                "随机交易，换手与 {account} 相同（{draws} 次的中位）",
                account=account.name,
                draws=account.result.random.draws,
            )
            found.append(_scaled(f"random {account.name}", label, account, account.result.random.median))
    return found


def _cost_rate(record: RunRecord) -> float:
    """Fees / traded amount over all accounts; 0 where nothing was traded."""
    amount = _amount(record.fills)
    return sum(float(fill.fees) for fill in record.fills) / amount if amount else 0.0


def _scaled(name: str, label: Text, account: AccountEvaluation, grown: Array) -> BaselineSeries:
    opening = account.result.curve[0]
    return BaselineSeries(
        name, label, opening, account.result.days, tuple(round(opening * float(each), 2) for each in grown)
    )
