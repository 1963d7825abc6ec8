"""Signals that a human's command overtook: posted before it, handled after it, and void.

Between a signal's post and its order a human may halt, flatten, resume or take the position over. None of
these can cancel an order that does not exist yet, so the signal is looked at when its turn comes.
"""

from collections.abc import Callable

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.domain import Intent, Side, Signal, Text, say

Superseded = Callable[[Signal], bool]


def _never(signal: Signal) -> bool:
    return False


class Overtaken:
    """Knows the last command that voids what was posted before it, for all or for one position.

    `superseded(signal)`, the monitoring agent's, says whether a stop does not wait for this sale any more. A
    stop's sale is void by that alone: a halt or a resume does not end a stop that its price has hit.
    """

    def __init__(self, house: AgentContext) -> None:
        """Nothing is void yet."""
        self.house = house
        self.superseded: Superseded = _never
        self._marks: dict[tuple[str, str], str] = {}

    def mark(self, message_id: str, account: str = "", symbol: str = "") -> None:
        """What was posted before this message is void: all of it, or one position's."""
        self._marks[account, symbol] = message_id

    def why(self, signal: Signal) -> Text | None:
        """Why a signal that was posted may not be worked, None where it may."""
        if signal.protective:
            return say("止损卖出已被人工操作取代，未发送") if self.superseded(signal) else None
        marks = (self._marks.get(("", "")), self._marks.get((signal.account, signal.symbol)))
        if any(mark is not None and _order(signal.id) < _order(mark) for mark in marks):
            return say("信号发出后有人工操作（停止、清仓、恢复或接管），信号作废")
        return None

    def ownership(self, signal: Signal, own: Intent | None = None) -> Text | None:
        """Why the shares forbid it: a buy beside a human's, a sale of more than the app may sell now.

        `own` is the order of the signal that is asked for, whose reservation does not count against it.
        """
        portfolio, account, symbol = self.house.portfolio, signal.account, signal.symbol
        book = portfolio.books[account]
        if signal.side is Side.BUY:
            if book.external.get(symbol) and not self.house.settings.execution.beside_external:
                return say("持仓已由人工接管，系统不再买入")
            return None
        volume = signal.volume if own is None else own.volume
        held_back = None if own is None else book.reservations.pop(own.id, None)
        sellable = portfolio.sellable(account, symbol)
        if own is not None and held_back is not None:
            book.reserve(own.id, held_back)
        if volume > sellable:
            return say("可卖 {sellable} 股，不足 {volume} 股，未卖出", sellable=sellable, volume=volume)
        return None


def _order(message_id: str) -> tuple[int, str]:
    """Ids of one run in the order of their making, also past seven digits."""
    return len(message_id), message_id
