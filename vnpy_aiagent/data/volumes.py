"""What a symbol usually trades in a day: one definition for risk, slices and backtests."""

from vnpy_aiagent.data.bars import BarSeries

VOLUME_DAYS = 20


def average_volume(series: BarSeries) -> float | None:
    """Mean volume of the last 20 bars; None where there are fewer, or nothing was traded."""
    if len(series) < VOLUME_DAYS:
        return None
    mean = float(series.volume[-VOLUME_DAYS:].mean())
    return mean if mean > 0 else None
