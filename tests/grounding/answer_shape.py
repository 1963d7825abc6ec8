"""The validator's own reading of a model's answer: JSON, keys, types, ranges, cleaned strings.

Written from the design and the prompts, without the product's schemas. `Wrong` carries one of the words of
`WORDS`, by which the corpus says what is wrong.
"""

import json
import math
import re
import unicodedata
from typing import Any

WORDS = {
    "json": "no JSON object, or more than one",
    "shape": "a key is missing, unknown, of a wrong type or out of its range",
    "symbol": "another symbol than the one that was asked for",
    "citation": "evidence that does not exist in this decision, or lies after its clock",
    "action": "the action does not fit the holding",
    "contradiction": "two parts of the plan say opposite things",
    "missing": "a price that the action needs is missing",
    "weight": "the target weight does not fit the action",
    "basis": "the basis has no price here, or not with these parts",
    "offset": "the offset is beyond its bound, or gives no price",
    "level": "the level is no price of this symbol in the evidence that it names",
    "band": "the entry lies outside today's price limits",
    "side": "a stop, target or trigger lies on the wrong side",
    "trigger": "a trigger has the wrong parts",
    "reply": "a reply to a question that nobody asked",
}
STANCES = ("BULLISH", "BEARISH", "NEUTRAL")
ACTIONS = ("BUY", "ADD", "REDUCE", "CLOSE", "HOLD", "ADJUST")
BASES = ("LAST", "PREV_CLOSE", "ENTRY", "ATR", "BAND", "LEVEL")
TRIGGERS = ("PRICE_AT_OR_ABOVE", "PRICE_AT_OR_BELOW", "TIME_AT")
NOT_SEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
KEPT_WIDE = "，：；！？（）～…％＋－＝"
DEEPEST = 100


class Wrong(Exception):
    """What is wrong with an answer: a word of WORDS, and a sentence."""

    def __init__(self, word: str, sentence: str) -> None:
        """`word` is one of WORDS."""
        super().__init__(sentence)
        self.word = word


def read_plan(text: str) -> dict[str, Any]:
    """A plan with every default filled in. Raises Wrong."""
    return _object(
        _parsed(text),
        {
            "symbol": lambda v: _string(v, 32),
            "stance": lambda v: _one_of(v, STANCES),
            "action": lambda v: _one_of(v, ACTIONS),
            "confidence": _ratio,
            "argument": _reason,
        },
        {
            "target_weight": (_ratio, 0.0),
            "entry": (_price_or_none, None),
            "stop": (_price_or_none, None),
            "target": (_price_or_none, None),
            "horizon_sessions": (lambda v: None if v is None else _whole(v, 1, 60), None),
            "questions": (lambda v: _list(v, _question, 5), []),
            "replies": (lambda v: _list(v, _reply, 5), []),
            "reasons": (lambda v: _list(v, _reason, 8), []),
            "triggers": (lambda v: _list(v, _trigger, 6), []),
        },
    )


def read_finding(text: str) -> dict[str, Any]:
    """An analyst's finding with every default filled in. Raises Wrong."""
    return _object(
        _parsed(text),
        {
            "stance": lambda v: _one_of(v, STANCES),
            "strength": _ratio,
            "confidence": _ratio,
            "text": lambda v: _string(v, 1200),
        },
        {"evidence": (_cited, []), "figures": (_figures, {})},
    )


def plan_keys() -> set[str]:
    """The keys that a plan may have."""
    return {
        "symbol", "stance", "action", "confidence", "argument", "target_weight", "entry", "stop", "target",
        "horizon_sessions", "questions", "replies", "reasons", "triggers",
    }  # fmt: skip


def cleaned(text: str) -> str:
    """Without what nobody sees; NFKC, full-width Chinese punctuation kept."""
    text = re.sub("\r\n|[\u2028\u2029]", "\n", text).replace("\t", " ")
    seen = "".join(c for c in text if c == "\n" or unicodedata.category(c) not in NOT_SEEN)
    parts = re.split(f"([{KEPT_WIDE}])", seen)
    return "".join(part if part in KEPT_WIDE else unicodedata.normalize("NFKC", part) for part in parts)


