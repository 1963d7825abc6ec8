"""A week of daily and hourly bars of a few shares, and records of orders in it."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from vnpy_aiagent.backtest.audit import Audit, audit_record, read_record
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.market_data import Instrument, MarketData
from vnpy_aiagent.domain import MARKET_TZ, BarInterval

MAIN, STAR, FUND = "600000.SSE", "688001.SSE", "518880.SSE"
MONDAY, TUESDAY, WEDNESDAY = "2025-03-03", "2025-03-04", "2025-03-05"
START = 100_000.0

Row = tuple[str, float, float, float]
"""Day or end of the bar, open, close, volume."""


def bars(symbol: str, rows: list[Row], interval: BarInterval = BarInterval.DAILY) -> BarSeries:
    daily = interval is BarInterval.DAILY
    return BarSeries.from_rows(
        symbol,
        interval,
        [
            (
                date.fromisoformat(when) if daily else datetime.fromisoformat(when).replace(tzinfo=MARKET_TZ),
                at_open,
                max(at_open, close),
                min(at_open, close),
                close,
                volume,
            )
            for when, at_open, close, volume in rows
        ],
    )


def world(*series: BarSeries, **instrument: Any) -> MarketData:
    """Data of the given series; `instrument` describes every symbol (name, listed)."""
    return MarketData(
        source="made up",
        instruments={s.vt_symbol: Instrument(s.vt_symbol, **instrument) for s in series},
        series={(s.vt_symbol, s.interval): s for s in series},
    )


def calm() -> MarketData:
    """Three days at 10 CNY."""
    days = [(day, 10.0, 10.0, 1e6) for day in (MONDAY, TUESDAY, WEDNESDAY)]
    return world(*(bars(symbol, days) for symbol in (MAIN, STAR, FUND)))


def step(seq: int, action: str, symbol: str = "", volume: Any = 0, **fields: Any) -> dict[str, Any]:
    """A line of a record, on Tuesday unless `date` says otherwise."""
    line = {"date": TUESDAY, "seq": seq, "action": action, "vt_symbol": symbol, "volume": volume}
    return {**line, "cash_after": START, "holdings_after": {}, **fields}


def init(holdings: Mapping[str, int] | None = None, **fields: Any) -> dict[str, Any]:
    return step(0, "init", **{"date": MONDAY, "holdings_after": dict(holdings or {}), **fields})


def write(folder: Path, *lines: Any) -> Path:
    """A record file; lines that are no objects are written as they are."""
    path = folder / "orders.jsonl"
    rows = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(rows) + b"\n" if rows else b"")
    return path


def judge(
    folder: Path, *lines: Any, market: MarketData | None = None, interval: BarInterval = BarInterval.DAILY
) -> Audit:
    return audit_record(read_record(write(folder, *lines)), market or calm(), interval)


def broken(found: Audit) -> dict[str, int]:
    """Counts of the rules that were broken."""
    return {rule: count for rule, count in found.counts().items() if count}
