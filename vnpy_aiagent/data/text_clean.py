"""A text from outside made plain: what nobody sees is gone, what looks alike is alike, no markup, bounded.

Cleaning takes the means of hiding away; it does not try to tell an instruction from a report, which the
closed schema of the quarantine makes unnecessary.
"""

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from vnpy_aiagent.data.facts import MAX_BODY, MAX_TITLE, TextFact
from vnpy_aiagent.data.lookalikes import BLANKS, FOLDED
from vnpy_aiagent.domain import without_surrogates

MAX_CHARS = 2_000
RAW_CHARS = MAX_TITLE + MAX_BODY + 1
SHINGLE = 6
SAME_SHARE = 0.6
"""From this share of the shorter text's shingles on, two texts are copies of one another."""
KNOWN_TEXTS, KNOWN_LISTS = 512, 64

_ROUNDS = 8
_MARKED = re.compile(r"[&\[]")
_HIDDEN = re.compile(
    r"<(script|style|template|noscript)\b[^>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[|\]\]>", re.DOTALL)
_TOKEN = re.compile(r"<\|[^<>|]{0,40}\|>|\[/?INST\]|<</?SYS>>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z!?][^<>]{0,2000}>")
_LINK = re.compile(r"!?\[([^\[\]]{0,500})\]\([^()\s]{0,500}(?:\s+\"[^\"]{0,200}\")?\)")
_LEFT = re.compile(r"[<>`|\\#]|[*_~]{2,}")
_MARKS = "<>`|\\#*_~"
_PUNCTUATION = "，：；！？（）～…％＋－＝"
_WITHOUT_PUNCTUATION = re.compile(f"[^{_PUNCTUATION}]+")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me"})
_LETTERS = re.compile(r"[\W_]+")


@lru_cache(maxsize=KNOWN_TEXTS)
def clean_text(text: str, limit: int = MAX_CHARS) -> str:
    """The plain text, at most `limit` characters. Cleaning it once more changes nothing.

    The latest texts are remembered: the same ones come back with every decision of their days.
    """
    plain = without_surrogates(text[:RAW_CHARS])
    for _ in range(_ROUNDS):
        before, plain = plain, _tidy(_unmarked(_once(plain)))
        if plain == before or not _MARKED.search(plain):
            break
    else:  # layers upon layers: nobody writes so who wants to be read
        plain = _tidy(_MARKED.sub(" ", plain))
    return plain[:limit].rstrip()


def _once(text: str) -> str:
    """One round: entities, characters, markup. Taking one layer away may show another below it."""
    text = _shown(html.unescape(text))
    if "<" in text or "[" in text or "]]>" in text:  # where none of these patterns begins, none is tried
        for pattern in (_COMMENT, _HIDDEN, _TOKEN, _TAG):
            text = pattern.sub(" ", text)
    return _LINK.sub(r"\1", text) if "[" in text else text


def _unmarked(text: str) -> str:
    return _LEFT.sub(" ", text) if any(mark in text for mark in _MARKS) else text


class _Seen(dict[int, str | None]):
    """What becomes of each character: gone, folded, or kept; worked out once a character."""

    def __init__(self) -> None:
        super().__init__()
        self.plain: set[str] = set()

    def __missing__(self, code: int) -> str | None:
        char = chr(code)
        unseen = char in BLANKS or unicodedata.category(char) in _UNSEEN
        kept = None if unseen and char != "\n" else FOLDED.get(code, char)
        self[code] = kept
        if kept == char:
            self.plain.add(char)
        return kept

    def apply(self, text: str) -> str:
        """Each character replaced; a text whose characters all stay is found by its alphabet alone."""
        strange = set(text) - self.plain
        if all(self[ord(char)] == char for char in strange):
            return text
        return text.translate(self)


_SEEN = _Seen()


def _shown(text: str) -> str:
    """NFKC, no invisible or combining characters, look-alikes folded to the letters that they look like.

    Letters are taken apart once, so that their marks go alone. Full-width Chinese punctuation stays.
    """
    text = text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    for blank in "\t\xa0\u3000":
        text = text.replace(blank, " ")
    seen = _SEEN.apply(text)
    apart = _normal("NFKD", seen)
    return _normal("NFKC", apart if apart == seen else _SEEN.apply(apart))


def _normal(form: Literal["NFKC", "NFKD"], text: str) -> str:
    """Each run between full-width punctuation normalised; parts of a normalised text are normalised."""
    bare = text
    for mark in _PUNCTUATION:
        bare = bare.replace(mark, "")
    if unicodedata.is_normalized(form, bare):
        return text
    return _WITHOUT_PUNCTUATION.sub(lambda run: unicodedata.normalize(form, run[0]), text)


def _tidy(text: str) -> str:
    """One blank at most between words, no empty lines."""
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def shingles(text: str) -> frozenset[str]:
    """All runs of letters and digits of a fixed length, without spaces, case and punctuation."""
    plain = _LETTERS.sub("", text.casefold())
    if len(plain) <= SHINGLE:
        return frozenset({plain})
    return frozenset({plain[i : i + SHINGLE] for i in range(len(plain) - SHINGLE + 1)})


@dataclass(frozen=True, slots=True)
class Document:
    """One cleaned text, its copies merged into it: `facts` are all of them, the earliest first."""

    text: str
    facts: tuple[TextFact, ...]

    @property
    def source(self) -> str:
        """Who had it first; it alone counts."""
        return self.facts[0].source


def documents(facts: Sequence[TextFact]) -> tuple[Document, ...]:
    """Texts cleaned and without copies, the newest first. Texts of which nothing is left are dropped.

    What came of the latest lists of texts is remembered.
    """
    return _documents(tuple(facts))


@lru_cache(maxsize=KNOWN_LISTS)
def _documents(facts: tuple[TextFact, ...]) -> tuple[Document, ...]:
    merged: list[tuple[str, frozenset[str], list[TextFact]]] = []
    for fact in sorted(facts, key=lambda each: (each.available_at, each.id)):
        text = clean_text(f"{fact.title}\n{fact.body}")
        if not text:
            continue
        marks = shingles(text)
        same = next((held for held in merged if _copies(marks, held[1])), None)
        if same is not None:
            same[2].append(fact)
        else:
            merged.append((text, marks, [fact]))
    return tuple(Document(text, tuple(found)) for text, _, found in reversed(merged))


def _copies(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= SAME_SHARE * min(len(one), len(other))
