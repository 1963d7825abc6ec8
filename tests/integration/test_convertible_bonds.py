"""Convertible bonds are refused with one reason: by rules, hours, engine, exchange, backtest and audit."""

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from vnpy.trader.constant import Direction, Exchange, Interval, OrderType, Status
from vnpy.trader.engine import MainEngine
from vnpy.trader.object import OrderRequest

from vnpy_aiagent.backtest import AShareBacktestingEngine
from vnpy_aiagent.backtest.audit import audit_record, read_record
from vnpy_aiagent.config import SimSettings
from vnpy_aiagent.data import MarketData
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.market_data import Instrument
from vnpy_aiagent.domain import MARKET_TZ, BarInterval, VirtualClock
from vnpy_aiagent.errors import RuleUnknown
from vnpy_aiagent.market import Board, Side, board_of, default_calendar, instrument_rules, phase_at
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.sim.exchange import SimExchange
from vnpy_aiagent.sim.gateway import SimGateway
from vnpy_aiagent.simulation import Simulation

from .loop_helpers import fresh_journal, settings

BONDS = ("113050.SSE", "123107.SZSE")
DAYS = (date(2022, 7, 29), date(2022, 8, 1), date(2025, 3, 4))
REASON = "is a convertible bond, which this app does not trade"


def market(symbol: str) -> MarketData:
    rows = [(date(2025, 3, 3 + n), 120.0, 121.0, 119.0, 120.0, 1e6) for n in range(3)]
    series = BarSeries.from_rows(symbol, BarInterval.DAILY, rows)
    return MarketData("test", {symbol: Instrument(symbol)}, {(symbol, BarInterval.DAILY): series})


@pytest.mark.parametrize("symbol", BONDS)
def test_rules_and_hours_of_a_bond_are_refused_on_every_day(symbol: str) -> None:
    assert board_of(symbol) is Board.CONVERTIBLE_BOND
    for day in DAYS:
        with pytest.raises(RuleUnknown, match=REASON):
            instrument_rules(symbol, day)
    with pytest.raises(RuleUnknown, match="convertible bond"):
        phase_at(
            default_calendar(), Board.CONVERTIBLE_BOND, datetime(2025, 3, 4, 10, tzinfo=MARKET_TZ), "SSE"
        )


@pytest.mark.parametrize("symbol", BONDS)
def test_a_simulation_of_a_bond_does_not_start(symbol: str) -> None:
    with pytest.raises(RuleUnknown, match=REASON):
        Simulation(market(symbol), settings(schedule=()), fresh_journal()).run()


@pytest.mark.parametrize("symbol", BONDS)
def test_the_backtest_engine_refuses_a_bond_when_it_is_named(symbol: str) -> None:
    with pytest.raises(RuleUnknown, match=REASON):
        AShareBacktestingEngine().set_parameters(
            symbol, Interval.DAILY, datetime(2025, 3, 3, tzinfo=MARKET_TZ), rate=0, slippage=0
        )


@pytest.mark.parametrize("symbol", BONDS)
def test_the_audit_names_the_line_with_a_bond(symbol: str, tmp_path: Path) -> None:
    common = {"date": "2025-03-04", "cash_after": 1000.0, "holdings_after": {}}
    lines = [
        {**common, "seq": 0, "action": "init", "vt_symbol": "", "volume": 0},
        {**common, "seq": 1, "action": "buy", "vt_symbol": symbol, "volume": 10},
    ]
    path = tmp_path / "orders.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    with pytest.raises(RuleUnknown, match=f"line 2.*{REASON}"):
        audit_record(read_record(path), market(symbol), BarInterval.DAILY)


@pytest.mark.parametrize("symbol", BONDS)
def test_the_simulated_exchange_takes_no_order_in_a_bond(symbol: str) -> None:
    clock = VirtualClock(datetime(2025, 3, 4, 10, tzinfo=MARKET_TZ))
    exchange = SimExchange(clock, instrument_rules, SimSettings())
    events = DeterministicEventEngine()
    main = MainEngine(events)
    try:
        gateway = main.add_gateway(SimGateway, "SIM")
        gateway.venue = exchange
        gateway.connect({"account": "a", "cash": 100_000})
        exchange.start_session(date(2025, 3, 4))
        code, _, suffix = symbol.partition(".")
        request = OrderRequest(code, Exchange(suffix), Direction.LONG, OrderType.LIMIT, 10, 120.0)
        vt_orderid = gateway.send_order(request)
        events.drain()
        order = main.get_order(vt_orderid)
        assert order is not None
        assert order.status is Status.REJECTED
        assert REASON in order.extra["reason"]
        assert exchange.account("a").cash == Decimal(100_000)
        assert exchange.account("a").orders == {}
    finally:
        main.close()


def test_a_fund_with_a_code_near_that_of_a_bond_is_none() -> None:
    assert instrument_rules("159915.SZSE", DAYS[-1]).volume_error(Side.BUY, 100, 0) is None
