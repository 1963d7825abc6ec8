"""The chain of causes behind an entry, and what followed from it, as lines of text."""

from collections.abc import Iterator

from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.i18n import Language, Localizer
from vnpy_aiagent.report.describe import describe
from vnpy_aiagent.report.numbers import moment
from vnpy_aiagent.report.read import message_of
from vnpy_aiagent.store.chain import Entry
from vnpy_aiagent.store.journal import JournalReader


def chain_lines(reader: JournalReader, entry_id: str, language: Language = "zh") -> list[str]:
    """What led to an entry, oldest first, then the entry, then what it directly caused, indented.

    Raises JournalError where the journal holds no such entry.
    """
    chain = reader.chain(entry_id)
    if not chain:
        raise JournalError(
            f"the journal holds no entry {entry_id!r}; check the id with 'aiagent journal show'"
        )
    say = Localizer(language)
    lines = [line for entry in chain for line in _lines(entry, say, "")]
    for child in reader.children(entry_id):
        lines += _lines(child, say, "    ")
    return lines


def entry_line(entry: Entry, language: Language = "zh") -> str:
    """One entry as a line: when, its id, account, kind, what it says, and the id of its cause."""
    line = describe(message_of(entry), Localizer(language))
    place = f"{moment(line.at)} {line.id} {line.account or '-'} {entry.kind}"
    return f"{place} {line.label}: {line.text} <- {entry.cause or '-'}"


def _lines(entry: Entry, say: Localizer, indent: str) -> Iterator[str]:
    line = describe(message_of(entry), say)
    account = f" {line.account}" if line.account else ""
    yield f"{indent}{moment(line.at)} {line.id}{account} {line.label}: {line.text}"
    for detail in line.details:
        for part in detail.split("\n"):
            yield f"{indent}    {part}"
