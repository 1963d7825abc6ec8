"""The independent validator: whether a plan is grounded and sound, and the exact prices that it names.

Written from the design (§4, PriceRef), issue 5 and the prompts. It imports nothing of the product, so that a
mistake there is not repeated here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from answer_shape import Wrong, read_finding, read_plan
from exact_numbers import exact, on_tick

PERCENT_BOUND, LEVEL_BOUND, ATR_BOUND = 30, 5, 10
OPENING = ("BUY", "ADD")
HELD_ACTIONS = ("ADD", "REDUCE", "CLOSE", "HOLD", "ADJUST")
SWING_STOP, SWING_TARGET, SWING_SESSIONS, MOST_TRIGGERS = -8.0, 15.0, 10, 6
MARKET_TOOLS = ("get_quote", "get_bars", "get_indicators")
PRICE_NAMES = (
    "last", "open", "high", "low", "close", "prev_close", "limit_up", "limit_down", "sma5", "sma20", "sma60",
    "boll_upper", "boll_middle", "boll_lower", "high20", "low20",
)  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What is true at the moment of the answer. Prices in CNY; None where there is none.

    `weight` is what the account holds of its equity; None where it holds nothing. `asked` are the questions
    of the debate until then; `decides` is False for a speaker whose plan need not rest on evidence.
    """

    symbol: str
    at: datetime
    tick: Fraction
    last: Fraction | None
    prev_close: Fraction | None
    limit_up: Fraction | None
    limit_down: Fraction | None
    atr: Fraction | None
    weight: Fraction | None
    asked: tuple[str, ...] = ()
    decides: bool = True


@dataclass(frozen=True)
class Source:
    """One tool result that the plan may cite: its tool, when it became available, and its data."""

    tool: str
    available_at: datetime | None
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Judgement:
    """Valid with exact prices and the number of questions, or wrong by a word of WORDS and a sentence."""

    valid: bool
    word: str = ""
    sentence: str = ""
    action: str = ""
    weight: Fraction = Fraction(0)
    entry: Fraction | None = None
    stop: Fraction | None = None
    target: Fraction | None = None
    triggers: tuple[tuple[str, Fraction | int], ...] = ()
    asks: int = 0


def judge_plan(text: str, facts: Facts, sources: Mapping[str, Source]) -> Judgement:
    """Whether the text is a plan that may be proposed."""
    try:
        return _judged(read_plan(text), facts, sources)
    except Wrong as wrong:
        return Judgement(False, wrong.word, str(wrong))


def judge_finding(text: str, sources: Mapping[str, Source], at: datetime) -> tuple[str, dict[str, Any]]:
    """What is wrong with a finding (empty: nothing), and the finding."""
    try:
        found = read_finding(text)
        _check_cited(found["evidence"], sources, at)
    except Wrong as wrong:
        return wrong.word, {}
    return "", found


def _judged(plan: dict[str, Any], facts: Facts, sources: Mapping[str, Source]) -> Judgement:
    if plan["symbol"] != facts.symbol:
        raise Wrong("symbol", plan["symbol"])
    for part in (plan["argument"], *plan["reasons"], *plan["questions"], *plan["replies"]):
        _check_cited(part["evidence"], sources, facts.at)
    _take_defaults(plan)
    _check_action(plan, facts)
    entry = _price(plan["entry"], facts, sources, facts.last)
    _check_needs(plan, facts)
    if entry is not None and (
        (facts.limit_up is not None and entry > facts.limit_up)
        or (facts.limit_down is not None and entry < facts.limit_down)
    ):
        raise Wrong("band", f"{float(entry)}")
    base = facts.last if entry is None else entry
    stop = _price(plan["stop"], facts, sources, base)
    target = _price(plan["target"], facts, sources, base)
    if stop is not None and any(known is not None and stop >= known for known in (base, facts.last)):
        raise Wrong("side", "the stop is not below")
    if target is not None and base is not None and target <= base:
        raise Wrong("side", "the target is not above")
    triggers = tuple(_trigger(each, facts, sources, base) for each in plan["triggers"])
    rests = any(part["evidence"] for part in (plan["argument"], *plan["reasons"]))
    if facts.decides and plan["action"] != "HOLD" and not rests:
        raise Wrong("citation", "rests on nothing")
    if not {each["question"] for each in plan["replies"]} <= set(facts.asked):
        raise Wrong("reply", "nobody asked")
    weight = exact(plan["target_weight"])
    asks = len(plan["questions"])
    return Judgement(True, "", "", plan["action"], weight, entry, stop, target, triggers, asks)


def _take_defaults(plan: dict[str, Any]) -> None:
    """What an entry leaves out: stop 8 % below, target 15 % above, a look after the horizon of two weeks."""
    sessions = plan["horizon_sessions"] or SWING_SESSIONS
    if plan["action"] not in OPENING:
        return
    plain = {"basis": "ENTRY", "evidence": None, "level": None}
    plan["stop"] = plan["stop"] or {**plain, "offset": SWING_STOP}
    plan["target"] = plan["target"] or {**plain, "offset": SWING_TARGET}
    timed = any(each["trigger"] == "TIME_AT" for each in plan["triggers"])
    if not timed and len(plan["triggers"]) < MOST_TRIGGERS:
        plan["triggers"] = [*plan["triggers"], {"trigger": "TIME_AT", "price": None, "sessions": sessions}]


