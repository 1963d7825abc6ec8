"""Which algorithm works an order: by its size against what the market usually trades in a day."""

from vnpy_aiagent.config import SlicingSettings
from vnpy_aiagent.domain import Algo

FULL_DAY = 240.0
FIRST_MINUTES = 5.0


def choose(volume: int, usual: float | None, settings: SlicingSettings, *, protective: bool) -> Algo:
    """The algorithm for an order of `volume` where `usual` is a day's usual volume (None: not known).

    A protective stop is always one limit order: it is in a hurry. So is an order whose size against the
    market is not known, where the settings leave the choice.
    """
    if protective:
        return Algo.LIMIT
    if settings.algo != "AUTO":
        return Algo[settings.algo]
    if usual is None or usual <= 0:
        return Algo.LIMIT
    share = volume / usual
    if share < settings.medium:
        return Algo.LIMIT
    return Algo[settings.medium_algo] if share < settings.large else Algo.PARTICIPATION


def usual_volume(average: float | None, traded: int | None, minutes: float) -> float | None:
    """A day's usual volume: the average of past days, else what traded in today's minutes, for a whole day.

    None where neither is known, or the session is younger than five minutes.
    """
    if average is not None and average > 0:
        return average
    if not traded or minutes < FIRST_MINUTES:
        return None
    return traded * FULL_DAY / min(minutes, FULL_DAY)
