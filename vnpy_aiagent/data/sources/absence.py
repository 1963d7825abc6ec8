"""Why a source gave nothing: an absence has a source, a kind and a sentence, and is never a made-up value."""

import re
from collections.abc import Sequence
from enum import Enum, auto

from vnpy_aiagent.domain.text import PLACE, Text
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.i18n import show, translator


class AbsenceKind(Enum):
    """What kept a source from answering."""

    NOT_SET_UP = auto()  # its package, token or gateway is missing here
    NOT_OFFERED = auto()  # it has no such instrument or interval
    NO_ROWS = auto()  # it answered, and has nothing for this request
    UNREACHABLE = auto()  # no connection, or no answer in time
    REFUSED = auto()  # it refused: token, rights, request
    LIMITED = auto()  # it says that it was asked too often
    BAD_DATA = auto()  # its answer has other columns than documented, or an impossible row
    DISCONTINUED = auto()  # it has ended, or no longer publishes this
    THROTTLED = auto()  # our own limit of requests is used up
    RESTING = auto()  # it failed several times and is left alone for a while

    @property
    def is_failure(self) -> bool:
        """Whether it counts against the source's health."""
        return self in _FAILURES


_FAILURES = frozenset(
    {
        AbsenceKind.UNREACHABLE,
        AbsenceKind.REFUSED,
        AbsenceKind.LIMITED,
        AbsenceKind.BAD_DATA,
        AbsenceKind.DISCONTINUED,
    }
)


class SourceError(DataError):
    """Why a download gave nothing; `text` says it in either language."""

    def __init__(self, text: Text) -> None:
        """The exception's own text is the English one, on one line."""
        super().__init__("; ".join(show(text, translator("en")).split("\n")).replace(":; ", ": "))
        self.text = text


class SourceAbsence(SourceError):
    """One source has no answer to one request."""

    def __init__(self, source: str, kind: AbsenceKind, text: Text) -> None:
        """`source`: its name in the settings."""
        super().__init__(text)
        self.source = source
        self.kind = kind

    def __reduce__(self) -> tuple[type["SourceAbsence"], tuple[str, AbsenceKind, Text]]:
        """Rebuild through the constructor: absences come from other processes too."""
        return SourceAbsence, (self.source, self.kind, self.text)


def lines(texts: Sequence[Text]) -> Text:
    """Several sentences as one text of as many lines; each is still translated by itself.

    A place carries its line's number, which `i18n.show` knows: {symbol} of the third line is {symbol_2}.
    """
    templates: list[str] = []
    figures: dict[str, str] = {}
    for text in texts:
        for line in text.template.split("\n"):
            number = len(templates)
            own = {name: value for name, value in text.figures.items() if f"{{{name}}}" in line}
            bare = {name: re.sub(r"_\d+$", "", name) for name in own}
            figures |= {f"{bare[name]}_{number}": value for name, value in own.items()}
            templates.append(
                PLACE.sub(
                    lambda place, bare=bare, number=number: (  # type: ignore[misc]
                        f"{{{bare[place[1]]}_{number}}}" if place[1] in bare else place[0]
                    ),
                    line,
                )
            )
    return Text(template="\n".join(templates), figures=figures)
