"""Enumerations of the domain. A member's value equals its name, so JSON and the journal hold names.

vnpy translates the values of its own enums by locale; nothing here does, and nothing of vnpy's is stored
by value.
"""

from enum import StrEnum


class Side(StrEnum):
    """Side of an order or fill."""

    BUY = "BUY"
    SELL = "SELL"


class Mode(StrEnum):
    """How the engine runs: recorded history, live quotes with simulated fills, or real orders."""

    SIMULATION = "SIMULATION"
    PAPER = "PAPER"
    LIVE = "LIVE"


class Style(StrEnum):
    """Temperament of an account, from which its risk limits follow."""

    AGGRESSIVE = "AGGRESSIVE"
    CONSERVATIVE = "CONSERVATIVE"
    JUDGE = "JUDGE"


class Route(StrEnum):
    """Who turns an account's signals into orders."""

    DIRECT = "DIRECT"
    CTA = "CTA"


class RequestKind(StrEnum):
    """Why an analysis is asked for."""

    OPEN = "OPEN"
    MANAGE = "MANAGE"
    REPLAN = "REPLAN"


class Action(StrEnum):
    """What a proposal wants done."""

    BUY = "BUY"
    ADD = "ADD"
    REDUCE = "REDUCE"
    CLOSE = "CLOSE"
    HOLD = "HOLD"
    ADJUST = "ADJUST"


class PriceBasis(StrEnum):
    """What a PriceRef's offset is measured from. See domain.prices."""

    LAST = "LAST"
    PREV_CLOSE = "PREV_CLOSE"
    ENTRY = "ENTRY"
    ATR = "ATR"
    BAND = "BAND"
    LEVEL = "LEVEL"


class Outcome(StrEnum):
    """Result of the risk check on a proposal."""

    APPROVED = "APPROVED"
    REDUCED = "REDUCED"
    REJECTED = "REJECTED"


class OrderState(StrEnum):
    """State of one order at the broker, as this app understands it."""

    INTENDED = "INTENDED"
    SENT = "SENT"
    ACCEPTED = "ACCEPTED"
    PARTIAL = "PARTIAL"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"


class Algo(StrEnum):
    """How a parent order is worked: at once, in slices over time, with little shown, or with the volume."""

    LIMIT = "LIMIT"
    TWAP = "TWAP"
    ICEBERG = "ICEBERG"
    PARTICIPATION = "PARTICIPATION"


class SettledBy(StrEnum):
    """Where a settlement's price is from: the exchange's own, or the last price of the day."""

    SETTLEMENT = "SETTLEMENT"
    CLOSE = "CLOSE"


class ParentState(StrEnum):
    """State of a parent order, which may have several child orders."""

    WORKING = "WORKING"
    FILLED = "FILLED"
    DONE_PARTIAL = "DONE_PARTIAL"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"


class TriggerKind(StrEnum):
    """Condition of a trigger. Prices are compared with the last traded price of a tick."""

    PRICE_AT_OR_ABOVE = "PRICE_AT_OR_ABOVE"
    PRICE_AT_OR_BELOW = "PRICE_AT_OR_BELOW"
    TIME_AT = "TIME_AT"


class TriggerEnd(StrEnum):
    """Why a trigger left the book."""

    FIRED = "FIRED"
    EXPIRED = "EXPIRED"
    REPLACED = "REPLACED"
    CANCELLED = "CANCELLED"
    TAKEN_OVER = "TAKEN_OVER"


class StopState(StrEnum):
    """Life of a protective stop, from the entry's first fill until the position is flat or a human's."""

    ARMED = "ARMED"
    DEFERRED_T1 = "DEFERRED_T1"
    QUEUED_AT_LIMIT = "QUEUED_AT_LIMIT"
    WORKING = "WORKING"
    FLAT = "FLAT"
    TAKEN_OVER = "TAKEN_OVER"


class TradingState(StrEnum):
    """What new orders are allowed. REDUCING allows exits only; HALTED allows cancels only."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


class AgentName(StrEnum):
    """The five event-handling agents, and the engine that holds them."""

    ANALYSIS = "ANALYSIS"
    RISK = "RISK"
    EXECUTION = "EXECUTION"
    MONITORING = "MONITORING"
    REVIEW = "REVIEW"
    ENGINE = "ENGINE"


class Activity(StrEnum):
    """What an agent is doing."""

    IDLE = "IDLE"
    FETCHING = "FETCHING"
    ANALYZING = "ANALYZING"
    DECIDING = "DECIDING"
    EXECUTING = "EXECUTING"
    COMPLETED = "COMPLETED"


class Severity(StrEnum):
    """Urgency of an alert."""

    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


class Period(StrEnum):
    """Span of a review."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"


class Stance(StrEnum):
    """Direction of an analyst's finding."""

    BULLISH = "BULLISH"
    NEUTRAL = "NEUTRAL"
    BEARISH = "BEARISH"


class Silence(StrEnum):
    """Why a role's finding does not count."""

    NO_DATA = "NO_DATA"
    STALE = "STALE"
    NO_FRESH_EVIDENCE = "NO_FRESH_EVIDENCE"
    NO_SIGNAL = "NO_SIGNAL"
    NO_QUOTA = "NO_QUOTA"
    FAILED = "FAILED"
    WEIGHT_ZERO = "WEIGHT_ZERO"


class BarInterval(StrEnum):
    """Length of a bar."""

    MINUTE = "MINUTE"
    MINUTE_5 = "MINUTE_5"
    MINUTE_15 = "MINUTE_15"
    MINUTE_30 = "MINUTE_30"
    HOUR = "HOUR"
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
