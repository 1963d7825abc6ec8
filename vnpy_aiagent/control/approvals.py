"""Which signals wait for a human, and those that wait now. Each leaves once."""

from collections.abc import Callable
from dataclasses import dataclass

from vnpy_aiagent.config import Approvals
from vnpy_aiagent.domain import ApprovalAsked, Side, Signal


def needs_approval(asks_for: Approvals, signal: Signal) -> bool:
    """Whether a signal waits: a protective one never, an exit only where `all` are asked for."""
    if signal.protective or asks_for == "none":
        return False
    return asks_for == "all" or signal.side is Side.BUY


@dataclass(frozen=True, slots=True)
class Pending:
    """A signal and what was asked for it."""

    asked: ApprovalAsked
    signal: Signal


class PendingApprovals:
    """Signals that wait, oldest first."""

    def __init__(self) -> None:
        """Begin empty."""
        self._pending: dict[str, Pending] = {}

    def add(self, asked: ApprovalAsked, signal: Signal) -> None:
        """This one waits from now on."""
        self._pending[asked.id] = Pending(asked, signal)

    def take(self, approval_id: str) -> Pending | None:
        """It waits no longer; None where it does not wait (any more)."""
        return self._pending.pop(approval_id, None)

    def waiting(self) -> list[ApprovalAsked]:
        """What is asked now."""
        return [pending.asked for pending in self._pending.values()]

    def chosen(self, wanted: Callable[[Signal], bool]) -> list[str]:
        """Ids of those whose signal is wanted."""
        return [number for number, pending in self._pending.items() if wanted(pending.signal)]
