"""Sources without a vendor: vnpy's database where it covers the request, and a gateway's own history."""

from collections.abc import Iterator
from datetime import date, datetime
from threading import current_thread
from typing import Any

import pytest
from vnpy.event import Event, EventEngine
from vnpy.trader.constant import Exchange, Interval, Product
from vnpy.trader.database import get_database
from vnpy.trader.engine import MainEngine
from vnpy.trader.gateway import BaseGateway
from vnpy.trader.object import (
    BarData,
    CancelRequest,
    ContractData,
    HistoryRequest,
    OrderRequest,
    SubscribeRequest,
)

from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.database_bars import DatabaseBars
from vnpy_aiagent.data.sources.gateway_bars import GatewayBars, MainEngineHistory
from vnpy_aiagent.data.sources.port import BarRequest
from vnpy_aiagent.data.vnpy_database import release, to_vnpy_bars
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.market import TradingCalendar

from .fakes import NOW, REQUEST, series


@pytest.fixture
def database() -> Iterator[DatabaseBars]:
    """Monday to Wednesday of 600519 are stored."""
    store = get_database()
    store.save_bar_data(list(to_vnpy_bars(series(REQUEST, NOW))))
    yield DatabaseBars(get_database, TradingCalendar())
    store.delete_bar_data("600519", Exchange.SSE, Interval.DAILY)
    release(store)


def days(source: DatabaseBars, start: date, end: date, now: datetime = NOW) -> list[int]:
    request = BarRequest("600519.SSE", BarInterval.DAILY, start, end)
    bars = source.fetch(request, now, lambda: None)
    return [bars.day_of(i).day for i in range(len(bars))]


def test_the_database_answers_what_it_covers_weekends_included(database: DatabaseBars) -> None:
    assert days(database, date(2025, 11, 17), date(2025, 11, 19)) == [17, 18, 19]
    assert days(database, date(2025, 11, 15), date(2025, 11, 18)) == [17, 18]
    late = NOW.replace(day=20, hour=10)
    assert days(database, date(2025, 11, 17), date(2025, 11, 20), late) == [17, 18, 19], "today is not over"


@pytest.mark.parametrize(
    ("start", "end", "now"),
    [
        (date(2025, 11, 14), date(2025, 11, 19), NOW),
        (date(2025, 11, 17), date(2025, 11, 20), NOW.replace(day=21)),
        (date(2024, 1, 2), date(2024, 1, 5), NOW),
    ],
)
def test_where_sessions_lack_at_an_end_the_next_source_is_asked(
    database: DatabaseBars, start: date, end: date, now: datetime
) -> None:
    with pytest.raises(SourceAbsence) as caught:
        days(database, start, end, now)
    assert caught.value.kind is AbsenceKind.NO_ROWS
    assert not caught.value.kind.is_failure


class Gateway(BaseGateway):
    """A gateway with a history of its own."""

    default_name = "OWN"
    exchanges = [Exchange.SSE]  # noqa: RUF012 - as vnpy declares it
    asked: list[HistoryRequest]
    answer: Any

    def connect(self, setting: dict[str, Any]) -> None: ...

    def close(self) -> None: ...

    def subscribe(self, req: SubscribeRequest) -> None: ...

    def send_order(self, req: OrderRequest) -> str:
        return ""

    def cancel_order(self, req: CancelRequest) -> None: ...

    def query_account(self) -> None: ...

    def query_position(self) -> None: ...

    def query_history(self, req: HistoryRequest) -> list[BarData]:
        self.asked.append(req)
        if isinstance(self.answer, Exception):
            raise self.answer
        return list(self.answer)


class Plain(Gateway):
    """A gateway that leaves history to vnpy's base class."""

    default_name = "PLAIN"
    query_history = BaseGateway.query_history


@pytest.fixture
def host() -> Iterator[MainEngine]:
    engine = MainEngine(EventEngine())
    engine.add_gateway(Plain)
    gateway = engine.add_gateway(Gateway)
    gateway.asked, gateway.answer = [], list(to_vnpy_bars(series(REQUEST, NOW), "OWN"))
    contract = ContractData("OWN", "600519", Exchange.SSE, "贵州茅台", Product.EQUITY, 1, 0.01)
    engine.get_engine("oms").process_contract_event(Event("eContract.", contract))
    yield engine
    engine.close()


def fetch(host: MainEngine, symbol: str = "600519.SSE", interval: BarInterval = BarInterval.DAILY) -> Any:
    source = GatewayBars(MainEngineHistory(host), patience=10)
    assert source.missing() is None
    return source.fetch(BarRequest(symbol, interval, REQUEST.start, REQUEST.end), NOW, lambda: None)


def test_a_gateways_history_comes_with_its_days_and_units(host: MainEngine) -> None:
    bars = fetch(host)
    assert [bars.day_of(i).day for i in range(len(bars))] == [17, 18, 19]
    assert bars.volume.tolist() == [1_000.0] * 3
    asked = host.get_gateway("OWN").asked[0]
    assert (asked.vt_symbol, asked.interval) == ("600519.SSE", Interval.DAILY)
    assert asked.start == datetime(2025, 11, 17, tzinfo=MARKET_TZ)


def test_intraday_bars_of_a_gateway_are_dated_at_their_start(host: MainEngine) -> None:
    request = BarRequest("600519.SSE", BarInterval.HOUR, REQUEST.start, REQUEST.end)
    host.get_gateway("OWN").answer = list(to_vnpy_bars(series(request, NOW), "OWN"))
    bars = fetch(host, interval=BarInterval.HOUR)
    assert [f"{bars.end_of(i):%H:%M}" for i in range(len(bars))] == ["10:30"] * 3


def test_what_a_gateway_does_not_know_or_say_is_an_absence(host: MainEngine) -> None:
    gateway = host.get_gateway("OWN")
    for symbol, answer, kind in (
        ("600036.SSE", gateway.answer, AbsenceKind.NOT_OFFERED),
        ("600519.SSE", [], AbsenceKind.NO_ROWS),
        ("600519.SSE", RuntimeError("not logged in"), AbsenceKind.UNREACHABLE),
    ):
        gateway.answer = answer
        with pytest.raises(SourceAbsence) as caught:
            fetch(host, symbol)
        assert caught.value.kind is kind


def test_volumes_that_are_no_shares_are_found_out(host: MainEngine) -> None:
    for bar in host.get_gateway("OWN").answer:
        bar.volume /= 100
    assert fetch(host).volume.tolist() == [1_000.0] * 3


def test_without_such_a_gateway_or_engine_it_is_not_set_up(host: MainEngine) -> None:
    host.gateways.pop("OWN")
    for source in (GatewayBars(MainEngineHistory(host)), GatewayBars(None)):
        missing = source.missing()
        assert missing is not None
        assert missing.kind is AbsenceKind.NOT_SET_UP


def test_a_gateway_is_never_asked_on_the_event_thread(
    host: MainEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host.event_engine, "_thread", current_thread())
    with pytest.raises(DataError, match="event thread"):
        GatewayBars(MainEngineHistory(host)).missing()
    monkeypatch.undo()
