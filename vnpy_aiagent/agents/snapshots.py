"""Builds the immutable picture that a decision sees, from what is known at this moment."""

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.domain import AnalysisRequest, BarInterval
from vnpy_aiagent.tools.snapshot import DecisionSnapshot, MarketOverview

INTRADAY_BARS = 240


def build_snapshot(house: AgentContext, request: AnalysisRequest, market: MarketOverview) -> DecisionSnapshot:
    """Bars that are complete, today's quote if there is one, the accounts that asked, and recent lessons.

    Its proposals lapse at the close of the session that is on, or of the next one.
    """
    symbol = request.symbol
    bars = {
        interval: house.bars.bars(
            symbol,
            interval,
            house.settings.brain.history_bars if interval is BarInterval.DAILY else INTRADAY_BARS,
        )
        for interval in house.universe.intervals
    }
    quote = house.portfolio.quotes.get(symbol)
    now = house.clock.now()
    if quote is not None and quote.at.date() != now.date():
        quote = None
    valid_until = house.session_end(symbol)
    instrument = house.portfolio.instrument_view(
        symbol, house.universe.names.get(symbol, ""), house.universe.hypothetical
    )
    accounts = tuple(
        house.portfolio.account_view(name, symbol, max_weight(house, name, fund=instrument.fund))
        for name in request.accounts
    )
    lessons = house.lessons.recent(market.regime) if house.settings.brain.lessons else ()
    return DecisionSnapshot(
        at=now,
        instrument=instrument,
        bars=bars,
        quote=quote,
        accounts=accounts,
        market=market,
        lessons=lessons,
        language=house.settings.brain.language,
        session=valid_until.date(),
        valid_until=valid_until,
    )


def max_weight(house: AgentContext, account: str, *, fund: bool) -> float:
    """The account's cap on one symbol's weight, a ratio of equity."""
    limits = house.account(account).risk
    return limits.max_weight_fund if fund else limits.max_weight_share
