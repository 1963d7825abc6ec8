"""Order states, parent orders and intents. The only room that knows how orders live."""

from vnpy_aiagent.execution.desk import Child, OrderDesk, Parent
from vnpy_aiagent.execution.states import STATUS_STATES, TERMINAL, next_state

__all__ = ["STATUS_STATES", "TERMINAL", "Child", "OrderDesk", "Parent", "next_state"]
