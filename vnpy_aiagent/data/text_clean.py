"""A text from outside made plain: what nobody sees is gone, what looks alike is alike, no markup, bounded.

Cleaning takes the means of hiding away; it does not try to tell an instruction from a report, which the
closed schema of the quarantine makes unnecessary.
"""

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vnpy_aiagent.data.facts import MAX_BODY, MAX_TITLE, TextFact
from vnpy_aiagent.data.lookalikes import BLANKS, FOLDED
from vnpy_aiagent.domain import without_surrogates

MAX_CHARS = 2_000
RAW_CHARS = MAX_TITLE + MAX_BODY + 1
SHINGLE = 6
SAME_SHARE = 0.6
"""From this share of the shorter text's shingles on, two texts are copies of one another."""

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
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n[\s]*")
_WITHOUT_PUNCTUATION = re.compile("[^，：；！？（）～…％＋－＝]+")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me"})
_LETTERS = re.compile(r"[\W_]+")


def clean_text(text: str, limit: int = MAX_CHARS) -> str:
    """The plain text, at most `limit` characters. Cleaning it once more changes nothing."""
    plain = without_surrogates(text[:RAW_CHARS])
    for _ in range(_ROUNDS):
        before, plain = plain, _tidy(_LEFT.sub(" ", _once(plain)))
        if plain == before or not _MARKED.search(plain):
            break
    else:  # layers upon layers: nobody writes so who wants to be read
        plain = _tidy(_MARKED.sub(" ", plain))
    return plain[:limit].rstrip()


def _once(text: str) -> str:
    """One round: entities, characters, markup. Taking one layer away may show another below it."""
    text = _shown(html.unescape(text))
    for pattern in (_COMMENT, _HIDDEN, _TOKEN, _TAG):
        text = pattern.sub(" ", text)
    return _LINK.sub(r"\1", text)


class _Seen(dict[int, str | None]):
    """What becomes of each character: gone, folded, or kept; worked out once a character."""

    def __missing__(self, code: int) -> str | None:
        char = chr(code)
        unseen = char in BLANKS or unicodedata.category(char) in _UNSEEN
        kept = None if unseen and char != "\n" else FOLDED.get(code, char)
        self[code] = kept
        return kept


_SEEN = _Seen()


def _shown(text: str) -> str:
    """NFKC, no invisible or combining characters, look-alikes folded to the letters that they look like.

    Letters are taken apart once, so that their marks go alone. Full-width Chinese punctuation stays.
    """
    text = text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n").replace("\t", " ")
    apart = _normal("NFKD", text.translate(_SEEN)).translate(_SEEN)
    return _normal("NFKC", apart)


def _normal(form: Literal["NFKC", "NFKD"], text: str) -> str:
    return _WITHOUT_PUNCTUATION.sub(lambda run: unicodedata.normalize(form, run[0]), text)


def _tidy(text: str) -> str:
    return _LINES.sub("\n", _SPACES.sub(" ", text)).strip()


def shingles(text: str) -> frozenset[str]:
    """All runs of letters and digits of a fixed length, without spaces, case and punctuation."""
    plain = _LETTERS.sub("", text.casefold())
    if len(plain) <= SHINGLE:
        return frozenset({plain})
    return frozenset(plain[i : i + SHINGLE] for i in range(len(plain) - SHINGLE + 1))


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
    """Texts cleaned and without copies, the newest first. Texts of which nothing is left are dropped."""
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
