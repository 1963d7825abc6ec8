"""The next step of a plan. One order is out at a time: a further one is sent when its end is certain."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from vnpy_aiagent.config import ExecutionSettings
from vnpy_aiagent.domain import Algo, Text, say, to_decimal
from vnpy_aiagent.execution.algos.plan import (
    Action,
    Cancel,
    Done,
    Market,
    OpenOrder,
    Orders,
    Place,
    Plan,
    Wait,
)
from vnpy_aiagent.execution.algos.pricing import PriceRules, helps, next_price
from vnpy_aiagent.execution.algos.slices import (
    VolumeRules,
    due_volume,
    legal,
    slice_count,
    slice_time,
    slice_volume,
)
from vnpy_aiagent.execution.algos.waiting import poor


class Rules(VolumeRules, PriceRules, Protocol):
    """What orders are measured by."""


def decide(
    plan: Plan,
    orders: Orders,
    market: Market | None,
    rules: Rules,
    settings: ExecutionSettings,
    now: datetime,
) -> tuple[Plan, Action]:
    """The plan after this moment, and what to do. `market` is None where no fresh quote is known."""
    if plan.traded_from is None and market is not None and market.traded is not None:
        plan = replace(plan, traded_from=market.traded)
    if orders.blocked:
        return plan, Wait()
    if orders.open is not None:
        return _working(plan, orders, orders.open, market, rules, settings, now)
    if orders.rest <= 0:
        return plan, Done()
    if plan.over is not None:
        return plan, Done(plan.over)
    if now >= plan.task.until:
        return plan, Done(say("信号到期，剩余 {left} 股未成交", left=orders.rest))
    return _next(plan, orders, market, rules, settings, now)


def _working(
    plan: Plan,
    orders: Orders,
    order: OpenOrder,
    market: Market | None,
    rules: Rules,
    settings: ExecutionSettings,
    now: datetime,
) -> tuple[Plan, Action]:
    """An order is out: leave it, or cancel it for the next slice or a better price."""
    if order.cancelling or now >= plan.task.until:
        return plan, Wait()
    if plan.task.algo is Algo.TWAP and plan.placed < slice_count(plan.task, settings.slicing):
        if plan.next_at is not None and now < plan.next_at:
            return plan, Wait(plan.next_at)
        return replace(plan, timeouts=plan.timeouts + 1), Cancel(say("本时间片结束"))
    after = timedelta(seconds=settings.timeout.after)
    look = plan.look or order.since + after
    if not after or now < look:
        return plan, Wait(look if after else None)
    return _timed_out(replace(plan, look=now + after), orders, order, market, rules, settings)


def _timed_out(
    plan: Plan,
    orders: Orders,
    order: OpenOrder,
    market: Market | None,
    rules: Rules,
    settings: ExecutionSettings,
) -> tuple[Plan, Action]:
    """The order did not fill in time: cancel it where a better price would help; `plan.look` is the next."""
    if plan.timeouts >= settings.timeout.replacements and not plan.task.protective:
        return _last_timeout(plan, settings)
    if market is None:
        return plan, Wait(plan.look)
    plan = replace(plan, timeouts=plan.timeouts + 1)
    price = _price(plan, orders, market, rules, settings)
    if helps(plan.task, price, order.price):
        return plan, Cancel(say("超时未成交，改价为 {price}", price=price))
    return plan, Wait(plan.look)


def _last_timeout(plan: Plan, settings: ExecutionSettings) -> tuple[Plan, Action]:
    """All replacements are used up: the order rests, or the rest of it is given up."""
    if settings.timeout.then == "REST":
        return plan, Wait()
    reason = say("改价 {count} 次后仍未全部成交，放弃剩余", count=plan.timeouts)
    return replace(plan, over=reason), Cancel(reason)


def _next(
    plan: Plan,
    orders: Orders,
    market: Market | None,
    rules: Rules,
    settings: ExecutionSettings,
    now: datetime,
) -> tuple[Plan, Action]:
    """No order is out, and volume is certain to be open: the next one, when it is time."""
    task = plan.task
    if not legal(rules, task.side, orders.rest, orders.held):
        return plan, Done(say("剩余 {left} 股不足最小委托数量", left=orders.rest))
    if plan.next_at is not None and now < plan.next_at:
        return plan, Wait(plan.next_at)
    due = due_volume(plan, settings.slicing, market, orders.rest, now)
    volume = slice_volume(rules, task.side, due, orders.rest, orders.held)
    if task.algo is Algo.PARTICIPATION and volume > due:
        return plan, Wait()
    price = _price(plan, orders, market, rules, settings)
    if price is None:
        return plan, Wait()
    plan, wait = _patience(plan, volume, market, rules, settings, now)
    return (plan, wait) if wait is not None else (_placed(plan, settings, now), Place(volume, price))


def _patience(
    plan: Plan, volume: int, market: Market | None, rules: Rules, settings: ExecutionSettings, now: datetime
) -> tuple[Plan, Wait | Done | None]:
    """Whether to wait for a better market, or to give up; None where the order may be sent."""
    patience = settings.patience
    if plan.task.protective or not patience.seconds:
        return plan, None
    reason: Text | None = poor(plan.task.side, volume, market, patience, rules.tick_size)
    if reason is None:
        return plan, None
    plan = plan if plan.poor_since is not None else replace(plan, poor_since=now)
    until = (plan.poor_since or now) + timedelta(seconds=patience.seconds)
    if now < until:
        return plan, Wait(until)
    return plan, None if patience.then == "ACT" else Done(reason)


def _placed(plan: Plan, settings: ExecutionSettings, now: datetime) -> Plan:
    slicing = settings.slicing
    pause = {
        Algo.TWAP: slice_time(plan.task, slicing),
        Algo.PARTICIPATION: timedelta(seconds=slicing.every),
    }.get(plan.task.algo)
    return replace(plan, placed=plan.placed + 1, look=None, next_at=None if pause is None else now + pause)


def _price(
    plan: Plan, orders: Orders, market: Market | None, rules: Rules, settings: ExecutionSettings
) -> Decimal | None:
    slip = to_decimal(settings.stop_slippage)
    return next_price(plan, orders, market, rules, settings.timeout.replacements, slip)
