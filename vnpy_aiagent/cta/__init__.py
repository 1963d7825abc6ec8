"""CTA strategies of this app; every class in `__all__` gets a shim in the user's strategies folder."""

from vnpy_aiagent.cta.ai_agent import AiAgentStrategy
from vnpy_aiagent.cta.genes import (
    BreakoutStrategy,
    DualAverageStrategy,
    GapStrategy,
    LowVolatilityStrategy,
    MeanReversionStrategy,
    SwingStrategy,
    TrendFollowingStrategy,
    TurnoverSurgeStrategy,
    TurtleStrategy,
    VolatilityRegimeStrategy,
)

__all__ = [
    "AiAgentStrategy",
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
