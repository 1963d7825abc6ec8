"""Quotes as vnpy's ticks and contracts."""

from datetime import date, datetime

from vnpy.trader.constant import Exchange, Product
from vnpy.trader.object import ContractData, TickData

from vnpy_aiagent.data.quote_sources import DEPTH, Quote
from vnpy_aiagent.errors import CalendarError, RuleUnknown
from vnpy_aiagent.market import Board, InstrumentRules, PriceBand, instrument_rules


def price_band(quote: Quote) -> PriceBand | None:
    """The day's limits from the exchange's rules; None where none hold, or no rule is known for the day."""
    try:
        rules = instrument_rules(quote.vt_symbol, quote.at.date(), name=quote.name)
    except (RuleUnknown, CalendarError):
        return None
    return rules.price_band(quote.prev_close)


def to_tick(quote: Quote, gateway_name: str, received: datetime) -> TickData:
    """A tick with five levels; `extra["source"]` names where it is from. A limit that is not known is 0."""
    symbol, _, suffix = quote.vt_symbol.rpartition(".")
    band = price_band(quote)
    tick = TickData(
        symbol=symbol,
        exchange=Exchange[suffix],
        datetime=quote.at,
        name=quote.name,
        volume=quote.volume,
        turnover=quote.turnover,
        last_price=quote.last,
        limit_up=float(band.up) if band else 0,
        limit_down=float(band.down) if band else 0,
        open_price=quote.open,
        high_price=quote.high,
        low_price=quote.low,
        pre_close=quote.prev_close,
        localtime=received,
        gateway_name=gateway_name,
    )
    for n in range(DEPTH):
        bid, ask = quote.bids[n], quote.asks[n]
        setattr(tick, f"bid_price_{n + 1}", bid.price)
        setattr(tick, f"bid_volume_{n + 1}", bid.volume)
        setattr(tick, f"ask_price_{n + 1}", ask.price)
        setattr(tick, f"ask_volume_{n + 1}", ask.volume)
    tick.extra = {"source": quote.source}
    return tick


def to_contract(vt_symbol: str, name: str, on: date, gateway_name: str) -> ContractData:
    """A contract with tick size (CNY) and smallest buy (shares). RuleUnknown where the day has no rules."""
    symbol, _, suffix = vt_symbol.rpartition(".")
    rules: InstrumentRules = instrument_rules(vt_symbol, on, name=name)
    return ContractData(
        symbol=symbol,
        exchange=Exchange[suffix],
        name=name,
        product=Product.ETF if rules.board is Board.ETF else Product.EQUITY,
        size=1,
        pricetick=float(rules.tick_size),
        min_volume=rules.min_buy,
        net_position=True,
        gateway_name=gateway_name,
    )
