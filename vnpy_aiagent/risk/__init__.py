"""Risk: one rule a file, one engine over them."""

from vnpy_aiagent.risk.context import RiskContext, Rule
from vnpy_aiagent.risk.engine import Assessment, RiskEngine

__all__ = ["Assessment", "RiskContext", "RiskEngine", "Rule"]
