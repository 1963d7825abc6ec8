"""Exchange rules as dated tables, calendar and sessions, and the one matching core.

Every row of the tables keeps the date from which it holds and its source; `InstrumentRules.unconfirmed` lists
those that an answer rests on and that still have to be compared with the exchange's own text.
"""

from vnpy_aiagent.domain.enums import Side
from vnpy_aiagent.market.boards import SHARE_BOARDS, Board, board_of
from vnpy_aiagent.market.calendar import TradingCalendar, default_calendar
from vnpy_aiagent.market.corporate import (
    CorporateAction,
    dividend_tax,
    ex_factor,
    ex_level,
    ex_reference,
    new_shares,
)
from vnpy_aiagent.market.fees import CommissionPlan, Fees
from vnpy_aiagent.market.futures import FuturesRules, futures_rules
from vnpy_aiagent.market.limits import PriceBand
from vnpy_aiagent.market.matching import (
    Execution,
    MarketView,
    is_locked,
    match_arrival,
    match_resting,
    share_of_volume,
)
from vnpy_aiagent.market.rules import InstrumentRules, instrument_rules, require_cash_market
from vnpy_aiagent.market.sessions import (
    Phase,
    is_continuous,
    next_continuous,
    phase_at,
    session_close,
    session_open,
)
from vnpy_aiagent.market.share_lots import ShareLots

__all__ = [
    "SHARE_BOARDS",
    "Board",
    "CommissionPlan",
    "CorporateAction",
    "Execution",
    "Fees",
    "FuturesRules",
    "InstrumentRules",
    "MarketView",
    "Phase",
    "PriceBand",
    "ShareLots",
    "Side",
    "TradingCalendar",
    "board_of",
    "default_calendar",
    "dividend_tax",
    "ex_factor",
    "ex_level",
    "ex_reference",
    "futures_rules",
    "instrument_rules",
    "is_continuous",
    "is_locked",
    "match_arrival",
    "match_resting",
    "new_shares",
    "next_continuous",
    "phase_at",
    "require_cash_market",
    "session_close",
    "session_open",
    "share_of_volume",
]
