"""Stand-ins for names, codes and dates in all that a model sees, to measure how much it only remembers.

With `brain.mask` every text of a request is rewritten before the model gets it, and its answer is rewritten
back before anything else reads it: tools, evidence, grounding and the journal know only the real words.

| real | stand-in |
| --- | --- |
| 600036.SSE, 801780.SWS, … | S001 (the symbol that is decided on), S002, … in order of appearance |
| 600036 | C001, the code alone of S001 |
| the symbol's name | N001 |
| 2024-05-06 | D+0: trading days from the decision's day; D-4+2: two days after one, without trading |
| other dates | [X1], [X2], … in order of appearance |

Stand-ins depend on the request alone, so the same request always gets the same ones, in any thread and in a
replay. Prices, volumes and hours stay: a model may still know a symbol by them.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from vnpy_aiagent.llm.port import ChatMessage, ModelReply, ModelRequest, ToolCall
from vnpy_aiagent.market.calendar import default_calendar
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

_SYMBOL = re.compile(
    r"(?<![0-9A-Za-z])(?:\d{6}|[A-Za-z]{1,2}\d{3,4})"
    r"\.(?:SSE|SZSE|BSE|SWS|SHFE|INE|DCE|CZCE|CFFEX|GFEX|SH|SZ|BJ)(?![0-9A-Za-z])"
)
_ISO = re.compile(r"(?<![0-9A-Za-z])(\d{4})-(\d{2})-(\d{2})(?![0-9])")
_WORDS = re.compile(
    r"\d{4}年(?:\d{1,2}月(?:\d{1,2}[日号])?)?|\d{1,2}月\d{1,2}[日号]"
    r"|(?<![0-9A-Za-z.])(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?![0-9A-Za-z.])"
    r"|(?<![0-9A-Za-z])(?:19|20)\d{2}/\d{1,2}/\d{1,2}(?![0-9])"
)
_STAND_IN = re.compile(
    r"(?<![0-9A-Za-z])(?:[SCN]\d{3}(?![0-9])|D[+-]\d{1,5}(?:\+\d{1,3})?(?![0-9]))|\[X\d{1,4}\]"
)
_DAY = re.compile(r"D([+-]\d+)(?:\+(\d+))?")
SHORTEST_NAME = 2


@dataclass(slots=True)
class Mask:
    """The stand-ins of one decision; `sessions` are trading days in order."""

    symbol: str
    name: str
    today: date
    sessions: list[date] = field(default_factory=list)

    @classmethod
    def of(cls, snapshot: DecisionSnapshot) -> "Mask":
        """The mask of a snapshot, on the calendar of the official years."""
        calendar = default_calendar()
        sessions = calendar.sessions(calendar.first, calendar.last)
        return cls(snapshot.instrument.vt_symbol, snapshot.instrument.name, snapshot.at.date(), sessions)

    def hide(self, request: ModelRequest) -> tuple[ModelRequest, Callable[[ModelReply], ModelReply]]:
        """The request as the model gets it, and the way back."""
        table = _Table(self)
        messages = tuple(table.message(message) for message in request.messages)
        return request.model_copy(update={"messages": messages}), _Shown(table.real, self).show

    def stand_in(self, day: date) -> str | None:
        """A day as trading days from today, and days after that one where it is none.

        None outside the calendar.
        """
        place = bisect_right(self.sessions, day) - 1
        if place < 0 or day > self.sessions[-1]:
            return None
        today = max(bisect_right(self.sessions, self.today) - 1, 0)
        after = (day - self.sessions[place]).days
        return f"D{place - today:+d}" + (f"+{after}" if after else "")

    def day(self, stand_in: str) -> date | None:
        """The day of a stand-in; None where it lies outside the calendar."""
        found = _DAY.fullmatch(stand_in)
        if found is None:
            return None
        place = max(bisect_right(self.sessions, self.today) - 1, 0) + int(found[1])
        if not 0 <= place < len(self.sessions):
            return None
        return self.sessions[place] + timedelta(days=int(found[2] or 0))


@dataclass(frozen=True, slots=True)
class _Shown:
    """The way back; `real` gives the real words by their stand-ins."""

    real: dict[str, str]
    mask: Mask

    def show(self, reply: ModelReply) -> ModelReply:
        """The model's answer with the real words; a stand-in that was never given stays as it is."""
        calls = tuple(
            ToolCall(id=call.id, name=call.name, arguments=self._shown(call.arguments))
            for call in reply.tool_calls
        )
        changed = {"text": self._shown(reply.text), "tool_calls": calls}
        return reply.model_copy(update=changed | {"reasoning": self._shown(reply.reasoning)})

    def _shown(self, text: str) -> str:
        return _STAND_IN.sub(self._real, text)

    def _real(self, found: re.Match[str]) -> str:
        word = found[0]
        if word in self.real:
            return self.real[word]
        day = self.mask.day(word) if word.startswith("D") else None
        return day.isoformat() if day is not None else word


