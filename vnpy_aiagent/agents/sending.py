"""Sends durable intents: to the host's gateway (DIRECT), or through a registered CTA strategy (CTA).

The trading state is looked at immediately before sending. What is not certain is never sent again.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.day_counts import DayCounts, count_on
from vnpy_aiagent.agents.hearing import Hearing, was_taken
from vnpy_aiagent.agents.offsets import send_orders
from vnpy_aiagent.agents.overtaken import Overtaken
from vnpy_aiagent.agents.routes import RouteBook
from vnpy_aiagent.agents.slips import SlipBook
from vnpy_aiagent.domain import Intent, OrderState, Severity, Side, Signal, Text, TradingState, Withheld, say
from vnpy_aiagent.execution import Child, OrderDesk

RETRY_TIMER = "intent_retry"
ONE_SECOND = timedelta(seconds=1)
MAX_INTENT_AGE = timedelta(seconds=60)
STUCK_AFTER = timedelta(seconds=15)
"""How long a stop's sale waits for its account before a human hears of it."""
CANCEL_FLOOR = 20
"""Orders of a day from which on the share of cancels is looked at."""
AfterChange = Callable[[Child], None]
Gate = Callable[[Intent], Text | None]
"""Why an intent may not be sent now, None where it may."""

Move = Callable[[Child], bool]
"""Sends what a gateway did not take through another one; whether it does."""


def _stay(child: Child) -> bool:
    return False


def _open(intent: Intent) -> Text | None:
    return None


