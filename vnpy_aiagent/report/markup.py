"""HTML from parts, escaped by construction: only Markup passes as it is, every other text is escaped."""

from html import escape


class Markup(str):
    """Text that is HTML already. Made here, never from data."""

    __slots__ = ()


def tag(name: str, *children: object, **attributes: str) -> Markup:
    """An element. `class_` is the class; other underscores become hyphens; values are escaped."""
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items()
    )
    return Markup(f"<{name}{named}>{join(children)}</{name}>")


def join(children: object) -> Markup:
    """Children one after the other: Markup as it is, sequences flattened, everything else escaped."""
    if isinstance(children, Markup):
        return children
    if isinstance(children, list | tuple):
        return Markup("".join(join(child) for child in children))
    return Markup(escape(str(children), quote=False))


def lines(text: str) -> Markup:
    """Text with its line breaks."""
    return Markup("<br>".join(escape(line, quote=False) for line in text.split("\n")))


def table(header: list[str], rows: list[list[object]], numeric_from: int = 1) -> Markup:
    """A table in a container of its own that scrolls; columns from `numeric_from` on are right-aligned."""

    def cell(kind: str, column: int, value: object) -> Markup:
        return tag(kind, value, class_="number") if column >= numeric_from else tag(kind, value)

    head = tag("tr", [cell("th", column, name) for column, name in enumerate(header)])
    body = [tag("tr", [cell("td", column, value) for column, value in enumerate(row)]) for row in rows]
    return tag("div", tag("table", tag("thead", head), tag("tbody", body)), class_="scroll", tabindex="0")


def details(summary: object, *content: object, **attributes: str) -> Markup:
    """A part that opens on a click."""
    return tag("details", tag("summary", summary), *content, **attributes)
