"""The history that a vnpy gateway itself offers, asked through a port that the engine fills in."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from functools import partial
from threading import current_thread
from typing import Protocol

from vnpy.trader.constant import Exchange
from vnpy.trader.engine import MainEngine
from vnpy.trader.gateway import BaseGateway
from vnpy.trader.object import BarData, HistoryRequest

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.patience import within
from vnpy_aiagent.data.sources.port import SHARE_EXCHANGES, BarRequest, Turn, complete_series, not_offered
from vnpy_aiagent.data.sources.units import in_shares
from vnpy_aiagent.data.symbols import is_index
from vnpy_aiagent.data.times import INTRADAY_SECONDS
from vnpy_aiagent.data.vnpy_database import INTERVALS
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.text import say
from vnpy_aiagent.errors import DataError

SOURCE, LABEL = "gateway", "gateway"
PATIENCE = 60.0  # seconds for one answer


class GatewayHistory(Protocol):
    """History of connected gateways, filled in by the engine."""

    def is_offered(self) -> bool:
        """Whether a gateway with history of its own is loaded. DataError on the event thread."""
        ...

    def query(self, request: HistoryRequest) -> Sequence[BarData] | None:
        """Bars as vnpy dates them; None where no such gateway knows the symbol."""
        ...


class GatewayBars:
    """Bars from a connected gateway: not adjusted, volume in shares (futures: lots), turnover in CNY."""

    name = SOURCE
    is_kept = True

    def __init__(self, history: GatewayHistory | None, patience: float = PATIENCE) -> None:
        """`history`: None where no engine runs."""
        self._history = history
        self._patience = patience

    def missing(self) -> SourceAbsence | None:
        """Whether there is no engine, or no gateway with history in it."""
        if self._history is not None and self._history.is_offered():
            return None
        text = say("没有提供历史行情的交易接口：先连接一个，且在运行中的引擎里查询")
        return SourceAbsence(SOURCE, AbsenceKind.NOT_SET_UP, text)

    def fetch(self, request: BarRequest, now: datetime, turn: Turn) -> BarSeries:
        """One request to the gateway."""
        if self._history is None:
            raise not_offered(SOURCE, LABEL, request)
        symbol, _, exchange = request.vt_symbol.rpartition(".")
        asked = HistoryRequest(
            symbol,
            Exchange[exchange],
            datetime.combine(request.start, time(0), MARKET_TZ),
            datetime.combine(request.end, time(23, 59, 59), MARKET_TZ),
            INTERVALS[request.interval],
        )
        turn()
        try:
            found = within(self._patience, partial(self._history.query, asked), "gateway-history")
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            text = say(
                "交易接口没有给出 {symbol} 的历史（{problem}）", symbol=request.vt_symbol, problem=problem
            )
            raise SourceAbsence(SOURCE, AbsenceKind.UNREACHABLE, text) from error
        if found is None:
            raise not_offered(SOURCE, LABEL, request)
        length = timedelta(seconds=INTRADAY_SECONDS.get(request.interval, 0))
        rows = [
            (
                _in_market(bar.datetime) + length,
                bar.open_price,
                bar.high_price,
                bar.low_price,
                bar.close_price,
                bar.volume,
                None if bar.turnover == 0 and bar.volume > 0 else bar.turnover,
            )
            for bar in sorted(found, key=lambda bar: _in_market(bar.datetime))
        ]
        bars = complete_series(rows, request, now, SOURCE, LABEL)
        if exchange not in SHARE_EXCHANGES or is_index(request.vt_symbol):
            return bars
        return in_shares(bars, SOURCE, LABEL, stated=1)


class MainEngineHistory:
    """GatewayHistory of a running vnpy: the contract's own gateway first, then any other with history."""

    def __init__(self, main_engine: MainEngine) -> None:
        """Nothing is asked before a request."""
        self._main_engine = main_engine

    def is_offered(self) -> bool:
        """Whether a loaded gateway has a history of its own."""
        if current_thread() is getattr(self._main_engine.event_engine, "_thread", None):
            raise DataError(
                "gateways are not asked for history on the event thread; use a thread of your own"
            )
        return bool(self._gateways())

    def query(self, request: HistoryRequest) -> Sequence[BarData] | None:
        """The first non-empty answer, an empty one where gateways know the symbol without bars."""
        contract = self._main_engine.get_contract(request.vt_symbol)
        if contract is None:
            return None
        names = self._gateways()
        names.sort(key=lambda name: name != contract.gateway_name)
        for name in names:
            found = self._main_engine.query_history(request, name)
            if found:
                return list(found)
        return [] if names else None

    def _gateways(self) -> list[str]:
        """Names of gateways that do not leave query_history as vnpy's base class has it."""
        return [
            name
            for name, gateway in self._main_engine.gateways.items()
            if type(gateway).query_history is not BaseGateway.query_history
        ]


def _in_market(when: datetime) -> datetime:
    """A bar's time on Shanghai's clock; a naive one is taken for it."""
    return when.replace(tzinfo=MARKET_TZ) if when.tzinfo is None else when.astimezone(MARKET_TZ)
