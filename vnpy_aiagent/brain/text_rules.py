"""The reader without a model: words that stand in a text, counted. A rule of thumb, not an estimate.

It answers in the schema of the quarantine, from word lists that are part of the program.
"""

import re

from vnpy_aiagent.brain.reading import MAX_SPAN, Certainty, Novelty, Reading, Topic

GOOD = (
    "预增", "扭亏", "超预期", "中标", "回购", "增持", "新高", "签订", "获批", "涨价", "提高分红", "上调",
    "beats", "beat estimates", "raised guidance", "upgrade", "buyback", "record profit", "wins contract",
    "approved", "profit rose", "profit rises", "dividend increase",
)  # fmt: skip
BAD = (
    "预减", "预亏", "亏损", "立案", "处罚", "减持", "质押", "问询", "退市", "违约", "下调", "停产", "诉讼",
    "爆雷", "造假", "下滑", "misses", "missed estimates", "cut guidance", "downgrade", "lawsuit", "fraud",
    "default", "investigation", "profit fell", "profit falls", "recall", "delisting", "penalty",
)  # fmt: skip
RUMOUR = (
    "传闻",
    "据传",
    "网传",
    "或将",
    "疑似",
    "rumour",
    "rumor",
    "reportedly",
    "unconfirmed",
    "may ",
    "might ",
)
OFFICIAL = (
    "公告",
    "年报",
    "季报",
    "证监会",
    "交易所",
    "披露",
    "announced",
    "filing",
    "annual report",
    "disclosed",
)
OLD = ("此前", "早前", "重申", "再次", "回顾", "earlier", "reiterated", "previously", "recap")
TOPICS: tuple[tuple[Topic, tuple[str, ...]], ...] = (
    (
        Topic.EARNINGS,
        ("业绩", "利润", "营收", "亏损", "预增", "预减", "profit", "revenue", "earnings", "guidance"),
    ),
    (Topic.REGULATION, ("证监会", "处罚", "立案", "问询", "investigation", "penalty", "regulator")),
    (Topic.OWNERSHIP, ("减持", "增持", "回购", "质押", "解禁", "buyback", "pledge", "stake")),
    (Topic.BUSINESS, ("中标", "订单", "签订", "产能", "涨价", "contract", "order", "product", "capacity")),
    (Topic.LEGAL, ("诉讼", "仲裁", "造假", "lawsuit", "fraud", "court")),
    (Topic.POLICY, ("央行", "发改委", "国务院", "政策", "policy", "central bank", "ministry")),
)
_SENTENCE = re.compile(r"[^。！？；!?;\n]+[。！？；!?;]?")


def read_by_rules(text: str) -> Reading:
    """Topic by the first list with a hit; stance by hits for less hits against; one sentence as span."""
    low = text.casefold()
    balance = _hits(low, GOOD) - _hits(low, BAD)
    topic = next((topic for topic, words in TOPICS if _hits(low, words)), Topic.OTHER)
    certainty = Certainty.REPORTED
    if _hits(low, RUMOUR):
        certainty = Certainty.RUMOUR
    elif _hits(low, OFFICIAL):
        certainty = Certainty.CONFIRMED
    return Reading(
        topic=topic,
        stance=max(-2, min(2, balance)),
        novelty=Novelty.REPEAT if _hits(low, OLD) else Novelty.NEW,
        certainty=certainty,
        spans=_spans(text),
    )


def _hits(low: str, words: tuple[str, ...]) -> int:
    return sum(word in low for word in words)


def _spans(text: str) -> tuple[str, ...]:
    """The first sentence with a word of the lists, cut to a span's length."""
    for match in _SENTENCE.finditer(text):
        sentence = match[0].strip()
        if sentence and _hits(sentence.casefold(), (*GOOD, *BAD)):
            return (sentence[:MAX_SPAN].strip(),)
    return ()
