"""Moments of the market as the simulated exchange gets them, and what the hours say about an order in one."""

from dataclasses import dataclass

from vnpy_aiagent.market.matching import MarketView
from vnpy_aiagent.market.order_hours import Handling, Taking, Trading
from vnpy_aiagent.sim.account import SimOrder, Stage


@dataclass(frozen=True, slots=True)
class MarketPoint:
    """One moment of one symbol. `view.liquidity` is how many shares each account may take in its window.

    `new_window` begins a window; the moments after it share its liquidity. `jump` says that the price did not
    trade its way here from the moment before, as at a bar's opening. `session` says what held at the moment's
    own time; None is continuous trading.
    """

    vt_symbol: str
    view: MarketView
    new_window: bool = True
    jump: bool = False
    session: Handling | None = None

    @property
    def fixed(self) -> bool:
        """Whether it trades at the closing price after hours."""
        return self.session is not None and self.session.trading is Trading.FIXED

    @property
    def final(self) -> bool:
        """Whether its price is the closing price."""
        session = self.session
        return self.fixed or (session is not None and session.closing and session.trading is not Trading.NONE)

    def concerns(self, order: SimOrder) -> bool:
        """Whether an order may meet it: one for after hours then alone; what traded before an auction, only
        an order from before it."""
        if order.after_hours != self.fixed or order.stage is Stage.QUEUED:
            return False
        late = self.session is not None and self.session.trading is Trading.NONE
        return order.stage is Stage.RESTING or not late


def trades(rule: Handling | None, view: MarketView) -> bool:
    """Whether an order that is sent now meets the present moment."""
    return not view.auction and (rule is None or rule.trading is Trading.CONTINUOUS)


def caged(rule: Handling | None, view: MarketView) -> bool:
    """Whether the price cage holds now: in continuous trading."""
    if rule is None:
        return not view.auction
    return rule.orders is Taking.TAKEN and rule.trading is Trading.CONTINUOUS and not rule.closing


def cancel_refusal(order: SimOrder, rule: Handling) -> str:
    """Why a cancel is refused, or nothing."""
    if rule.cancels is Taking.REFUSED:
        return rule.cancel_reason
    if rule.after_hours and not order.after_hours:
        return "收盘集合竞价撮合中，不接受撤单"
    return ""
