"""The daily scan: which few symbols are worth a decision, by fixed rules over closed daily bars.

| setup | condition on closed daily bars |
| --- | --- |
| breakout | close at or above the highest high of the 20 days before, volume above 1.3 times their mean |
| trend | close above the 20-day mean, that above the 60-day mean, 20-day return above 3 % |
| pullback | 20-day mean above the 60-day mean, close between them, last day up |
| oversold | close more than 8 % below the 20-day mean, last day up |

Score: 20-day return over its daily volatility, plus 0.5 for a breakout. Holdings come first, then candidates
by score. Regime: UP, DOWN or FLAT by breadth, the share of symbols above their 20-day mean.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import Candidate
from vnpy_aiagent.tools.snapshot import MarketOverview

Floats = npt.NDArray[np.float64]
UP_BREADTH, DOWN_BREADTH = 0.6, 0.4


@dataclass(frozen=True, slots=True)
class Scan:
    """Picks in order, the symbols left out by reason, and the market as a whole."""

    picked: tuple[Candidate, ...]
    left_out_symbols: dict[str, tuple[str, ...]]
    market: MarketOverview

    @property
    def left_out(self) -> dict[str, int]:
        """How many were left out by reason."""
        return {reason: len(symbols) for reason, symbols in self.left_out_symbols.items()}


def scan(
    symbols: Iterable[str],
    bars: Callable[[str], BarSeries],
    held: Iterable[str],
    *,
    max_symbols: int,
    min_history: int,
) -> Scan:
    """Scan all symbols; `bars` gives closed daily bars. At most `max_symbols` are picked, holdings first."""
    holdings = set(held)
    candidates: list[Candidate] = []
    kept: list[Candidate] = []
    short: list[str] = []
    without_setup: list[str] = []
    above: list[bool] = []
    week: list[float] = []
    scanned = 0
    for symbol in sorted(set(symbols) | holdings):
        scanned += 1
        series = bars(symbol)
        if len(series) < min_history:
            if symbol not in holdings:
                short.append(symbol)
            else:
                kept.append(Candidate(vt_symbol=symbol, score=0.0, setup="", held=True))
            continue
        close = series.close
        above.append(bool(close[-1] > close[-20:].mean()))
        week.append(float(close[-1] / close[-6] - 1))
        setup, score = classify(series)
        if symbol in holdings:
            kept.append(Candidate(vt_symbol=symbol, score=score, setup=setup, held=True))
        elif setup:
            candidates.append(Candidate(vt_symbol=symbol, score=score, setup=setup))
        else:
            without_setup.append(symbol)
    candidates.sort(key=lambda candidate: (-candidate.score, candidate.vt_symbol))
    room = max(0, max_symbols - len(kept))
    below = [candidate.vt_symbol for candidate in (*kept[max_symbols:], *candidates[room:])]
    left_out = {
        "short_history": tuple(short),
        "no_setup": tuple(without_setup),
        "below_cap": tuple(below),
    }
    breadth = round(sum(above) / len(above), 4) if above else None
    overview = MarketOverview(
        scanned=scanned,
        breadth=breadth,
        regime=regime_of(breadth),
        median_return_5d=round(float(np.median(week)), 6) if week else None,
    )
    return Scan((*kept[:max_symbols], *candidates[:room]), left_out, overview)


def classify(series: BarSeries) -> tuple[str, float]:
    """Setup of a symbol (empty where it has none) and its score."""
    close, high, volume = series.close, series.high, series.volume
    last, mean20, mean60 = float(close[-1]), float(close[-20:].mean()), float(close[-60:].mean())
    month = last / float(close[-21]) - 1
    returns: Floats = close[-20:] / close[-21:-1] - 1
    volatility = float(returns.std()) or 1e-9
    score = round(month / volatility, 4)
    average = float(volume[-21:-1].mean())
    up_day = last > float(close[-2])
    if last >= float(high[-21:-1].max()) and average > 0 and float(volume[-1]) > 1.3 * average:
        return "breakout", round(score + 0.5, 4)
    if last > mean20 > mean60 and month > 0.03:
        return "trend", score
    if mean20 > mean60 and mean60 < last < mean20 and up_day:
        return "pullback", score
    if last < 0.92 * mean20 and up_day:
        return "oversold", score
    return "", score


def regime_of(breadth: float | None) -> str:
    """UP, DOWN or FLAT; UNKNOWN without data."""
    if breadth is None:
        return "UNKNOWN"
    return "UP" if breadth > UP_BREADTH else "DOWN" if breadth < DOWN_BREADTH else "FLAT"
