"""Parent orders that a restart cut short on the simulated exchange, where their orders died too."""

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.order_fold import OpenParent
from vnpy_aiagent.agents.work_report import post_done, report_on
from vnpy_aiagent.agents.working import rest_given_up
from vnpy_aiagent.domain import OrderState, Severity, say
from vnpy_aiagent.execution import TERMINAL, Child, Parent


def close_cut_short(house: AgentContext, restored: OpenParent) -> None:
    """End a parent with what it filled; its rest is given up, and a human hears so.

    Its report knows neither the arrival price nor the times of the fills of before.
    """
    signal = restored.signal
    if restored.done or signal is None:
        return
    parent = Parent(restored.order, signal)
    for item in restored.intents.values():
        state = item.state if item.state in TERMINAL else OrderState.CANCELLED
        parent.children.append(
            Child(item.intent, state, item.sent, item.filled, item.filled, turnover=item.turnover)
        )
    parent.state, left = parent.closing_state(), parent.order.volume - parent.filled
    if left > 0:
        parent.over = say("重启前没有委托完")
        house.bus.say_log(rest_given_up(parent.order, left, parent.over), Severity.WARNING)
    report_on(house, parent)
    post_done(house, parent)
