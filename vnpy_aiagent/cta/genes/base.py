"""What the gene strategies share: complete days, one long position, whole lots, T+1, a stop.

A strategy looks at complete days only and says whether it wants to be in the share. Fed with daily bars (a
backtest) it sends its order at once, for the next bar; fed with finer bars or ticks it sends it with the
first bar of the next day, so that nothing is sent after the close.
"""

from abc import abstractmethod
from datetime import datetime

from vnpy.trader.constant import Direction, Exchange, Interval
from vnpy.trader.object import BarData, TickData, TradeData
from vnpy.trader.utility import ArrayManager, BarGenerator, round_to
from vnpy_ctastrategy import CtaTemplate
from vnpy_ctastrategy.base import EngineType

from vnpy_aiagent.cta.daily_bars import DailyBars, market_time
from vnpy_aiagent.cta.live import running_engine
from vnpy_aiagent.domain import TradingState
from vnpy_aiagent.market import instrument_rules
from vnpy_aiagent.market.sessions import AFTERNOON_START, CLOSE, MORNING_END, MORNING_START

LOT = 100
STAR_LOT = 200
AT_ONCE = 2.0
"""A sell stop so far above the price triggers with the next trade, and sells at the market."""
COSTS = 0.001
"""Fees that the strategy's own funds are charged with, as a ratio; the host books the real ones."""
REACH = 0.02
"""How far orders reach beyond the last close, as a ratio: the price cage of continuous trading."""


class GeneStrategy(CtaTemplate):
    """Long or flat in one share or fund.

    Live, it trades through the CTA engine like any strategy of the user's: the app's risk rules, approvals
    and journal do not see its orders. It sends none while the app is HALTED, and buys only while the app is
    ACTIVE.

    capital: CNY that the strategy begins with. weight: the part of what it has that goes into a position.
    stop_percent: the protective stop below the entry, in percent. init_days: calendar days of bars loaded
    from vnpy's database before the start.
    """

    author = "vnpy_aiagent"

    capital: float = 100_000.0
    weight: float = 0.95
    stop_percent: float = 8.0
    init_days: int = 150
    own_parameters: tuple[str, ...] = ()
    parameters: list[str] = []  # noqa: RUF012 (the host's own attribute)

    funds: float = 0.0
    entry_price: float = 0.0
    days_held: int = 0
    variables: list[str] = ["funds", "entry_price", "days_held"]  # noqa: RUF012 (the host's own attribute)

    def __init_subclass__(cls, **kwargs: object) -> None:
        """A strategy's own parameters come first in the host's windows."""
        super().__init_subclass__(**kwargs)
        cls.parameters = [*cls.own_parameters, "capital", "weight", "stop_percent", "init_days"]

    @property
    @abstractmethod
    def history(self) -> int:
        """Complete days needed before the first decision."""

    @abstractmethod
    def wants(self) -> bool | None:
        """True to be in, False to be out, None to leave things as they are; looks at `self.am`."""

    # life

    def on_init(self) -> None:
        """Load history; the arrays fill before the strategy trades."""
        self.am = ArrayManager(self.history)
        self.days = DailyBars(self.vt_symbol, self.history)
        self._minutes = BarGenerator(self.on_bar)
        self._decision: bool | None = None
        self.funds = self.funds or self.capital
        if self.init_days > 0:
            self.load_bar(self.init_days, Interval.DAILY, self._learn)
        if self.am.inited:
            self._decision = self.wants()

    def on_tick(self, tick: TickData) -> None:
        """Live: ticks of continuous trading become minute bars; auction prices are indicative."""
        at = market_time(tick.datetime).time()
        if MORNING_START <= at < MORNING_END or AFTERNOON_START <= at < CLOSE:
            self._minutes.update_tick(tick)

    def on_bar(self, bar: BarData) -> None:
        """A bar of any interval from a minute to a day."""
        complete = self.days.add(bar)
        if complete:
            self._update(bar.datetime)
            if self.am.inited:
                self._decision = self.wants()
        if self.days.day_began if self.days.intraday else complete:
            self._act(bar.close_price)

    def on_adjust(self, factor: float) -> None:
        """An ex-day of a backtest: what is remembered of earlier prices is put on the new level."""
        self.entry_price *= factor
        self.days.rescale(factor)

    def on_trade(self, trade: TradeData) -> None:
        """Follow the strategy's own funds and remember the entry; what was sold is over."""
        turnover = trade.price * trade.volume
        bought = trade.direction is Direction.LONG
        self.funds -= turnover * (1 + COSTS) if bought else -turnover * (1 - COSTS)
        if self.pos > 0 and not self.entry_price:
            self.entry_price, self.days_held = trade.price, 0
        if self.pos == 0:
            self.entry_price, self.days_held = 0.0, 0
            self._decision = None  # who was stopped out waits for the next complete day
        self.put_event()

    # days

    def _learn(self, bar: BarData) -> None:
        if self.days.add(bar):
            self._update(bar.datetime)

    def _update(self, when: datetime) -> None:
        day = self.days.last
        symbol, _, exchange = self.vt_symbol.partition(".")
        self.am.update_bar(
            BarData(
                symbol=symbol,
                exchange=Exchange(exchange),
                datetime=when,
                interval=Interval.DAILY,
                open_price=day.open,
                high_price=day.high,
                low_price=day.low,
                close_price=day.close,
                volume=day.volume,
                gateway_name="DAY",
            )
        )
        self.days_held += self.pos > 0

    def _act(self, price: float) -> None:
        """Send the decision's order, or the stop of what is held."""
        if not self.trading:
            return
        self.cancel_all()
        state = self._app_state()
        if state is TradingState.HALTED:
            self.write_log("AiAgent 已全部停止，本策略不发委托")
        elif self.pos == 0 and self._decision and state is TradingState.ACTIVE:
            limit = self._reach(price * (1 + REACH))
            volume = int(self.funds * self.weight / limit / LOT) * LOT
            if volume >= self.lot:
                self.buy(limit, volume)
        elif self.pos > 0 and self._decision is False:
            self.sell(self._to_tick(price * AT_ONCE), self.pos, stop=True)
        elif self.pos > 0:
            stop = self.stop_price()
            if stop > 0:
                self.sell(self._to_tick(stop), self.pos, stop=True)
        self._decision = None
        self.put_event()

    def _app_state(self) -> TradingState:
        """State of the AiAgent app beside a live strategy; ACTIVE in backtests and where it does not run."""
        if self.get_engine_type() is not EngineType.LIVE:
            return TradingState.ACTIVE
        engine = running_engine(self.cta_engine.main_engine)
        return TradingState.ACTIVE if engine is None else engine.control.state

    def stop_price(self) -> float:
        """Where the position is given up (CNY), 0 for nowhere."""
        return self.entry_price * (1 - self.stop_percent / 100) if self.stop_percent else 0.0

    @property
    def lot(self) -> int:
        """Smallest buy in shares: 200 on STAR."""
        return STAR_LOT if self.vt_symbol.startswith(("688", "689")) else LOT

    def _reach(self, price: float) -> float:
        """A limit price on the tick, inside the day's band where the day has begun."""
        limit = self._to_tick(price)
        if not self.days.intraday:
            return limit
        band = instrument_rules(self.vt_symbol, self.days.today).price_band(self.days.last.close)
        return limit if band is None else min(max(limit, float(band.down)), float(band.up))

    def _to_tick(self, price: float) -> float:
        return round_to(price, self.get_pricetick() or 0.01)
