"""The five event-handling agents: analysis, risk, execution, monitoring, review."""

from vnpy_aiagent.agents.analysis import AnalysisAgent, BrainRunner
from vnpy_aiagent.agents.bus import Bus
from vnpy_aiagent.agents.context import AgentContext, BarSource, Broker, Universe
from vnpy_aiagent.agents.execution import ExecutionAgent
from vnpy_aiagent.agents.monitoring import MonitoringAgent
from vnpy_aiagent.agents.review import ReviewAgent
from vnpy_aiagent.agents.risk import RiskAgent

__all__ = [
    "AgentContext",
    "AnalysisAgent",
    "BarSource",
    "BrainRunner",
    "Broker",
    "Bus",
    "ExecutionAgent",
    "MonitoringAgent",
    "ReviewAgent",
    "RiskAgent",
    "Universe",
]
