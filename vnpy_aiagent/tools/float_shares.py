"""Free-float shares from the free-float capitalisation, and the turnover rate that follows from them."""

from vnpy_aiagent.domain import BarInterval
from vnpy_aiagent.tools.snapshot import DecisionSnapshot
from vnpy_aiagent.tools.told import DIGITS, known_values, source_of

MAX_SESSIONS = 10
"""An older capitalisation is not used: shares may have been added, and prices adjusted, since."""


def free_float_shares(snapshot: DecisionSnapshot) -> float | None:
    """free_float_cap (CNY) over the close of its day; None where either is missing or not recent."""
    cap = known_values(snapshot).get("free_float_cap")
    daily = snapshot.bars.get(BarInterval.DAILY)
    if cap is None or daily is None:
        return None
    recent = daily.upto(snapshot.at).tail(MAX_SESSIONS)
    for place in range(len(recent)):
        if recent.day_of(place) == cap.period and recent.close[place] > 0:
            return float(cap.value) / float(recent.close[place])
    return None


def turnover_rate(snapshot: DecisionSnapshot) -> tuple[float, str] | None:
    """The last complete day's turnover rate (ratio) and how it was found; None where it is not known.

    A reported value of that day goes before volume over free-float shares.
    """
    daily = snapshot.bars.get(BarInterval.DAILY)
    seen = daily.upto(snapshot.at) if daily is not None else None
    if seen is None or not len(seen):
        return None
    told = known_values(snapshot).get("turnover_rate")
    if told is not None and told.period == seen.day_of(-1):
        return float(told.value), source_of(told)
    shares, volume = free_float_shares(snapshot), float(seen.volume[-1])
    if shares is None or not volume >= 0:
        return None
    return round(volume / shares, DIGITS), "volume / free-float shares"