class Sender:
    """The gates between an intent on the disk and the gateway."""

    def __init__(
        self,
        house: AgentContext,
        desk: OrderDesk,
        hearing: Hearing,
        overtaken: Overtaken,
        routes: RouteBook,
        slips: SlipBook,
        after_change: AfterChange,
    ) -> None:
        """`after_change` hears of a child that was withheld, and so has ended."""
        self.house = house
        self.desk = desk
        self.hearing = hearing
        self.overtaken = overtaken
        self.routes = routes
        self.slips = slips
        self.after_change = after_change
        self.gate: Gate = _open
        self.move: Move = _stay
        self.sent_on_day: DayCounts = DayCounts()
        self.cancelled_on_day: DayCounts = DayCounts()
        self._sent_at: dict[str, deque[datetime]] = {}
        self._stuck: set[tuple[str, str]] = set()

    def on_durable(self, intent: Intent) -> None:
        """Send an intent that is on the disk, unless the state says no."""
        child = self.desk.child(intent.id)
        if child is None or child.state is not OrderState.INTENDED:
            return
        parent = self.desk.parent_of(child)
        state = self.house.control.state
        if state is TradingState.HALTED:
            self.withhold(child, say("交易已停止（HALTED），委托未发送"))
        elif state is TradingState.REDUCING and intent.side is Side.BUY:
            self.withhold(child, say("当前只减仓（REDUCING），买单未发送"))
        elif self.house.clock.now() >= parent.signal.valid_until:
            self.withhold(child, say("信号已过期，委托未发送"))
        elif (objection := self.overtaken.ownership(parent.signal, intent)) is not None:
            self.withhold(child, objection)
        elif self.routes.missing(intent):
            self.withhold(child, say("没有 CTA 策略承接，委托未发送"))
        elif (objection := self.gate(intent)) is not None:
            self._wait(child, parent.signal, objection)
        elif self.house.clock.now() - intent.at > MAX_INTENT_AGE:
            self.withhold(child, say("日志落盘过迟，价格已陈旧，委托未发送"))
        elif not parent.signal.protective and self._over_daily_limit(intent):
            self.withhold(child, say("当日委托次数已达上限，委托未发送"))
        elif self._over_rate(intent):
            self.house.timers.set(self.house.clock.now() + ONE_SECOND, RETRY_TIMER, intent)
        else:
            self._send(child)

    def _wait(self, child: Child, signal: Signal, objection: Text) -> None:
        """The account is not ready: a stop's sale is tried again soon, anything else is not sent."""
        now = self.house.clock.now()
        if signal.protective and now - signal.at >= STUCK_AFTER:
            self._tell_stop(child.intent, objection)
        if signal.protective and now - child.intent.at <= MAX_INTENT_AGE:
            self.house.timers.set(now + ONE_SECOND, RETRY_TIMER, child.intent)
        else:
            self.withhold(child, objection, refused=True)

    def _tell_stop(self, intent: Intent, objection: Text) -> None:
        """A stop cannot sell: a human hears it once, until one of the position can."""
        key = intent.account, intent.symbol
        if key in self._stuck:
            return
        self._stuck.add(key)
        sentence = say(
            "{account} {symbol} 的止损卖单发不出去，恢复后会再卖：{why}",
            account=intent.account,
            symbol=intent.symbol,
            why=objection,
        )
        self.house.bus.alert(Severity.CRITICAL, sentence, cause=intent.id, account=intent.account)

    def _send(self, child: Child) -> None:
        intent = child.intent
        self._stuck.discard((intent.account, intent.symbol))
        route = self.routes.of(intent)
        try:
            taken = route(intent) if route is not None else send_orders(self.house, intent, was_taken)
        except Exception as error:  # noqa: BLE001 - a gateway may raise after the order left: its fate is open
            self._unknown(child, error)
            return
        if not isinstance(taken, Text):
            taken = tuple(filter(was_taken, taken))
        if isinstance(taken, Text) or not taken:
            silent = say("接口 {gateway} 未接受委托", gateway=intent.gateway)
            reason = taken if isinstance(taken, Text) else silent
            if not self.withhold(child, reason, refused=True):
                self.slips.write(intent, reason)
            return
        self.hearing.is_out(intent, taken)

    def _unknown(self, child: Child, error: Exception) -> None:
        """The gateway raised while it had the order: never sent again, its exposure stays reserved."""
        intent = child.intent
        self.desk.unknown(child)
        detail = child.reason = f"{type(error).__name__}: {error}"
        self.hearing.tell_state(child, "")
        sentence = say(
            "{account} {symbol} 有一笔委托状态不明（{error}），请在柜台核对；系统不会重发",
            account=intent.account,
            symbol=intent.symbol,
            error=detail,
        )
        self.house.bus.alert(Severity.CRITICAL, sentence, cause=intent.id, account=intent.account)
        self.slips.write(intent, say("接口报错，委托可能已发出：请先在柜台核对，确实没有再补单"))

    def withhold(self, child: Child, reason: Text, *, refused: bool = False) -> bool:
        """An intent is not sent, and says why; whether one that a gateway `refused` goes out elsewhere."""
        intent = child.intent
        self.desk.withheld(intent.id)
        self.house.bus.post(
            Withheld, cause=intent.id, account=intent.account, intent_id=intent.id, reason=reason
        )
        self.house.bus.say_log(reason, Severity.WARNING)
        moved = refused and self.move(child)
        self.after_change(child)
        return moved

    def _over_rate(self, intent: Intent) -> bool:
        """Whether the account sent as many orders in the last second as it may; else count this one."""
        now = self.house.clock.now()
        sent = self._sent_at.setdefault(intent.account, deque())
        while sent and not timedelta(0) <= now - sent[0] < ONE_SECOND:
            sent.popleft()
        if len(sent) >= self.house.settings.execution.max_orders_per_second:
            return True
        sent.append(now)
        count_on(self.sent_on_day, intent.account, now.date())
        return False

    def _over_daily_limit(self, intent: Intent) -> bool:
        sent = self.sent_on_day[intent.account, self.house.today()]
        return sent >= self.house.settings.execution.max_orders_per_day

    def too_many_cancels(self, account: str) -> bool:
        """Whether one more cancel of the app's own would exceed its share of the day's orders."""
        day = account, self.house.today()
        sent, cancelled = self.sent_on_day[day], self.cancelled_on_day[day]
        ratio = self.house.settings.execution.max_cancel_ratio
        return sent >= CANCEL_FLOOR and cancelled + 1 > sent * ratio

    def count_cancel(self, account: str) -> None:
        """A cancel counts against the day's share."""
        count_on(self.cancelled_on_day, account, self.house.today())
