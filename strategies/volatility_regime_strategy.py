"""VolatilityRegimeStrategy of vnpy_aiagent, for vnpy to find; the class lives in the installed package."""

from vnpy_aiagent.cta import VolatilityRegimeStrategy  # noqa: F401
