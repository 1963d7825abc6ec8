"""One rule a file. The order here is the order of a verdict's lines."""

from vnpy_aiagent.risk.context import Rule
from vnpy_aiagent.risk.rules.cash import CashRule
from vnpy_aiagent.risk.rules.confidence import ConfidenceRule
from vnpy_aiagent.risk.rules.entries_per_day import EntriesPerDayRule
from vnpy_aiagent.risk.rules.entry_premium import EntryPremiumRule
from vnpy_aiagent.risk.rules.exposure import ExposureRule
from vnpy_aiagent.risk.rules.external_position import ExternalPositionRule
from vnpy_aiagent.risk.rules.fresh_quote import FreshQuoteRule
from vnpy_aiagent.risk.rules.liquidity import LiquidityRule
from vnpy_aiagent.risk.rules.live_limits import LiveLimitsRule
from vnpy_aiagent.risk.rules.losses import DailyLossRule, DrawdownRule
from vnpy_aiagent.risk.rules.lot_size import LotSizeRule
from vnpy_aiagent.risk.rules.one_order import OneOrderRule
from vnpy_aiagent.risk.rules.position_weight import PositionWeightRule
from vnpy_aiagent.risk.rules.positions import PositionsRule
from vnpy_aiagent.risk.rules.price_band import PriceBandRule
from vnpy_aiagent.risk.rules.risk_per_trade import RiskPerTradeRule
from vnpy_aiagent.risk.rules.sellable import SellableRule
from vnpy_aiagent.risk.rules.stop_distance import StopDistanceRule
from vnpy_aiagent.risk.rules.trading_state import TradingStateRule


def default_rules() -> tuple[Rule, ...]:
    """Every rule, new."""
    return (
        TradingStateRule(),
        FreshQuoteRule(),
        PriceBandRule(),
        EntryPremiumRule(),
        ConfidenceRule(),
        StopDistanceRule(),
        OneOrderRule(),
        ExternalPositionRule(),
        EntriesPerDayRule(),
        DailyLossRule(),
        DrawdownRule(),
        LiveLimitsRule(),
        PositionsRule(),
        PositionWeightRule(),
        RiskPerTradeRule(),
        ExposureRule(),
        LiquidityRule(),
        CashRule(),
        SellableRule(),
        LotSizeRule(),
    )


__all__ = ["default_rules"]
