"""A world with data for every analyst, and models that answer each role by its own script."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import Any

from decision_world import NOW, SYMBOL, daily, plan, rising, snapshot

from vnpy_aiagent.brain.roles import ROLES
from vnpy_aiagent.data.facts import EventFact, FactView, ValueFact
from vnpy_aiagent.domain import BarInterval
from vnpy_aiagent.llm.port import ModelReply, ModelRequest
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

NAMES = tuple(role.name for role in ROLES)
LETTERS = {role.name: role.letter for role in ROLES}
INDUSTRY, MARKET = "801780.SWS", "A.MARKET"
YESTERDAY = NOW - timedelta(hours=16)


def value(
    metric: str, number: float, unit: str, subject: str = SYMBOL, at: datetime = YESTERDAY
) -> ValueFact:
    return ValueFact(
        vt_symbol=subject,
        source="made",
        available_at=at,
        metric=metric,
        period=at.date() - timedelta(days=1),
        value=Decimal(str(number)),
        unit=unit,
    )


def event(name: str, on: date, number: float | None = None, unit: str = "") -> EventFact:
    return EventFact(
        vt_symbol=SYMBOL,
        source="made",
        available_at=YESTERDAY,
        event=name,
        on=on,
        value=None if number is None else Decimal(str(number)),
        unit=unit,
    )


def facts(at: datetime = YESTERDAY, **changes: Any) -> FactView:
    """Data of every family."""
    parts: dict[str, Any] = {
        "values": (
            value("pe_ttm", 6.0, "times", at=at),
            value("roe", 0.15, "ratio", at=at),
            value("profit_growth", 0.12, "ratio", at=at),
            value("pledge_ratio", 0.1, "ratio", at=at),
        ),
        "events": (event("shareholder_meeting", date(2024, 5, 20)),),
        "market": (
            value("advancers", 3_500, "count", MARKET, at),
            value("decliners", 1_400, "count", MARKET, at),
            value("lpr_1y", 0.0345, "ratio", MARKET, at),
        ),
        "industry": (value("industry_pe", 8.0, "times", INDUSTRY, at),),
    }
    return FactView(**(parts | changes))


def full(**changes: Any) -> DecisionSnapshot:
    """The small world with bars up to the last close, and facts for every role."""
    fields: dict[str, Any] = {"bars": {BarInterval.DAILY: daily(rising(125))}, "facts": facts()}
    return snapshot(**(fields | changes))


def found(role: str, stance: str = "BULLISH", strength: float = 0.9, **changes: Any) -> ModelReply:
    """A role's finding that cites its first own evidence."""
    own = "m1" if role == "environment_analyst" else f"{LETTERS[role]}1"
    content = {"stance": stance, "strength": strength, "confidence": 0.7, "text": role, "evidence": [own]}
    return ModelReply(text=json.dumps(content | changes, ensure_ascii=False))


Script = Sequence[ModelReply | Exception]
Wait = Callable[[str], None]


class Team:
    """A model that answers each role by its own script, whoever asks first; speakers hold a valid plan.

    A role without a script gives its finding at once. `wait` is called before each answer, in the thread.
    """

    name = "team"

    def __init__(
        self, scripts: Mapping[str, Script] | None = None, *, is_llm: bool = False, wait: Wait | None = None
    ) -> None:
        self.is_llm = is_llm
        self.scripts = {role: list(script) for role, script in (scripts or {}).items()}
        self.requests: dict[str, list[ModelRequest]] = defaultdict(list)
        self.wait = wait
        self._lock = Lock()

    def complete(self, request: ModelRequest) -> ModelReply:
        with self._lock:
            self.requests[request.task].append(request)
            script = self.scripts.get(request.task)
            reply = script.pop(0) if script else None
        if self.wait is not None:
            self.wait(request.task)
        if isinstance(reply, Exception):
            raise reply
        if reply is not None:
            return reply
        return found(request.task) if request.task in NAMES else plan()

    @property
    def asked(self) -> dict[str, int]:
        """How often each role was asked."""
        return {role: len(self.requests[role]) for role in NAMES if self.requests[role]}

    def close(self) -> None:
        """Nothing to close."""
