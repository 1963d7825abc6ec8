"""Seeded mutations of good and bad answers: of bytes, of JSON, of structure; and junk."""

import copy
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

JUNK: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 0.5, -5, 20.0, 19.11, 1e-300, 1e300, 2**70, "", " ", "BUY", "20.00", "NaN",
    "e1", "e99", "LAST", "LEVEL", "HOLD", "\u200b", "六", [], {}, [1], ["e1"], {"basis": "LAST"},
    {"basis": "LEVEL", "level": 19.11, "evidence": "e1"}, {"text": "x"}, [[]], {"a": {"b": []}},
)  # fmt: skip
KEYS = (
    "symbol", "action", "stance", "confidence", "target_weight", "entry", "stop", "target", "argument",
    "evidence", "level", "basis", "offset", "triggers", "text", "strength", "volume", "price", "note",
)  # fmt: skip
LITERALS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-1e999",
    "0x10",
    "01",
    "1.",
    ".5",
    "--1",
    "null",
    "1e400",
)
ODD = (
    "\u0000\u0001\u001f\u007f\u00a0\u0300\u200b\u202e\u2028\ufeff\ufffd\ud800，：“”＂｛｝𝟎٣é字🚀\"\\{}[]:,'`"
)


def fuzzed(seed: int, sound: Sequence[str], broken: Sequence[str]) -> Iterator[str]:
    """Answers without end: one in ten sound as it is, the others changed in some way."""
    choice = random.Random(seed)
    while True:
        kind = choice.randrange(20)
        if kind < 2:
            yield choice.choice(sound)
        elif kind < 10:
            yield _restructured(choice, choice.choice(sound))
        elif kind < 15:
            yield _rewritten(choice, choice.choice(sound))
        elif kind < 17:
            yield _rewritten(choice, choice.choice(broken))
        elif kind < 19:
            yield choice.choice(broken)
        else:
            yield _junk(choice)


def _restructured(choice: random.Random, text: str) -> str:
    """One to three changes of the parsed answer."""
    try:
        plan = json.loads(text)
    except ValueError:
        return text
    for _ in range(choice.choice((1, 1, 1, 2, 3))):
        _change(choice, plan)
    return json.dumps(plan, ensure_ascii=choice.random() < 0.5)


def _change(choice: random.Random, plan: Any) -> None:
    places = list(_places(plan))
    if not places:
        return
    holder, key = choice.choice(places)
    how = choice.randrange(8)
    if how == 0:
        del holder[key]
    elif how == 1:
        holder[key] = copy.deepcopy(choice.choice(JUNK))
    elif how == 2 and isinstance(holder, dict):
        holder[choice.choice(KEYS)] = copy.deepcopy(choice.choice(JUNK))
    elif how == 3:
        other, name = choice.choice(places)
        holder[key] = copy.deepcopy(other[name])
    elif how == 4:
        holder[key] = [holder[key]] * choice.randrange(3)
    elif how == 5 and isinstance(holder, dict):
        holder[choice.choice(KEYS)] = holder.pop(key)
    else:
        holder[key] = _nudged(choice, holder[key])


def _nudged(choice: random.Random, value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return choice.choice(
            (-value, value * 10, value / 10, value + 1, value - 0.01, round(value, 1), int(value), str(value))
        )
    if isinstance(value, str):
        return choice.choice(
            (value.lower(), value + " ", value[:-1], value * 40, value + choice.choice(ODD[2:10]))
        )
    return value


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every holder and key (or index) of the answer."""
    items = (
        list(node.items())
        if isinstance(node, dict)
        else list(enumerate(node))
        if isinstance(node, list)
        else []
    )
    for key, value in items:
        yield node, key
        yield from _places(value)


def _rewritten(choice: random.Random, text: str) -> str:
    """One to four changes of the text."""
    for _ in range(choice.choice((1, 1, 2, 4))):
        at = choice.randrange(len(text) + 1)
        end = min(len(text), at + choice.choice((1, 1, 2, 5, 30)))
        how = choice.randrange(8)
        if how == 0:
            text = text[:at] + text[end:]
        elif how == 1:
            text = text[:at] + choice.choice(ODD) + text[at:]
        elif how == 2:
            text = text[:at]
        elif how == 3:
            text = text[:end] + text[at:]
        elif how == 4:
            text = text[:at] + choice.choice(LITERALS) + text[end:]
        elif how == 5:
            text = text[:at] + chr(choice.randrange(0x20, 0x7F)) + text[end:]
        elif how == 6:
            text = choice.choice(("```json\n", "\n", "好的：", "[", "\ufeff")) + text
        else:
            text += choice.choice(("\n```", "}", "\n\n", text, "。", ","))
    return text


def _junk(choice: random.Random) -> str:
    how = choice.randrange(4)
    if how == 0:
        return choice.randbytes(choice.randrange(200)).decode("latin-1")
    if how == 1:
        return "".join(choice.choice(ODD + "abc019") for _ in range(choice.randrange(80)))
    if how == 2:
        return choice.choice('[{"') * choice.choice((1, 50, 5000))
    return json.dumps({choice.choice(KEYS): choice.choice(JUNK) for _ in range(choice.randrange(6))})
