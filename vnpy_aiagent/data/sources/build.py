"""The router from the settings: the one place that knows every source by name."""

from collections.abc import Callable
from pathlib import Path

from vnpy.trader.database import BaseDatabase

from vnpy_aiagent.config import Settings
from vnpy_aiagent.data.sources.akshare_bars import AkshareBars
from vnpy_aiagent.data.sources.apart import FetchProcess
from vnpy_aiagent.data.sources.apart_bars import ApartBars
from vnpy_aiagent.data.sources.baostock_bars import BaostockBars
from vnpy_aiagent.data.sources.cache import AnswerCache
from vnpy_aiagent.data.sources.database_bars import DatabaseBars
from vnpy_aiagent.data.sources.file import FILE_NAME
from vnpy_aiagent.data.sources.gateway_bars import GatewayBars, GatewayHistory
from vnpy_aiagent.data.sources.port import BarSource
from vnpy_aiagent.data.sources.router import BarRouter
from vnpy_aiagent.data.sources.tushare_bars import TushareBars
from vnpy_aiagent.data.sources.tushare_http import TushareClient
from vnpy_aiagent.domain.clock import Clock
from vnpy_aiagent.domain.text import say
from vnpy_aiagent.errors import KeyStoreError
from vnpy_aiagent.keys import tushare_token
from vnpy_aiagent.market import TradingCalendar


def build_router(
    settings: Settings,
    folder: Path,
    clock: Clock,
    *,
    database: Callable[[], BaseDatabase] | None = None,
    gateway: GatewayHistory | None = None,
    process: FetchProcess | None = None,
) -> BarRouter:
    """The sources of `data.order`, behind vnpy's database where `database` gives it.

    `folder`: the app's own, where the cache lies. `gateway`: history of connected gateways; None where no
    engine runs. `process`: where akshare and baostock work, by default this one. The stored token of
    Tushare is read here.
    """
    data = settings.data
    sources: list[BarSource] = []
    if database is not None:
        sources.append(DatabaseBars(database, TradingCalendar(settings.calendar.extra_years_file)))
    for name in data.order:
        if name == "akshare":
            sources.append(AkshareBars() if process is None else ApartBars(AkshareBars, process))
        elif name == "tushare":
            sources.append(_tushare(settings))
        elif name == "baostock":
            sources.append(BaostockBars() if process is None else ApartBars(BaostockBars, process))
        else:
            sources.append(GatewayBars(gateway))
    return BarRouter(
        sources,
        clock,
        cache=AnswerCache(folder / FILE_NAME) if data.cache_days else None,
        cache_days=data.cache_days,
        per_minute=data.limits.model_dump(),
        patience=data.wait,
    )


def _tushare(settings: Settings) -> TushareBars:
    """Tushare with its token; where the key store refuses, that is why it cannot be asked."""
    address = settings.data.tushare.address
    try:
        return TushareBars(TushareClient(tushare_token(settings), address))
    except KeyStoreError as error:
        text = say("tushare 的 token 读不出来：{problem}", problem=error)
        return TushareBars(TushareClient("", address), text)
