"""Messages of the house itself: runs, accounts, schedules, states, alerts, marks."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime

from vnpy_aiagent.domain.enums import Activity, AgentName, Mode, Severity, Style, TradingState
from vnpy_aiagent.domain.message import Message
from vnpy_aiagent.domain.text import Text


class RunStarted(Message):
    """A process begins to write. `settings` is the digest of what decides a run.

    `mind` is how decisions are made in it (brain, and by role the model's settings; no key, no address);
    None in journals that do not tell.
    """

    run: str
    mode: Mode
    version: str
    model: str
    is_llm: bool
    data: str
    settings: str
    mind: dict[str, Any] | None = None


class RunEnded(Message):
    """A process ends its run in order."""

    run: str
    reason: str


class AccountOpened(Message):
    """An account joins with its starting cash (CNY)."""

    gateway: str
    style: Style
    cash: Decimal


class ScheduleFired(Message):
    """A job of the timetable is due."""

    job: str
    due: AwareDatetime


class JobSkipped(Message):
    """A job did nothing, and why."""

    job: str
    reason: Text


class Note(Message):
    """A written note, for example the plan before the open or the midday note."""

    title: Text
    lines: tuple[Text, ...]


class StateChanged(Message):
    """The trading state changed."""

    state: TradingState
    paused: bool
    by: str
    reason: str


class CommandTaken(Message):
    """A human's command arrived through the inbox, the window or the Python API."""

    command: str
    arguments: dict[str, str]
    by: str


class AgentStatus(Message):
    """An agent's activity changed."""

    agent: AgentName
    activity: Activity
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Thinking:
    """The last words of a model that is answering, for a screen alone: they decide nothing and are not kept.

    `role` and `words` are empty once the decision is made.
    """

    request_id: str
    symbol: str
    role: str = ""
    words: str = ""


class Alert(Message):
    """Something that a human should know."""

    severity: Severity
    text: Text


class HandlerFailed(Message):
    """A handler raised; the event thread goes on."""

    handler: str
    event: str
    error: str


class EquityMark(Message):
    """An account valued at the session's close, CNY."""

    day: date
    cash: Decimal
    market_value: Decimal
    positions: dict[str, int]

    @property
    def equity(self) -> Decimal:
        """Cash and market value."""
        return self.cash + self.market_value


class BaselineMark(Message):
    """A baseline valued at the session's close, as if it had begun with the same cash."""

    name: str
    label: Text
    day: date
    value: Decimal
