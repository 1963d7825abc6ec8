"""History for the download buttons of VeighNa's own apps: vnpy's setting `datafeed.name` = "aiagent".

    SETTINGS["datafeed.name"] = "aiagent"     # vnpy then builds vnpy_aiagent.Datafeed

Bars come from the sources of the settings (data.order), never from vnpy's database: who presses the button
wants what is not there yet.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from threading import Lock
from typing import Any

from vnpy.trader.constant import Interval
from vnpy.trader.datafeed import BaseDatafeed
from vnpy.trader.object import BarData, HistoryRequest, TickData

from vnpy_aiagent.config import load_settings
from vnpy_aiagent.data.sources.akshare_bars import AkshareBars
from vnpy_aiagent.data.sources.build import build_router
from vnpy_aiagent.data.sources.port import INTERVAL_NAMES, BarRequest, NoSource, one_line
from vnpy_aiagent.data.sources.router import BarRouter
from vnpy_aiagent.data.vnpy_database import INTERVALS, to_vnpy_bars
from vnpy_aiagent.domain.clock import MARKET_TZ, Clock, LiveClock
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import AiAgentError
from vnpy_aiagent.places import default_config, user_folder

GATEWAY_NAME = "AIAGENT"
OFFERED = {theirs: ours for ours, theirs in INTERVALS.items()}
MINUTE_REACH = timedelta(days=5)

Output = Callable[[str], Any]


class Datafeed(BaseDatafeed):
    """Bars of shares, ETFs and indices: daily, hourly, and of one minute for the last five sessions.

    As vnpy dates them: a day at 00:00, others at their start, Asia/Shanghai. Prices in CNY (indices: points),
    not adjusted; volume in shares, turnover in CNY. What goes wrong is told in Chinese through `output`, and
    the answer is then empty; nothing is raised.
    """

    def __init__(
        self, *, client: Any = None, clock: Clock | None = None, router: BarRouter | None = None
    ) -> None:
        """As vnpy builds it. `client`, `clock` and `router` stand for akshare, the present, all sources."""
        self._clock = clock or LiveClock()
        self._router = BarRouter([AkshareBars(client)], self._clock) if client is not None else router
        self._building = Lock()

    def init(self, output: Output = print) -> bool:
        """Whether bars can be asked for: at least one source is set up, and the settings can be read."""
        try:
            router = self._ready()
        except AiAgentError as error:
            output(f"AI 智能体数据服务不能启动：{error}")
            return False
        missing = [router.missing(name) for name in router.names]
        if None in missing:
            return True
        output(
            "；".join(str(absence.text) for absence in missing if absence) or "data.order 里没有数据来源。"
        )
        return False

    def _ready(self) -> BarRouter:
        """The router, built from the user's settings at the first request."""
        with self._building:
            if self._router is None:
                settings = load_settings(default_config())
                self._router = build_router(settings, user_folder(), self._clock)
            return self._router

    def query_bar_history(self, req: HistoryRequest, output: Output = print) -> list[BarData]:
        """Complete bars from `req.start` to `req.end` (the present where it is missing)."""
        interval = OFFERED.get(req.interval or Interval.MINUTE)
        if interval is None:
            output("AI 智能体数据服务只提供日线、小时线和分钟线，请改选周期。")
            return []
        if not self.init(output):
            return []
        start, end = _in_market(req.start), _in_market(req.end or self._clock.now())
        name = f"{req.vt_symbol} {INTERVAL_NAMES[interval]}"
        output(f"正在下载 {name}，{start:%Y-%m-%d} 至 {end:%Y-%m-%d}……")
        try:
            answer = self._ready().bars(
                BarRequest(req.vt_symbol, interval, start.date(), end.date()), skip=("database",)
            )
        except NoSource as error:
            output(f"下载失败：{one_line(error.text)}")
            return []
        except AiAgentError as error:
            output(f"下载失败：{name}（{error}）")
            return []
        for note in answer.notes:
            output(str(note))
        bars = answer.series
        found = [bar for bar in to_vnpy_bars(bars, GATEWAY_NAME) if _inside(bar, interval, start, end)]
        if not found:
            output(f"没有 {name} 在这段时间的数据。")
            return []
        output(
            f"得到 {name} {len(found)} 根，{found[0].datetime:%Y-%m-%d} 至 {found[-1].datetime:%Y-%m-%d}，"
            f"来自 {answer.provenance.source}。"
        )
        if interval is BarInterval.MINUTE and found[0].datetime - start > MINUTE_REACH:
            output("分钟线只有最近 5 个交易日；更早的请换用其他数据服务。")
        return found

    def query_tick_history(self, req: HistoryRequest, output: Output = print) -> list[TickData]:
        """None: the sources keep no ticks."""
        output("AI 智能体数据服务没有历史 Tick 数据，请改选日线、小时线或分钟线。")
        return []


def _in_market(when: datetime) -> datetime:
    """An aware time on Shanghai's clock; a naive one is taken for it."""
    return when.replace(tzinfo=MARKET_TZ) if when.tzinfo is None else when.astimezone(MARKET_TZ)


def _inside(bar: BarData, interval: BarInterval, start: datetime, end: datetime) -> bool:
    """Days count whole: the day on which a request starts belongs to it at any hour."""
    if interval is BarInterval.DAILY:
        day: date = bar.datetime.date()
        return start.date() <= day <= end.date()
    return bool(start <= bar.datetime <= end)
