"""Quotes without a broker: a vnpy gateway that polls two free public snapshot services.

    main_engine.add_gateway(QuoteGateway)
    main_engine.connect({}, "QUOTE")
    main_engine.subscribe(SubscribeRequest("600519", Exchange.SSE), "QUOTE")

It takes no orders. Requests run in a thread of their own; close() ends it without waiting for one under way.
"""

import logging
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Event, Lock, Thread
from typing import ClassVar

from vnpy.event import EventEngine
from vnpy.trader.constant import Exchange
from vnpy.trader.gateway import BaseGateway
from vnpy.trader.object import CancelRequest, LogData, OrderRequest, SubscribeRequest

from vnpy_aiagent.data.quote_feed import QuoteFeed
from vnpy_aiagent.data.quote_filter import QuoteFilter
from vnpy_aiagent.data.quote_hours import QuoteHours
from vnpy_aiagent.data.quote_http import fetcher
from vnpy_aiagent.data.quote_names import FILE_NAME, load_names, save_names
from vnpy_aiagent.data.quote_pool import SourcePool
from vnpy_aiagent.data.quote_settings import DEFAULTS, SHORTEST_INTERVAL, QuoteSettings, Raw, read_settings
from vnpy_aiagent.data.quote_ticks import to_contract, to_tick
from vnpy_aiagent.domain.clock import Clock, LiveClock, steady_seconds, wall_seconds
from vnpy_aiagent.errors import AiAgentError, CalendarError, ConfigError, DataError, RuleUnknown
from vnpy_aiagent.market import TradingCalendar, default_calendar, instrument_rules

SETTLE = 0.2  # seconds between the first subscription of a burst and its request
JOIN = 2.0  # seconds


