"""AiAgentStrategy: the AI agents inside vnpy's CTA engines.

In the live CTA engine it carries out the approved signals of one account (route CTA) in its symbol; the
AiAgent engine decides, checks, journals and guards. A backtesting engine has no AiAgent engine beside it:
there the strategy asks the same brain itself, on complete days alone, and applies the same risk rules.
"""

from vnpy.trader.object import BarData, TickData, TradeData
from vnpy_ctastrategy import CtaTemplate
from vnpy_ctastrategy.base import EngineType

from vnpy_aiagent.cta.backtest_setup import build_desk
from vnpy_aiagent.cta.desk import BacktestDesk
from vnpy_aiagent.cta.live import LiveRoute, running_engine
from vnpy_aiagent.cta.session_plan import SessionPlan, Ticket
from vnpy_aiagent.domain import Side
from vnpy_aiagent.errors import ConfigError


class AiAgentStrategy(CtaTemplate):
    """One symbol of one account.

    account: the account's name; live, one of route CTA in the settings. The others matter in backtests alone.
    style: AGGRESSIVE, CONSERVATIVE or JUDGE. capital: starting cash in CNY. weight: largest share of equity
    in the symbol, a ratio. cadence_days: trading days between two decisions. use_model: ask the model of the
    settings instead of the offline analyst. init_days: calendar days of bars to load from vnpy's database
    before the start.
    """

    author = "vnpy_aiagent"

    account: str = "judge"
    style: str = "JUDGE"
    capital: float = 1_000_000.0
    weight: float = 0.5
    cadence_days: int = 1
    use_model: bool = False
    init_days: int = 0
    parameters: list[str] = [  # noqa: RUF012 (the host's own attribute)
        "account",
        "style",
        "capital",
        "weight",
        "cadence_days",
        "use_model",
        "init_days",
    ]

    connected: bool = False
    stop_price: float = 0.0
    equity: float = 0.0
    decisions: int = 0
    last_action: str = ""
    variables: list[str] = [  # noqa: RUF012 (the host's own attribute)
        "connected",
        "stop_price",
        "equity",
        "decisions",
        "last_action",
    ]

    desk: BacktestDesk | None = None
    _route: LiveRoute | None = None
    _refused: bool = False

    # life

    def on_init(self) -> None:
        """Backtest: build the desk. ConfigError with one sentence for a wrong parameter."""
        if self.get_engine_type() is EngineType.LIVE:
            self.write_log("等待启动：信号由 AiAgent 引擎发出，本策略负责下单")
            return
        self.desk = build_desk(
            self.vt_symbol,
            account=self.account,
            style=self.style,
            capital=self.capital,
            weight=self.weight,
            cadence_days=self.cadence_days,
            use_model=self.use_model,
        )
        if self.init_days > 0:
            self.load_bar(self.init_days, self.cta_engine.interval, self.desk.add_bar)

    def on_start(self) -> None:
        """Live: join the AiAgent engine, now or as soon as it runs."""
        self.connected = False
        self._refused = False
        if self.desk is None:
            self._connect()

    def on_stop(self) -> None:
        """Live: leave the AiAgent engine. Backtest: give up the model's connections."""
        if self._route is not None:
            held = self._route.held
            self._route.close()
            self._route, self.connected = None, False
            if held:
                self.write_log(f"策略已停止：持有 {held} 股，其止损在策略重新启动前不会发出")
        if self.desk is not None:
            self.desk.brain.close()

    # live

    def on_tick(self, tick: TickData) -> None:
        """Live: follow the account's book."""
        if self.desk is not None:
            raise ConfigError("AiAgentStrategy is tested on daily, hourly or minute bars, not on ticks")
        if not self.trading:
            return
        if self._route is None:
            self._connect()
        else:
            self._follow(self._route)

    def _connect(self) -> None:
        engine = running_engine(self.cta_engine.main_engine)
        if engine is None or self._refused:
            return
        try:
            self._route = LiveRoute(self, engine, self.account)
        except ConfigError as error:
            self._refused = True
            self.write_log(f"未能接入 AiAgent：{error}")
            return
        self.connected = True
        self.write_log(f"已接入 AiAgent：承接账户 {self.account} 在 {self.vt_symbol} 上的委托")
        self._follow(self._route)

    def _follow(self, route: LiveRoute) -> None:
        """The app's book knows every fill by its full identity; the CTA engine's count may miss one."""
        held, stop = route.held, route.stop
        if held != self.pos or stop != self.stop_price:
            self.pos, self.stop_price = held, stop
            self.put_event()

    # backtest

    def on_bar(self, bar: BarData) -> None:
        """Backtest: fills came before this call; after a complete day, orders for the next session."""
        desk = self.desk
        if desk is None:
            return
        if desk.add_bar(bar):
            if self.trading:
                self.cancel_all()
                self._send(desk.plan(), desk)
        elif desk.days.day_began:
            self._protect(desk.unlocked())

    def on_adjust(self, factor: float) -> None:
        """Backtest: refuse an ex-day, which the desk's own books do not follow."""
        raise ConfigError(
            "AiAgentStrategy cannot follow corporate actions in a backtest; give none to the engine, or a "
            "period without them"
        )

    def on_trade(self, trade: TradeData) -> None:
        """Backtest: book the fill; shares that may be sold at once get their stop at once."""
        if self.desk is None:
            return
        volume = self.desk.on_trade(trade)
        if volume and self.desk.stop is not None:
            self._protect(Ticket(self.desk.stop, volume))
        self.stop_price = float(self.desk.stop or 0)
        self.put_event()

    def _send(self, plan: SessionPlan, desk: BacktestDesk) -> None:
        if plan.buy is not None:
            self.buy(float(plan.buy.price), plan.buy.volume)
        if plan.sell is not None:
            self.sell(float(plan.sell.price), plan.sell.volume)
        self._protect(plan.stop)
        self.stop_price, self.equity = float(desk.stop or 0), float(desk.equity)
        if plan.action is not None:
            self.decisions += 1
            self.last_action = plan.action.name
            self._tell(plan)
        self.put_event()

    def _protect(self, ticket: Ticket | None) -> None:
        if ticket is not None:
            self.sell(float(ticket.price), ticket.volume, stop=True)

    def _tell(self, plan: SessionPlan) -> None:
        parts = [plan.action.name if plan.action else "", str(plan.reason or "")]
        for side, ticket in ((Side.BUY, plan.buy), (Side.SELL, plan.sell)):
            if ticket is not None:
                parts.append(f"{side.name} {ticket.volume} @ {ticket.price}")
        if plan.refused is not None:
            parts.append(f"未下单：{plan.refused}")
        self.write_log("，".join(part for part in parts if part))
