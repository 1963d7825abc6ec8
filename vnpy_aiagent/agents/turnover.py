"""What a symbol usually trades in a day, by which the size of an order is judged."""

from datetime import datetime, timedelta

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.data.volumes import VOLUME_DAYS, average_volume
from vnpy_aiagent.domain import BarInterval
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.execution.algos import usual_volume
from vnpy_aiagent.market.sessions import session_open

LUNCH_BEGINS, LUNCH = timedelta(hours=2), timedelta(minutes=90)


def usual_volume_of(house: AgentContext, vt_symbol: str) -> float | None:
    """Mean volume (shares) of the last 20 days, else today's so far for a whole day; None if unknown."""
    return usual_volume(
        _average(house, vt_symbol), _traded_today(house, vt_symbol), minutes_open(house.clock.now())
    )


def minutes_open(now: datetime) -> float:
    """Minutes of the shares' continuous trading so far today, lunch left out."""
    since = now - session_open(now.date())
    if since > LUNCH_BEGINS:
        since = max(LUNCH_BEGINS, since - LUNCH)
    return max(0.0, since.total_seconds() / 60)


def _average(house: AgentContext, vt_symbol: str) -> float | None:
    try:
        series = house.bars.bars(vt_symbol, BarInterval.DAILY, VOLUME_DAYS)
    except DataError:  # no history of the symbol: its size against the market is not known
        return None
    return average_volume(series)


def _traded_today(house: AgentContext, vt_symbol: str) -> int | None:
    quote = house.portfolio.quotes.get(vt_symbol)
    return None if quote is None or quote.at.date() != house.today() else quote.volume
