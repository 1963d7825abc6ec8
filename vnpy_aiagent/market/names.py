"""What the short name of a share says: special treatment, and the first days after listing.

Names come from a dated history. The prefixes N (first day), C (second to fifth day), U, XD, XR and DR are
marks of the day and not part of the name.
"""

import re
import unicodedata
from dataclasses import dataclass

_MARK = re.compile(r"(XD|XR|DR|N|C|U)(?=[\u4e00-\u9fff*]|S?\*?ST(?:[\s\u4e00-\u9fff]|$))")
_SPECIAL = re.compile(r"S?(?:\*ST|ST(?=[\s\u4e00-\u9fff]|$))")


@dataclass(frozen=True, slots=True)
class NameFacts:
    """Facts read from a short name. `listing_day` is 0 for N, 1 for C (a lower bound), else None."""

    special_treatment: bool
    listing_day: int | None


def name_facts(name: str) -> NameFacts:
    """Read a short name; full-width letters and spaces count as ordinary ones."""
    rest = unicodedata.normalize("NFKC", name).strip()
    listing_day: int | None = None
    while (mark := _MARK.match(rest)) is not None:
        if mark[1] in ("N", "C"):
            listing_day = 0 if mark[1] == "N" else 1
        rest = rest[mark.end() :].lstrip()
    return NameFacts(_SPECIAL.match(rest) is not None, listing_day)
