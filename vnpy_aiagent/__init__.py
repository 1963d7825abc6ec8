"""vnpy_aiagent: a team of AI agents for VeighNa.

from vnpy_aiagent import AiAgentApp
engine = main_engine.add_app(AiAgentApp)
engine.start()
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from vnpy_aiagent.app import AiAgentApp
    from vnpy_aiagent.data.datafeed import Datafeed
    from vnpy_aiagent.engine import AiAgentEngine

__all__ = ["AiAgentApp", "AiAgentEngine", "Datafeed", "__version__"]


def __getattr__(name: str) -> Any:
    """Import app, engine and datafeed when first asked for: importing vnpy decides its folder."""
    if name == "AiAgentApp":
        from vnpy_aiagent.app import AiAgentApp

        return AiAgentApp
    if name == "AiAgentEngine":
        from vnpy_aiagent.engine import AiAgentEngine

        return AiAgentEngine
    if name == "Datafeed":  # where vnpy looks for the datafeed named "aiagent"
        from vnpy_aiagent.data.datafeed import Datafeed

        return Datafeed
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
