"""The A-share engine, told where to stop, writing down what a strategy decides and when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from vnpy.trader.constant import Direction, Offset
from vnpy.trader.object import BarData, OrderData
from vnpy_ctastrategy.base import StopOrder
from vnpy_ctastrategy.template import CtaTemplate

from vnpy_aiagent.backtest.engine import UNLIMITED, AShareBacktestingEngine
from vnpy_aiagent.backtest.fills import Fills
from vnpy_aiagent.backtest.poison import Band, Cut
from vnpy_aiagent.backtest.session import Session


class Phase(IntEnum):
    """When a strategy was called: at a bar's open, by fills inside it, after its close, at the end."""

    OPEN = 0
    INSIDE = 1
    CLOSE = 2
    STOPPED = 3


@dataclass(frozen=True, slots=True)
class Decision:
    """What was done at the bar at position `bar` (from 0); `at` is that bar's own time."""

    bar: int
    phase: Phase
    at: datetime
    what: str

    def before(self, cut: Cut) -> bool:
        """Whether it was made with no more than what is known at the cut."""
        if self.phase is Phase.STOPPED:
            return False
        return self.bar < cut.bar or (self.bar == cut.bar and (not cut.opening or self.phase is Phase.OPEN))


Note = Callable[[str], None]
Watch = Callable[[CtaTemplate, Note], None]


class Enough(BaseException):
    """The cut is reached. No Exception, which vnpy's engine would catch and print."""


class CutEngine(AShareBacktestingEngine):
    """One run. `stop_after` is the last bar that is played, None for all.

    With `truth` given, the strategy gets its bars, and those of `history_data` become true as they are
    played: at each moment all of the future is false.
    """

    def __init__(
        self, stop_after: int | None = None, truth: list[BarData] | None = None, watch: Watch | None = None
    ) -> None:
        """`watch` is called with the strategy before the first bar, to note what else it decides."""
        super().__init__()
        self.decisions: list[Decision] = []
        self.bands: dict[int, Band] = {}
        self.error: Exception | None = None
        self._stop_after = stop_after
        self._truth = truth
        self._watch = watch
        self._position = -1
        self._phase = Phase.CLOSE

    def output(self, msg: str) -> None:
        """A check of many runs prints none of their lines."""

    def run(self, strategy: type[CtaTemplate], setting: dict[str, Any]) -> None:
        """Play up to the cut, then stop the strategy. What it raises is kept in `error`."""
        try:
            self.add_strategy(strategy, setting)
            self.run_backtesting()
        except Enough:
            self._phase = Phase.STOPPED
            self._call(self.strategy.on_stop)
        except Exception as error:  # noqa: BLE001 - a user's strategy may raise anything, at on_init too
            self._failed(error)

    def note(self, what: str) -> None:
        """Write down a decision."""
        self.decisions.append(Decision(self._position, self._phase, self.datetime, what))

    def _call(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception as error:  # noqa: BLE001
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        if self.error is None:
            self.error = error
            self.note(f"RAISED {type(error).__name__}: {error}")

    # the run

    def new_bar(self, bar: BarData) -> None:
        """Stop where enough was played; else as the engine."""
        if self._stop_after is not None and self._position >= self._stop_after:
            raise Enough
        self._position += 1
        if self._truth is not None:
            bar = self.history_data[self._position] = self._truth[self._position]
        if self._position == 0 and self._watch is not None:
            self._watch(self.strategy, self.note)
        try:
            super().new_bar(bar)
        except Exception as error:
            self._failed(error)
            raise
        if 0 < self._low < bar.open_price < self._up < UNLIMITED:
            self.bands[self._position] = self._low, self._up

    def _open_day(self, day: Any, price: float) -> Session:
        self._phase = Phase.OPEN
        session = super()._open_day(day, price)
        self._phase = Phase.CLOSE
        return session

    def _meet_bar(self, session: Session, bar: BarData) -> None:
        self._phase = Phase.OPEN
        super()._meet_bar(session, bar)
        self._phase = Phase.CLOSE

    def _meet_at(self, point: int, order: OrderData, session: Session, fills: Fills, arrives: bool) -> None:
        if point:
            self._phase = Phase.INSIDE
        super()._meet_at(point, order, session, fills, arrives)

    def _try_stop(self, session: Session, stop: StopOrder, fills: Fills) -> None:
        self._phase = Phase.INSIDE
        super()._try_stop(session, stop, fills)

    # what a strategy asks for

    def send_order(
        self,
        strategy: CtaTemplate,
        direction: Direction,
        offset: Offset,
        price: float,
        volume: float,
        stop: bool,
        lock: bool,
        net: bool,
    ) -> list[str]:
        """As vnpy's, written down."""
        kind = " STOP" if stop else ""
        self.note(f"{direction.name} {offset.name}{kind} {volume!s} @ {price!s}")
        sent: list[str] = super().send_order(strategy, direction, offset, price, volume, stop, lock, net)
        return sent

    def cancel_order(self, strategy: CtaTemplate, vt_orderid: str) -> None:
        """As vnpy's, written down where it cancels something."""
        if vt_orderid in self.active_limit_orders or vt_orderid in self.active_stop_orders:
            self.note(f"CANCEL {vt_orderid}")
        super().cancel_order(strategy, vt_orderid)

    def cancel_all(self, strategy: CtaTemplate) -> None:
        """As vnpy's, written down where it cancels something."""
        working = [*self.active_limit_orders, *self.active_stop_orders]
        if working:
            self.note(f"CANCEL {' '.join(working)}")
        super().cancel_all(strategy)
