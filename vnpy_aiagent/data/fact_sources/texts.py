"""Texts from outside as facts: as they came but for their length, their source's name as one word."""

import re
from datetime import datetime

from vnpy_aiagent.data.facts import MAX_BODY, MAX_TITLE, TextFact, TextKind
from vnpy_aiagent.domain import without_surrogates

_NO_WORD = re.compile(r"[^\w.\-]+")
MAX_SOURCE = 40


def text(
    subject: str, kind: TextKind, title: str, body: str, known: datetime, source: str
) -> TextFact | None:
    """A text; None where there is nothing in it."""
    title, body = (without_surrogates(words).strip() for words in (title, body))
    if not (title or body):
        return None
    return TextFact(
        vt_symbol=subject,
        source=source_name(source),
        available_at=known,
        text_kind=kind,
        title=title[:MAX_TITLE],
        body=body[:MAX_BODY],
    )


def source_name(name: str) -> str:
    """A source's name as facts take it: letters, digits, `_`, `-`, `.`."""
    return _NO_WORD.sub("_", without_surrogates(name).strip())[:MAX_SOURCE] or "unknown"
