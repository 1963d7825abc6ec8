"""Approvals: a signal that needs one waits for a human before it becomes a parent order.

A buy that waits holds back its cash, so that the risk rules count it as working; a sale holds back nothing,
since a protective stop must not wait behind it. The risk agent counts sales that wait by `selling`, so that
no second exit asks for the same shares.
"""

from collections.abc import Callable
from datetime import timedelta

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.overtaken import Overtaken
from vnpy_aiagent.base import EVENT_AI_APPROVAL
from vnpy_aiagent.control.approvals import Pending, PendingApprovals, needs_approval
from vnpy_aiagent.domain import (
    ApprovalAnswered,
    ApprovalAsked,
    Severity,
    Side,
    Signal,
    Text,
    TradingState,
    say,
)

APPROVAL_TIMER = "approval_lapses"
GoOn = Callable[[Signal, str], None]
Recheck = Callable[[Signal], Text | None]


def _no_rules(signal: Signal) -> Text | None:
    return None


class ApprovalDesk:
    """Asks, hears the answer once, and lets an approved signal go on if it may still be sent."""

    def __init__(self, house: AgentContext, go_on: GoOn, overtaken: Overtaken) -> None:
        """`go_on(signal, cause)` works an approved signal.

        `recheck(signal)`, the risk agent's, says why its rules do not allow a signal any more.
        """
        self.house = house
        self.recheck: Recheck = _no_rules
        self._go_on = go_on
        self._overtaken = overtaken
        self._pending = PendingApprovals()

    def waiting(self) -> list[ApprovalAsked]:
        """What is asked now, oldest first."""
        return self._pending.waiting()

    def selling(self, account: str, vt_symbol: str) -> int:
        """Shares in an account's sales of a symbol that wait."""
        return sum(
            asked.volume
            for asked in self._pending.waiting()
            if (asked.account, asked.symbol, asked.side) == (account, vt_symbol, Side.SELL)
        )

    def holds(self, signal: Signal) -> bool:
        """Ask for a signal where the settings want it; whether it waits now."""
        house = self.house
        if not needs_approval(house.settings.asks_for, signal):
            return False
        lapse = timedelta(seconds=house.settings.approval_lapse)
        asked = house.bus.post(
            ApprovalAsked,
            EVENT_AI_APPROVAL,
            cause=signal.id,
            account=signal.account,
            signal_id=signal.id,
            symbol=signal.symbol,
            side=signal.side,
            volume=signal.volume,
            price=signal.limit,
            stop=signal.stop,
            reason=signal.reason,
            lapses_at=min(house.clock.now() + lapse, signal.valid_until),
        )
        self._pending.add(asked, signal)
        if signal.side is Side.BUY:
            self._reserve(asked)
        house.timers.set(asked.lapses_at, APPROVAL_TIMER, asked.id)
        sentence = say(
            "等待批准：{account} {side} {symbol} {volume} 股，限价 {price}，{until} 前未答则作废",
            account=asked.account,
            side="买入" if asked.side is Side.BUY else "卖出",
            symbol=asked.symbol,
            volume=asked.volume,
            price=asked.price,
            until=f"{asked.lapses_at:%H:%M:%S}",
        )
        house.bus.say_log(sentence, Severity.WARNING)
        return True

    def approve(self, approval_id: str, by: str) -> bool:
        """Let a signal go on; False where it does not wait any more, or may not be sent any more."""
        pending = self._take_in_time(approval_id)
        if pending is None:
            return False
        asked = pending.asked
        self.house.portfolio.books[asked.account].release(asked.id)  # it does not work beside itself
        objection = self._objection(pending.signal)
        if objection is not None:
            self._answer(pending, approved=False, by=by, reason=objection)
            return False
        answered = self._answer(pending, approved=True, by=by, reason=say("人工批准"))
        self._go_on(pending.signal, answered.id)
        return True

    def refuse(self, approval_id: str, by: str, reason: str) -> bool:
        """Drop a signal; False where it does not wait any more."""
        pending = self._take_in_time(approval_id)
        if pending is None:
            return False
        why = say("人工拒绝：{reason}", reason=reason) if reason else say("人工拒绝")
        self._answer(pending, approved=False, by=by, reason=why)
        return True

    def on_lapse(self, approval_id: str) -> None:
        """Its time is over."""
        pending = self._pending.take(approval_id)
        if pending is not None:
            self._answer(pending, approved=False, by="timeout", reason=say("到时未批准，已作废"))

    def lapse(self, by: str, reason: Text, wanted: Callable[[Signal], bool] = lambda _: True) -> int:
        """End the wait of all signals that are wanted, none of which is sent; how many there were."""
        ended = [self._pending.take(approval_id) for approval_id in self._pending.chosen(wanted)]
        for pending in ended:
            if pending is not None:
                self._answer(pending, approved=False, by=by, reason=reason)
        return len(ended)

    def _take_in_time(self, approval_id: str) -> Pending | None:
        """What waits under an id; an answer that comes before its lapse timer does, but too late, ends it."""
        pending = self._pending.take(approval_id)
        if pending is not None and self.house.clock.now() >= pending.asked.lapses_at:
            self._answer(pending, approved=False, by="timeout", reason=say("到时未批准，已作废"))
            return None
        return pending

    def _answer(self, pending: Pending, *, approved: bool, by: str, reason: Text) -> ApprovalAnswered:
        house, asked = self.house, pending.asked
        house.portfolio.books[asked.account].release(asked.id)
        answered = house.bus.post(
            ApprovalAnswered,
            EVENT_AI_APPROVAL,
            cause=asked.id,
            account=asked.account,
            approval_id=asked.id,
            signal_id=asked.signal_id,
            symbol=asked.symbol,
            approved=approved,
            by=by,
            reason=reason,
        )
        figures = {"account": asked.account, "symbol": asked.symbol, "by": by}
        if approved:
            house.bus.say_log(say("已批准 {account} {symbol}（{by}）", **figures), Severity.INFO)
        else:
            sentence = say("未批准 {account} {symbol}（{by}）：{why}", **figures, why=reason)
            house.bus.say_log(sentence, Severity.WARNING)
        return answered

    def _reserve(self, asked: ApprovalAsked) -> None:
        portfolio = self.house.portfolio
        held_back = portfolio.reservation(asked.symbol, asked.side, asked.volume, asked.price)
        portfolio.books[asked.account].reserve(asked.id, held_back)

    def _objection(self, signal: Signal) -> Text | None:
        """Why a signal may not be sent any more, by the state, prices and risk rules of this moment."""
        house = self.house
        state = house.control.state
        if state is TradingState.HALTED:
            return say("交易已停止（HALTED），委托未发送")
        if state is TradingState.REDUCING and signal.side is Side.BUY:
            return say("当前只减仓（REDUCING），买单未发送")
        if house.clock.now() >= signal.valid_until:
            return say("信号已过期，委托未发送")
        if not house.in_session(signal.symbol):
            return say("已不在连续交易时段，委托未发送")
        return self._price_objection(signal) or self.recheck(signal)

    def _price_objection(self, signal: Signal) -> Text | None:
        portfolio = self.house.portfolio
        quote = portfolio.quotes.get(signal.symbol)
        if quote is None or quote.at.date() != self.house.today():
            return say("没有当日行情（停牌或行情中断）")
        low, high = quote.limit_down, quote.limit_up
        if (low is not None and signal.limit < low) or (high is not None and signal.limit > high):
            return say(
                "限价 {limit} 不在今日涨跌停 {low} 至 {high} 之内", limit=signal.limit, low=low, high=high
            )
        if signal.side is Side.BUY and signal.stop is not None and quote.last <= signal.stop:
            return say("现价 {last} 已到止损价 {stop}，不再买入", last=quote.last, stop=signal.stop)
        return self._overtaken.ownership(signal)
