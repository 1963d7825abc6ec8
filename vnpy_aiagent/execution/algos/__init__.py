"""How an order is worked: the next step from a plan's state, a quote and the time. Pure, it sends nothing."""

from vnpy_aiagent.execution.algos.choice import choose, usual_volume
from vnpy_aiagent.execution.algos.decide import decide
from vnpy_aiagent.execution.algos.plan import (
    Action,
    Cancel,
    Done,
    Market,
    OpenOrder,
    Orders,
    Place,
    Plan,
    Task,
    Wait,
)

__all__ = [
    "Action",
    "Cancel",
    "Done",
    "Market",
    "OpenOrder",
    "Orders",
    "Place",
    "Plan",
    "Task",
    "Wait",
    "choose",
    "decide",
    "usual_volume",
]
