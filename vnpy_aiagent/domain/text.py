"""Sentences for people, stored language-neutral: a Chinese template and its figures.

The template is the gettext key, as in vnpy; a view translates it and fills in the figures. Free text from a
model is a template without figures.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping

from pydantic import BaseModel, ConfigDict

PLACE = re.compile(r"\{([^{}]+)\}")
REPLACEMENT = "\ufffd"
_WITHOUT_CHINESE_PUNCTUATION = re.compile("[^，：；！？（）～…％＋－＝]+")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class Text(BaseModel):
    """A template with `{name}` places, and the figures for them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    template: str
    figures: dict[str, str] = {}

    def render(self, translate: Callable[[str], str] | None = None) -> str:
        """The sentence, in Chinese or as `translate` gives the template."""
        template = translate(self.template) if translate else self.template
        return _fill(template, self.figures)

    def __str__(self) -> str:
        """The sentence in Chinese."""
        return self.render()


def say(template: str, **figures: object) -> Text:
    """Text from a template and figures, which are stored as they print."""
    return Text(template=template, figures={name: str(value) for name, value in figures.items()})


def clean(text: str, limit: int | None = None) -> str:
    """Text of a model or server for messages: NFKC, without characters that nobody sees or that turn lines.

    Control, bidi, zero-width, private and unassigned characters go, lone surrogates too; line breaks stay.
    Full-width punctuation is kept, which NFKC alone would turn into ASCII. `limit` cuts with an ellipsis.
    """
    text = text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n").replace("\t", " ")
    kept = "".join(c for c in text if c == "\n" or unicodedata.category(c) not in _UNSEEN)
    seen = _WITHOUT_CHINESE_PUNCTUATION.sub(lambda run: unicodedata.normalize("NFKC", run[0]), kept)
    return seen if limit is None or len(seen) <= limit else seen[: limit - 1] + "…"


def without_surrogates(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, which no encoder and no database takes."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def typed(text: str) -> str:
    """Text that a person typed, for messages: as `clean`, with U+FFFD for bytes that were no text."""
    return clean(without_surrogates(text))


def _fill(template: str, figures: Mapping[str, str]) -> str:
    """Replace `{name}` by its figure; braces that name no figure stay as they are, in figures too."""
    return PLACE.sub(lambda place: figures.get(place[1], place[0]), template)
