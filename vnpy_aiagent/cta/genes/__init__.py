"""Gene strategies: known building blocks with a few parameters, each usable by hand."""

from vnpy_aiagent.cta.genes.breakout import BreakoutStrategy
from vnpy_aiagent.cta.genes.dual_average import DualAverageStrategy
from vnpy_aiagent.cta.genes.gap import GapStrategy
from vnpy_aiagent.cta.genes.low_volatility import LowVolatilityStrategy
from vnpy_aiagent.cta.genes.mean_reversion import MeanReversionStrategy
from vnpy_aiagent.cta.genes.swing import SwingStrategy
from vnpy_aiagent.cta.genes.trend_following import TrendFollowingStrategy
from vnpy_aiagent.cta.genes.turnover_surge import TurnoverSurgeStrategy
from vnpy_aiagent.cta.genes.turtle import TurtleStrategy
from vnpy_aiagent.cta.genes.volatility_regime import VolatilityRegimeStrategy

__all__ = [
    "BreakoutStrategy",
    "DualAverageStrategy",
    "GapStrategy",
    "LowVolatilityStrategy",
    "MeanReversionStrategy",
    "SwingStrategy",
    "TrendFollowingStrategy",
    "TurnoverSurgeStrategy",
    "TurtleStrategy",
    "VolatilityRegimeStrategy",
]
