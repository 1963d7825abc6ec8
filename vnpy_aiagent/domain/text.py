"""Sentences for people, stored language-neutral: a Chinese template and its figures.

The template is the gettext key, as in vnpy; a view translates it and fills in the figures. Free text from a
model is a template without figures.
"""

import re
from collections.abc import Callable, Mapping

from pydantic import BaseModel, ConfigDict

PLACE = re.compile(r"\{([^{}]+)\}")


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


def _fill(template: str, figures: Mapping[str, str]) -> str:
    """Replace `{name}` by its figure; braces that name no figure stay as they are, in figures too."""
    return PLACE.sub(lambda place: figures.get(place[1], place[0]), template)