class _Table:
    """Gives stand-ins in order of appearance, within one request."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.real: dict[str, str] = {}
        self._given: dict[str, str] = {}
        self._code = mask.symbol.partition(".")[0]
        self._give(mask.symbol, "S001")
        named = mask.name if len(mask.name) >= SHORTEST_NAME else ""
        known = [word for word in (named, self._code) if word]
        self._own = re.compile("|".join(rf"(?<![0-9A-Za-z.]){re.escape(w)}(?![0-9A-Za-z])" for w in known))

    def message(self, message: ChatMessage) -> ChatMessage:
        calls = tuple(
            ToolCall(id=call.id, name=call.name, arguments=self._text(call.arguments))
            for call in message.tool_calls
        )
        changed = {"content": self._content(message.content), "tool_calls": calls}
        return message.model_copy(update=changed | {"reasoning": self._text(message.reasoning)})

    def _content(self, text: str) -> str:
        """JSON is rewritten in its strings alone: a volume may look like a code."""
        try:
            node = json.loads(text)
        except (ValueError, RecursionError):
            return self._text(text)
        if not isinstance(node, dict | list):
            return self._text(text)
        return json.dumps(_mapped(node, self._text), ensure_ascii=False)

    def _text(self, text: str) -> str:
        text = _SYMBOL.sub(lambda found: self._symbol(found[0]), text)
        text = self._own.sub(lambda found: self._plain(found[0]), text)
        text = _ISO.sub(self._date, text)
        return _WORDS.sub(lambda found: self._other(found[0]), text)

    def _symbol(self, word: str) -> str:
        count = sum(1 for stand_in in self.real if stand_in.startswith("S"))
        return self._given.get(word) or self._give(word, f"S{count + 1:03d}")

    def _plain(self, word: str) -> str:
        return self._given.get(word) or self._give(word, "C001" if word == self._code else "N001")

    def _date(self, found: re.Match[str]) -> str:
        try:
            day = date.fromisoformat(found[0])
        except ValueError:
            return found[0]
        if found[0] in self._given:
            return self._given[found[0]]
        stand_in = self.mask.stand_in(day)
        return self._other(found[0]) if stand_in is None else self._give(found[0], stand_in)

    def _other(self, word: str) -> str:
        count = sum(1 for stand_in in self.real if stand_in.startswith("["))
        return self._given.get(word) or self._give(word, f"[X{count + 1}]")

    def _give(self, word: str, stand_in: str) -> str:
        self._given[word] = stand_in
        self.real[stand_in] = word
        return stand_in


def _mapped(node: Any, change: Callable[[str], str]) -> Any:
    if isinstance(node, str):
        return change(node)
    if isinstance(node, dict):
        return {change(key): _mapped(value, change) for key, value in node.items()}
    return [_mapped(item, change) for item in node] if isinstance(node, list) else node
