"""Builds the immutable picture that a decision sees, from what is known at this moment."""

from dataclasses import replace

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.data.facts import FactView
from vnpy_aiagent.domain import AnalysisRequest, BarInterval, Severity, say
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.tools.index_figures import index_view
from vnpy_aiagent.tools.snapshot import DecisionSnapshot, IndexView, InstrumentView, MarketOverview

INTRADAY_BARS = {BarInterval.HOUR: 240, BarInterval.MINUTE: 1_200}
"""Sixty sessions of hours, five of minutes: of these 30-minute bars still have their indicators."""

INDEX_BARS = 61
MOST_INDICES = 8


def build_snapshot(house: AgentContext, request: AnalysisRequest, market: MarketOverview) -> DecisionSnapshot:
    """Bars that are complete, today's quote if there is one, the accounts that asked, and recent lessons.

    Its proposals lapse at the close of the session that is on, or of the next one.
    """
    symbol = request.symbol
    history = house.settings.brain.history_bars
    held = {
        interval: house.bars.bars(symbol, interval, INTRADAY_BARS.get(interval, history))
        for interval in house.universe.intervals
    }
    bars = {
        interval: found for interval, found in held.items() if len(found) or interval is BarInterval.DAILY
    }
    quote = house.portfolio.quotes.get(symbol)
    now = house.clock.now()
    book = house.portfolio.quotes.order_book(symbol)
    if quote is not None and quote.at.date() != now.date():
        quote = book = None
    valid_until = house.session_end(symbol)
    instrument = house.portfolio.instrument_view(
        symbol, house.universe.names.get(symbol, ""), house.universe.hypothetical
    )
    accounts = tuple(
        replace(
            house.portfolio.account_view(name, symbol, max_weight(house, name, instrument)),
            low_confidence_scale=house.account(name).risk.low_confidence_scale,
        )
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
        facts=known_facts(house, request),
        book=book,
        indices=index_views(house),
    )


def index_views(house: AgentContext) -> tuple[IndexView, ...]:
    """The indices whose daily bars are held, at their latest complete bar; none that has no bars."""
    names = house.universe.indices[:MOST_INDICES]
    found = (index_view(house.bars.bars(name, BarInterval.DAILY, INDEX_BARS)) for name in names)
    return tuple(view for view in found if view is not None)


def known_facts(house: AgentContext, request: AnalysisRequest) -> FactView:
    """Facts of the symbol at this moment; none, and an alert, where they cannot be read."""
    try:
        return house.facts.view(request.symbol, house.clock.now())
    except DataError as error:
        sentence = say("{symbol} 的事实读不了，这次决策没有事实：{error}", symbol=request.symbol, error=error)
        house.bus.alert(Severity.WARNING, sentence, cause=request.id)
        return FactView()


def max_weight(house: AgentContext, account: str, instrument: InstrumentView) -> float:
    """The account's cap on one symbol's weight, a ratio of equity; of margin for a futures contract."""
    limits = house.account(account).risk
    if instrument.multiplier is not None:
        return limits.max_weight_futures
    return limits.max_weight_fund if instrument.fund else limits.max_weight_share