def _check_action(plan: dict[str, Any], facts: Facts) -> None:
    allowed: Sequence[str] = ("BUY", "HOLD") if facts.weight is None else HELD_ACTIONS
    action = plan["action"]
    if action not in allowed:
        raise Wrong("action", f"{action} with {facts.weight}")
    if action in OPENING and plan["stance"] == "BEARISH":
        raise Wrong("contradiction", "buys what it expects to fall")
    if action == "CLOSE" and plan["target_weight"] > 0:
        raise Wrong("contradiction", "closes and keeps a weight")


def _check_needs(plan: dict[str, Any], facts: Facts) -> None:
    action, weight, held = plan["action"], exact(plan["target_weight"]), facts.weight
    if action in OPENING and plan["entry"] is None:
        raise Wrong("missing", "entry")
    if action in OPENING and weight <= (held or 0):
        raise Wrong("weight", "nothing to buy")
    if action == "REDUCE" and held is not None and not 0 < weight < held:
        raise Wrong("weight", "no part of what is held")
    if action == "ADJUST" and plan["stop"] is None and not plan["triggers"]:
        raise Wrong("missing", "nothing to adjust")


def _trigger(
    trigger: dict[str, Any], facts: Facts, sources: Mapping[str, Source], base: Fraction | None
) -> tuple[str, Fraction | int]:
    kind, sessions = trigger["trigger"], trigger["sessions"]
    if kind == "TIME_AT":
        if sessions is None or trigger["price"] is not None:
            raise Wrong("trigger", "a time needs sessions and no price")
        return kind, int(sessions)
    price = _price(trigger["price"], facts, sources, base)
    if price is None or sessions is not None:
        raise Wrong("trigger", "a price trigger needs a price and no sessions")
    last = facts.last
    if last is not None and ((kind == "PRICE_AT_OR_ABOVE") == (price <= last) or price == last):
        raise Wrong("side", "the trigger holds already")
    return kind, price


def _price(
    price: dict[str, Any] | None, facts: Facts, sources: Mapping[str, Source], entry: Fraction | None
) -> Fraction | None:
    if price is None:
        return None
    basis, offset = price["basis"], exact(price["offset"])
    if price["evidence"] is not None:
        _check_cited([price["evidence"]], sources, facts.at)
    if basis == "LEVEL":
        start = _level(price, facts, sources)
    elif price["level"] is not None:
        raise Wrong("basis", "a number beside a basis that takes none")
    else:
        start = _base(basis, facts, entry)
    raw = _moved(basis, start, offset, facts)
    found = on_tick(raw, facts.tick)
    if found <= 0 or found / facts.tick >= 10**28:
        raise Wrong("offset", "no price of a sensible size")
    return found


def _base(basis: str, facts: Facts, entry: Fraction | None) -> Fraction:
    known = {
        "LAST": facts.last,
        "PREV_CLOSE": facts.prev_close,
        "ENTRY": entry,
        "ATR": entry,
        "BAND": facts.limit_down,
    }[basis]
    if (
        known is None
        or (basis == "ATR" and facts.atr is None)
        or (basis == "BAND" and facts.limit_up is None)
    ):
        raise Wrong("basis", f"{basis} is not known")
    return known


def _moved(basis: str, start: Fraction, offset: Fraction, facts: Facts) -> Fraction:
    low, high = {
        "ATR": (-ATR_BOUND, ATR_BOUND),
        "BAND": (0, 1),
        "LEVEL": (-LEVEL_BOUND, LEVEL_BOUND),
    }.get(basis, (-PERCENT_BOUND, PERCENT_BOUND))
    if not low <= offset <= high:
        raise Wrong("offset", f"{basis} {float(offset)}")
    if basis == "ATR":
        return start + offset * (facts.atr or 0)
    if basis == "BAND":
        return start + offset * ((facts.limit_up or 0) - start)
    return start * (1 + offset / 100)


def _level(price: dict[str, Any], facts: Facts, sources: Mapping[str, Source]) -> Fraction:
    if price["level"] is None or price["evidence"] is None:
        raise Wrong("level", "half a level")
    source = sources[price["evidence"]]
    level = exact(price["level"])
    if source.available_at is None or source.data.get("symbol") != facts.symbol:
        raise Wrong("level", "no market data of this symbol")
    if source.tool not in MARKET_TOOLS or level not in market_prices(source.data):
        raise Wrong("level", f"{float(level)} does not stand there")
    return level


def market_prices(data: Mapping[str, Any]) -> set[Fraction]:
    """Every price in a market tool's result: under a price's name, and in a table's price columns."""
    found = {data[name] for name in PRICE_NAMES if name in data}
    columns = data.get("columns", [])
    for row in data.get("rows", []):
        found |= {value for name, value in zip(columns, row, strict=False) if name in PRICE_NAMES}
    return {exact(value) for value in found if type(value) in (int, float)}


def _check_cited(names: Sequence[str], sources: Mapping[str, Source], at: datetime) -> None:
    for name in names:
        source = sources.get(name)
        if source is None or (source.available_at is not None and source.available_at > at):
            raise Wrong("citation", name)
