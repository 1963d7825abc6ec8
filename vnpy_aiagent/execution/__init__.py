"""Order states, parent orders and intents. The only room that knows how orders live."""

from vnpy_aiagent.execution.desk import Child, OrderDesk, Parent
from vnpy_aiagent.execution.states import STATUS_REPORTS, TERMINAL, TRANSITIONS, Report, next_state

__all__ = [
    "STATUS_REPORTS",
    "TERMINAL",
    "TRANSITIONS",
    "Child",
    "OrderDesk",
    "Parent",
    "Report",
    "next_state",
]
