"""Where the trading process of the chaos run dies: hooks that send SIGKILL to their own process.

A hook stands on each side of a step of an order's life. Nothing of the product is changed but that the
process ends there: no exception, no clean-up, no flush.
"""

import os
import signal
import threading
from typing import Any

import zmq

BEFORE_INTENT = "before INTENT"
AFTER_INTENT = "after INTENT, before it is acted on"
BEFORE_SEND = "before send"
AFTER_SEND = "after send, before SENT"
AFTER_SENT = "after SENT"
FILL = "between a fill and its record"
RECONCILE = "during reconcile"
CANCEL = "during a cancel"
RANDOM = "at a random moment"
BOUNDARIES = (BEFORE_INTENT, AFTER_INTENT, BEFORE_SEND, AFTER_SEND, AFTER_SENT, FILL, RECONCILE, CANCEL)
SIDES = {AFTER_SEND: 3, CANCEL: 3, RECONCILE: 3}
"""How many places a boundary has, 2 where it is not named."""


class Death:
    """Ends the process at the n-th passing of one point, once it is armed."""

    def __init__(self, boundary: str, variant: int, passings: int) -> None:
        """`variant` chooses between the sides of a step, `passings` counts from 1."""
        self.boundary = boundary
        self.variant = variant % SIDES.get(boundary, 2)
        self.left = passings
        self.armed = boundary == RECONCILE

    def at(self, boundary: str, variant: int | None = None) -> None:
        """The process is at a point."""
        if not self.armed or boundary != self.boundary or variant not in (None, self.variant):
            return
        self.left -= 1
        if self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def lay(death: Death) -> None:
    """Lay the hooks into the classes of this process."""
    from vnpy_aiagent.agents.bus import Bus
    from vnpy_aiagent.agents.reconciliation import Reconciler
    from vnpy_aiagent.domain import AccountChecked, Fill, Intent
    from vnpy_aiagent.recovery import Recovery
    from vnpy_aiagent.sim.remote_gateway import RemoteGateway
    from vnpy_aiagent.sim.remote_link import RemoteLink
    from vnpy_aiagent.store.journal import Journal

    post_durable, adopt, append = Bus.post_durable, Bus.adopt, Journal.append
    look, recover = Reconciler._reconcile, Recovery.run

    def on_post_durable(bus: Any, kind: Any, **fields: Any) -> Any:
        if kind is Intent:
            death.at(BEFORE_INTENT)
        return post_durable(bus, kind, **fields)

    def on_adopt(bus: Any, message: Any, *rest: Any, **changes: Any) -> Any:
        if isinstance(message, Fill):
            death.at(FILL, 0)
        if isinstance(message, AccountChecked):
            death.at(RECONCILE, 0)
        return adopt(bus, message, *rest, **changes)

    def on_append(journal: Any, drafts: Any, wall: Any = None) -> Any:
        kinds = {draft.kind for draft in drafts}
        if "Fill" in kinds:
            death.at(FILL, 1)
        done = append(journal, drafts, wall)
        if "Intent" in kinds:
            death.at(AFTER_INTENT)
        if "Sent" in kinds:
            death.at(AFTER_SENT)
        return done

    def on_look(reconciler: Any, link: Any, now: Any) -> None:
        death.at(RECONCILE, 1)
        look(reconciler, link, now)

    def on_recovery(recovery: Any, restored: Any) -> None:
        recover(recovery, restored)
        death.at(RECONCILE, 2)

    Recovery.run = on_recovery  # type: ignore[method-assign]
    Bus.post_durable = on_post_durable  # type: ignore[method-assign]
    Bus.adopt = on_adopt  # type: ignore[method-assign]
    Journal.append = on_append  # type: ignore[method-assign]
    Reconciler._reconcile = on_look  # type: ignore[method-assign]
    _lay_gateway(death, RemoteGateway, RemoteLink)


def _lay_gateway(death: Death, gateway: Any, link: Any) -> None:
    send_order, cancel_order, request = gateway.send_order, gateway.cancel_order, link._request

    def on_send(self: Any, req: Any) -> str:
        death.at(BEFORE_SEND)
        sent: str = send_order(self, req)
        death.at(AFTER_SEND, 0)
        return sent

    def on_cancel(self: Any, req: Any) -> None:
        death.at(CANCEL, 0)
        cancel_order(self, req)

    poll, under_way = zmq.Socket.poll, threading.local()

    def on_request(self: Any, job: Any) -> Any:
        ends = {"send_order": AFTER_SEND, "cancel_order": CANCEL}
        under_way.boundary = boundary = ends.get(job.name, "")
        answer = request(self, job)
        under_way.boundary = ""
        if boundary:  # the exchange has it, the event thread does not know yet
            death.at(boundary, 1)
        return answer

    def on_poll(self: Any, *arguments: Any, **given: Any) -> Any:
        boundary = getattr(under_way, "boundary", "")
        if boundary:  # it was written to the socket; whether it arrives is open
            death.at(boundary, 2)
        return poll(self, *arguments, **given)

    gateway.send_order, gateway.cancel_order, link._request = on_send, on_cancel, on_request
    zmq.Socket.poll = on_poll  # type: ignore[method-assign]
