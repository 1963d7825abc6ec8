"""Market data tools: bars, indicators, quote and limit band, the market as a whole."""

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import talib
from pydantic import Field

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.resample import resample
from vnpy_aiagent.domain import BarInterval
from vnpy_aiagent.errors import DataError, ToolError
from vnpy_aiagent.tools.float_shares import turnover_rate
from vnpy_aiagent.tools.registry import Arguments, NoArguments, Tool, ToolResult
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

Floats = npt.NDArray[np.float64]
Timeframe = Literal["MINUTE", "MINUTE_5", "MINUTE_15", "MINUTE_30", "HOUR", "DAILY", "WEEKLY"]
MIN_INDICATOR_BARS = 30


class BarsArguments(Arguments):
    """How many of the latest complete bars, and of which interval."""

    interval: Timeframe = "DAILY"
    count: int = Field(20, ge=1, le=120, description="How many of the latest complete bars.")


class IndicatorArguments(Arguments):
    """On bars of which interval."""

    interval: Timeframe = "DAILY"


def bars_of(snapshot: DecisionSnapshot, interval: BarInterval) -> BarSeries:
    """Bars that were complete at the snapshot's time, made from finer ones where needed."""
    series = snapshot.bars.get(interval)
    if series is None:
        finer = [held for held in snapshot.bars.values() if held.interval is not BarInterval.WEEKLY]
        for held in finer:
            try:
                series = resample(held, interval)
            except DataError:
                continue
            break
    if series is None:
        have = ", ".join(sorted(held.name for held in snapshot.bars))
        raise ToolError(f"no {interval.name} bars are held; ask for one of {have}")
    return series.upto(snapshot.at)


def get_bars(snapshot: DecisionSnapshot, arguments: BarsArguments) -> ToolResult:
    """The latest complete bars, oldest first; prices in CNY, volume in shares."""
    series = bars_of(snapshot, BarInterval[arguments.interval]).tail(arguments.count)
    if not len(series):
        raise ToolError("there are no complete bars yet")
    rows = [
        [series.end_of(i).isoformat(timespec="minutes"), *(_number(column[i]) for column in _columns(series))]
        for i in range(len(series))
    ]
    data = {
        "symbol": snapshot.instrument.vt_symbol,
        "interval": arguments.interval,
        "columns": ["end", "open", "high", "low", "close", "volume"],
        "rows": rows,
    }
    return ToolResult(data, series.end_of(-1))


def get_indicators(snapshot: DecisionSnapshot, arguments: IndicatorArguments) -> ToolResult:
    """Common indicators (ta-lib) at the latest complete bar; None where history is too short.

    Daily ones have the turnover rate where it, or the free-float capitalisation, is known.
    """
    series = bars_of(snapshot, BarInterval[arguments.interval])
    if len(series) < MIN_INDICATOR_BARS:
        raise ToolError(f"only {len(series)} bars; indicators need at least {MIN_INDICATOR_BARS}")
    data: dict[str, Any] = {
        "symbol": snapshot.instrument.vt_symbol,
        "interval": arguments.interval,
        "bars": len(series),
        **indicators(series),
    }
    turnover = turnover_rate(snapshot) if arguments.interval == "DAILY" else None
    if turnover is not None:
        data |= {"turnover_rate": turnover[0], "turnover_rate_from": turnover[1]}
    return ToolResult(data, series.end_of(-1))


def indicators(series: BarSeries) -> dict[str, float | None]:
    """Indicator values at the last bar: prices in CNY, ratios as such, rsi14 0..100."""
    close, high, low = (np.ascontiguousarray(column) for column in (series.close, series.high, series.low))
    volume = np.ascontiguousarray(series.volume)
    macd, signal, histogram = talib.MACD(close)
    upper, middle, lower = talib.BBANDS(close, timeperiod=20)
    average_volume = float(volume[-21:-1].mean()) if len(volume) > 20 else math.nan
    return {
        "close": _number(close[-1]),
        "sma5": _last(talib.SMA(close, 5)),
        "sma20": _last(talib.SMA(close, 20)),
        "sma60": _last(talib.SMA(close, 60)) if len(close) >= 60 else None,
        "rsi14": _last(talib.RSI(close, 14)),
        "macd": _last(macd),
        "macd_signal": _last(signal),
        "macd_histogram": _last(histogram),
        "atr14": _last(talib.ATR(high, low, close, 14)),
        "boll_upper": _last(upper),
        "boll_middle": _last(middle),
        "boll_lower": _last(lower),
        "high20": _number(high[-20:].max()),
        "low20": _number(low[-20:].min()),
        "return5": _change(close, 5),
        "return20": _change(close, 20),
        "volume_ratio": _number(volume[-1] / average_volume) if average_volume > 0 else None,
    }


def get_quote(snapshot: DecisionSnapshot, arguments: NoArguments) -> ToolResult:
    """Today's quote so far and the limit band; None where not known."""
    quote, instrument = snapshot.quote, snapshot.instrument
    if quote is None:
        raise ToolError("there is no quote today: suspended, or before the open; hold")
    data: dict[str, Any] = {
        "symbol": instrument.vt_symbol,
        "name": instrument.name,
        "at": quote.at.isoformat(timespec="seconds"),
        "last": float(quote.last),
        "open": float(quote.open),
        "high": float(quote.high),
        "low": float(quote.low),
        "prev_close": _optional(quote.prev_close),
        "limit_up": _optional(quote.limit_up),
        "limit_down": _optional(quote.limit_down),
        "volume": quote.volume,
        "tick": float(instrument.tick),
        "lot": instrument.lot,
        "t_plus": instrument.t_plus,
    }
    if instrument.multiplier is not None and instrument.margin is not None:
        data |= {"multiplier": float(instrument.multiplier), "margin": float(instrument.margin)}
    return ToolResult(data, quote.at)


def get_market(snapshot: DecisionSnapshot, arguments: NoArguments) -> ToolResult:
    """The whole universe at the last close: breadth (share above the 20-day mean) and regime."""
    market = snapshot.market
    daily = snapshot.bars.get(BarInterval.DAILY)
    closed = daily.upto(snapshot.at) if daily is not None and market.breadth is not None else None
    available = closed.end_of(-1) if closed is not None and len(closed) else None
    data = {
        "scanned": market.scanned,
        "breadth": market.breadth,
        "regime": market.regime,
        "median_return_5d": market.median_return_5d,
    }
    return ToolResult(data, available)


def _columns(series: BarSeries) -> tuple[Floats, ...]:
    return series.open, series.high, series.low, series.close, series.volume


def _number(value: float | np.floating[Any]) -> float | None:
    number = float(value)
    return round(number, 6) if math.isfinite(number) else None


def _last(values: Floats) -> float | None:
    return _number(values[-1]) if len(values) else None


def _change(close: Floats, bars: int) -> float | None:
    return _number(close[-1] / close[-1 - bars] - 1) if len(close) > bars else None


def _optional(value: Any) -> float | None:
    return None if value is None else float(value)


MARKET_TOOLS = (
    Tool(
        "get_bars",
        "Latest complete bars of the symbol, oldest first.",
        BarsArguments,
        get_bars,
        max_chars=12_000,
    ),
    Tool(
        "get_indicators",
        "Moving averages, RSI, MACD, ATR, Bollinger bands, highs, lows, returns, volume ratio at the latest "
        "complete bar.",
        IndicatorArguments,
        get_indicators,
    ),
    Tool("get_quote", "Today's quote so far, previous close, limit band, tick, lot.", NoArguments, get_quote),
    Tool("get_market", "Breadth and regime of the whole scanned universe.", NoArguments, get_market),
)