def _parsed(text: str) -> Any:
    if "\ufffd" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise Wrong("json", "broken characters")
    body = text.strip()
    if body.startswith("```"):
        body = body.partition("\n")[2] or body
        body = body.rpartition("```")[0] or body
    try:
        found = json.loads(body.strip(" \t\r\n"))
        json.dumps(found, ensure_ascii=False, allow_nan=True).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise Wrong("json", str(error)[:80]) from None
    if not isinstance(found, dict):
        raise Wrong("json", "no object")
    return found


def _object(value: Any, needed: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Wrong("shape", "no object")
    unknown = sorted(set(value) - set(needed) - set(optional))
    missing = sorted(set(needed) - set(value))
    if unknown or missing:
        raise Wrong("shape", f"unknown {unknown}, missing {missing}")
    read = {name: check(value[name]) for name, check in needed.items()}
    for name, (check, default) in optional.items():
        read[name] = check(value[name]) if name in value else default
    return read


def _string(value: Any, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise Wrong("shape", f"no string of at most {longest} characters")
    text = cleaned(value)
    if len(text) > longest:
        raise Wrong("shape", f"longer than {longest} characters once cleaned")
    return text


def _one_of(value: Any, words: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in words:
        raise Wrong("shape", f"none of {words}")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong("shape", "no number")
    try:
        number = float(value)
    except OverflowError:
        raise Wrong("shape", "too large a number") from None
    if not math.isfinite(number):
        raise Wrong("shape", "no finite number")
    return number


def _ratio(value: Any) -> float:
    number = _number(value)
    if not 0 <= number <= 1:
        raise Wrong("shape", "no ratio")
    return number


def _whole(value: Any, low: int, high: int) -> int:
    number = _number(value)
    if number != int(number) or not low <= number <= high:
        raise Wrong("shape", f"no whole number from {low} to {high}")
    return int(number)


def _list(value: Any, check: Any, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise Wrong("shape", f"no list of at most {most}")
    return [check(item) for item in value]


def _cited(value: Any) -> list[str]:
    return _list(value, lambda v: _string(v, 16), 20)


def _figures(value: Any) -> dict[str, str]:
    """Checked like any other part, and then dropped: a language model's words fill no places."""
    if not isinstance(value, dict) or len(value) > 16:
        raise Wrong("shape", "no figures")
    for name, figure in value.items():
        if len(name) > 32 or not isinstance(figure, str) or len(figure) > 200:
            raise Wrong("shape", "a figure is too long or no string")
    return {}


SAID = {"text": lambda v: _string(v, 1200)}
BESIDE: dict[str, Any] = {"evidence": (_cited, []), "figures": (_figures, {})}


def _reason(value: Any) -> dict[str, Any]:
    return _object(value, SAID, BESIDE)


def _question(value: Any) -> dict[str, Any]:
    to = (lambda v: None if v is None else _one_of(v, ("aggressive", "judge")), None)
    return _object(value, SAID, BESIDE | {"to": to})


def _reply(value: Any) -> dict[str, Any]:
    return _object(value, SAID | {"question": lambda v: _string(v, 8)}, BESIDE)


def _price(value: Any) -> dict[str, Any]:
    return _object(
        value,
        {"basis": lambda v: _one_of(v, BASES)},
        {
            "offset": (_number, 0.0),
            "evidence": (lambda v: None if v is None else _string(v, 16), None),
            "level": (lambda v: None if v is None else _number(v), None),
        },
    )


def _price_or_none(value: Any) -> dict[str, Any] | None:
    return None if value is None else _price(value)


def _trigger(value: Any) -> dict[str, Any]:
    return _object(
        value,
        {"trigger": lambda v: _one_of(v, TRIGGERS)},
        {
            "price": (_price_or_none, None),
            "sessions": (lambda v: None if v is None else _whole(v, 1, 60), None),
            "note": (lambda v: _string(v, 200), ""),
        },
    )
