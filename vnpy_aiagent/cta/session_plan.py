"""What a backtest decided after a day's close, and the prices that it resolved for the next session."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from vnpy_aiagent.config import ExecutionSettings
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import (
    Action,
    Proposal,
    ResolvedTrigger,
    Text,
    TriggerKind,
    ceil_to_tick,
    floor_to_tick,
    to_decimal,
)
from vnpy_aiagent.market import InstrumentRules
from vnpy_aiagent.portfolio.book import Origin
from vnpy_aiagent.risk.plan_prices import plan_prices
from vnpy_aiagent.tools.snapshot import QuoteView


class Ticket(NamedTuple):
    """An order to send. Price in CNY, volume in shares."""

    price: Decimal
    volume: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What a buy that is out will bring once it fills."""

    stop: Decimal | None
    triggers: tuple[ResolvedTrigger, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """Decided after `day`, to work in the next session. `action` is None where nothing was asked.

    `stop` is the protective stop; `refused` is the rule's sentence where the wanted trade was not allowed.
    """

    day: date
    action: Action | None = None
    reason: Text | None = None
    buy: Ticket | None = None
    sell: Ticket | None = None
    stop: Ticket | None = None
    refused: Text | None = None


@dataclass(frozen=True, slots=True)
class Prices:
    """A proposal's prices in CNY, on the tick grid and inside the next session's band."""

    entry: Decimal
    stop: Decimal | None
    triggers: tuple[ResolvedTrigger, ...]
    buy_limit: Decimal
    sell_limit: Decimal


def closing_quote(series: BarSeries, rules: InstrumentRules) -> QuoteView:
    """The quote at the close of the last day of a series."""
    first, high, low, last = (
        to_decimal(float(column[-1])) for column in (series.open, series.high, series.low, series.close)
    )
    prev_close = to_decimal(float(series.close[-2])) if len(series) > 1 else None
    band = rules.price_band(prev_close) if prev_close is not None else None
    return QuoteView(
        at=series.end_of(-1),
        last=last,
        open=first,
        high=high,
        low=low,
        prev_close=prev_close,
        limit_up=band.up if band else None,
        limit_down=band.down if band else None,
        volume=int(series.volume[-1]),
    )


def next_session(quote: QuoteView, rules: InstrumentRules) -> QuoteView:
    """The closing quote as the next session will begin from it: the close is what its limits are set by."""
    band = rules.price_band(quote.last)
    return replace(
        quote,
        prev_close=quote.last,
        limit_up=band.up if band else None,
        limit_down=band.down if band else None,
    )


def priced(
    proposal: Proposal, quote: QuoteView, tick: Decimal, atr: Decimal | None, execution: ExecutionSettings
) -> Prices:
    """Resolve a proposal's references; UnresolvedPrice with one sentence where one cannot be.

    A buy may pay up to its slippage and the bound of re-pricing above the entry. An exit takes what the next
    session pays, down to its limit: a backtester fills it at the open.
    """
    plan = plan_prices(proposal, quote, tick, atr)
    triggers = plan.triggers if plan.reach is None else (*plan.triggers, plan.reach)
    highest = plan.entry * (1 + to_decimal(execution.slippage)) * (1 + to_decimal(execution.bounds))
    lowest = quote.last * (1 - to_decimal(execution.stop_slippage))
    buy = max(floor_to_tick(highest, tick), tick)
    if quote.limit_up is not None and quote.limit_down is not None:
        buy = min(max(buy, quote.limit_down), quote.limit_up)
    sell = max(ceil_to_tick(lowest, tick), tick) if quote.limit_down is None else quote.limit_down
    return Prices(plan.entry, plan.stop, triggers, buy, sell)


def reached(trigger: ResolvedTrigger, low: float, high: float, sessions: int) -> bool:
    """Whether a day's range (CNY), or the trading days since the entry, meet a trigger."""
    if trigger.trigger is TriggerKind.TIME_AT:
        return trigger.sessions is not None and sessions >= trigger.sessions
    if trigger.price is None:
        return False
    if trigger.trigger is TriggerKind.PRICE_AT_OR_ABOVE:
        return to_decimal(high) >= trigger.price
    return to_decimal(low) <= trigger.price