class QuoteGateway(BaseGateway):
    """Ticks of shares and ETFs from Sina and Tencent, every 3 to 60 seconds.

    `clock` and `calendar` may be replaced before connect(). Where another gateway owns the contracts,
    `publishes` is False and only ticks come from here.
    """

    default_name = "QUOTE"
    default_setting: dict[str, str | int | float | bool] = DEFAULTS
    exchanges = [Exchange.SSE, Exchange.SZSE, Exchange.BSE]  # noqa: RUF012 (the host's own attribute)
    shortest_interval: ClassVar[float] = SHORTEST_INTERVAL

    def __init__(self, event_engine: EventEngine, gateway_name: str) -> None:
        """As vnpy builds gateways."""
        super().__init__(event_engine, gateway_name)
        self.clock: Clock = LiveClock()
        self.calendar: TradingCalendar | None = None
        self.publishes = True
        self.names: dict[str, str] = {}
        self._lock = Lock()
        self._symbols: dict[str, None] = {}
        self._announced: dict[str, str] = {}
        self._named_on: dict[str, date] = {}
        self._settings: QuoteSettings | None = None
        self._names_path = Path()
        self._stopped = Event()
        self._wake = Event()
        self._thread: Thread | None = None

    def connect(self, setting: Raw) -> None:
        """Announce the subscribed contracts whose names are known, and begin to poll."""
        if self._thread is not None:
            self.write_log("行情接口已连接")
            return
        try:
            settings = read_settings(setting, self.shortest_interval)
        except ConfigError as error:
            self._log(logging.ERROR, f"行情接口未连接：{error}")
            return
        self._settings = settings
        self._names_path = (settings.folder or _app_folder()) / FILE_NAME
        try:
            self.names = load_names(self._names_path)
        except DataError as error:
            self._log(logging.WARNING, str(error))
        self._announced.clear()
        self._named_on.clear()
        for vt_symbol in self._subscribed():
            self._announce(vt_symbol)
        self._stopped = Event()
        self._thread = Thread(target=self._run, args=(settings, self._stopped), name="quotes", daemon=True)
        self._thread.start()
        self.write_log("行情接口已连接，免费快照行情可能延迟，仅供参考")

    def subscribe(self, req: SubscribeRequest) -> None:
        """Ask for a share or an ETF from the next poll on; others are refused in the log."""
        vt_symbol = req.vt_symbol
        try:
            rules = instrument_rules(vt_symbol, self.clock.now().date())
            if rules.futures is not None:
                remedy = "请在设置里把行情接口（quote_gateway）改为期货接口，例如 CTP"
                self._log(logging.WARNING, f"未订阅 {vt_symbol}：免费行情没有期货；{remedy}")
                return
        except AiAgentError as error:
            self._log(logging.WARNING, f"未订阅 {vt_symbol}：{error}")
            return
        with self._lock:
            if vt_symbol in self._symbols:
                return
            self._symbols[vt_symbol] = None
        if self._settings is not None:
            self._announce(vt_symbol)
        self._wake.set()

    def close(self) -> None:
        """End the polling thread; a request under way is abandoned, its answer dropped."""
        self._stopped.set()
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(JOIN)

    def send_order(self, req: OrderRequest) -> str:
        """Refuse: there is no exchange behind this gateway."""
        self._log(
            logging.WARNING, f"行情接口不能下单，{req.vt_symbol} 的委托未发送；请使用交易接口或模拟账户"
        )
        return ""

    def cancel_order(self, req: CancelRequest) -> None:
        """Refuse: there are no orders."""
        self._log(logging.WARNING, f"行情接口不能下单，没有可撤的委托 {req.orderid}")

    def query_account(self) -> None:
        """There is no account."""

    def query_position(self) -> None:
        """There are no positions."""

    # the polling thread

    def _run(self, settings: QuoteSettings, stopped: Event) -> None:
        pool = SourcePool(settings.sources, fetcher(stopped), lambda: steady_seconds(self.clock))
        feed = QuoteFeed(pool, QuoteFilter(settings.max_age))
        hours = QuoteHours(self.calendar or default_calendar(), settings.always)
        if not hours.knows(self.clock.now()):
            self._log(
                logging.WARNING, "交易日历不含今天，周一至周五都按交易日轮询；请更新 exchange_calendars"
            )
        while not stopped.is_set():
            self._wake.clear()
            due = self.clock.now() + timedelta(seconds=settings.interval)
            if self._poll(feed, hours, stopped):
                stopped.wait(self._pause(due, settings.interval))
            elif self._wake.wait(self._pause(due, settings.interval)):
                stopped.wait(SETTLE)

    def _pause(self, due: datetime, longest: float) -> float:
        """Seconds to the next poll; never more than the interval, whatever is done to the clock."""
        return min(max(0.0, wall_seconds(self.clock, due)), longest)

    def _poll(self, feed: QuoteFeed, hours: QuoteHours, stopped: Event) -> bool:
        """One poll; whether anything was asked for. What goes wrong is told; the next poll tries again."""
        symbols = self._subscribed()
        now = self.clock.now()
        try:
            session = hours.session(now)
            if not symbols or session is None:
                return False
            report = feed.poll(symbols, session)
            if stopped.is_set():
                return False
            for line in report.lines:
                self._log(line.level, line.text)
            self._learn(report.names, now.date())
            for quote in report.fresh:
                self.on_tick(to_tick(quote, self.gateway_name, self.clock.now()))
        except Exception as error:  # noqa: BLE001 (the thread must outlive a bad poll, or quotes end silently)
            self._log(logging.ERROR, f"行情轮询出错，下次重试：{type(error).__name__}: {error}")
        return True

    def _learn(self, names: Mapping[str, str], day: date) -> None:
        """Keep each symbol's first name of a day, and announce the contracts that are new by it."""
        news = {symbol: name for symbol, name in names.items() if self._named_on.get(symbol) != day}
        changed = any(self.names.get(symbol) != name for symbol, name in news.items())
        self._named_on.update(dict.fromkeys(news, day))
        self.names.update(news)
        for vt_symbol in news:
            self._announce(vt_symbol)
        if changed:
            try:
                save_names(self._names_path, self.names)
            except DataError as error:
                self._log(logging.WARNING, str(error))

    def _subscribed(self) -> list[str]:
        with self._lock:
            return list(self._symbols)

    def _announce(self, vt_symbol: str) -> None:
        """Publish a contract whose name is known, once."""
        name = self.names.get(vt_symbol)
        if name is None or self._settings is None or self._announced.get(vt_symbol) == name:
            return
        self._announced[vt_symbol] = name
        if self._settings.contracts and self.publishes:
            try:
                self.on_contract(to_contract(vt_symbol, name, self.clock.now().date(), self.gateway_name))
            except (RuleUnknown, CalendarError) as error:
                self._log(logging.WARNING, f"合约未发布：{error}")

    def _log(self, level: int, text: str) -> None:
        self.on_log(LogData(msg=text, level=level, gateway_name=self.gateway_name))


def _app_folder() -> Path:
    """The app's folder under vnpy's own; imported late, since the import decides where that is."""
    from vnpy.trader.utility import get_folder_path

    return get_folder_path("aiagent")
