"""CTA strategies of this app; every class in `__all__` gets a shim in the user's strategies folder."""

from vnpy_aiagent.cta.ai_agent import AiAgentStrategy

__all__ = ["AiAgentStrategy"]
