"""`aiagent journal verify | show` and `aiagent why-not`: what happened, and why something did not."""

import json
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from vnpy_aiagent.cli.common import (
    CHECK_FAILED,
    ConfigOption,
    JournalOption,
    JsonOption,
    parse_day,
    print_json,
    print_line,
    quiet_vnpy,
    user_settings,
)
from vnpy_aiagent.config import load_settings
from vnpy_aiagent.domain.message import MESSAGE_TYPES
from vnpy_aiagent.errors import ConfigError, DataError
from vnpy_aiagent.i18n import Language, Localizer
from vnpy_aiagent.store.database import is_postgres
from vnpy_aiagent.store.journal import JournalReader, verify

journal_app = typer.Typer(
    help="The journal: integrity, and what it says. Example: aiagent journal verify aiagent-demo/journal.db",
    no_args_is_help=True,
    rich_markup_mode=None,
)
PathArgument = Annotated[
    str, typer.Argument(help="Journal file or postgresql:// address; default: that of the settings.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(journal_app, name="journal")
    app.command("why-not")(why_not)


@journal_app.command("verify")
def verify_(
    path: PathArgument = "",
    head: Annotated[str | None, typer.Option(help="Head noted elsewhere; finds a cut-off tail.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check the hash chain: finds changed, missing and reordered rows. Exit 1 if the journal is broken.

    Example: aiagent journal verify aiagent-demo/journal.db
    """
    target, language = _place(path)
    found = verify(target, expected_head=head)
    tell = Localizer(language)
    facts = {
        "ok": found.ok,
        "entries": found.entries,
        "head": found.head,
        "first_bad": found.first_bad,
        "reason": found.reason,
    }
    if as_json:
        print_json(facts)
    elif found.ok:
        print_line(tell("完好：{entries} 条记录，末尾哈希 {head}", entries=found.entries, head=found.head))
    else:
        print_line(tell("从第 {row} 条起已损坏：{reason}", row=found.first_bad or 0, reason=found.reason))
    if not found.ok:
        raise typer.Exit(CHECK_FAILED)


@journal_app.command("show")
def show_(
    path: PathArgument = "",
    cause: Annotated[str, typer.Option(help="Id of an entry: show the chain that led to it.")] = "",
    kind: Annotated[str, typer.Option(help="Only entries of this kind, for example Fill.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many entries, from the end.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show entries, or with --cause the chain behind one of them.

    Example: aiagent journal show aiagent-demo/journal.db --kind Fill
    """
    from vnpy_aiagent.report import chain_lines, entry_line

    if kind and kind not in MESSAGE_TYPES:
        raise ConfigError(f"--kind {kind!r} is unknown; use one of {', '.join(sorted(MESSAGE_TYPES))}")
    lines: list[str] = []
    target, language = _place(path)
    reader = JournalReader.open(target)
    try:
        if cause:
            entries = reader.chain(cause)
            if not entries:
                raise DataError(
                    f"the journal holds no entry {cause}; find ids with `aiagent journal show {path}`"
                )
            lines = [] if as_json else chain_lines(reader, cause, language)
        else:
            entries = list(deque(reader.read(kinds=(kind,) if kind else None), maxlen=limit))
            lines = [] if as_json else [entry_line(entry, language) for entry in entries]
    finally:
        reader.close()
    if as_json:
        print_json({"entries": [_entry(entry) for entry in entries]})
    for line in lines if not as_json else ():
        print_line(line)


def why_not(
    symbol: Annotated[str, typer.Argument(help="Symbol; all when left out.")] = "",
    day: Annotated[
        str | None, typer.Option(help="Trading day, YYYY-MM-DD; default: the last in the journal.")
    ] = None,
    config: ConfigOption = None,
    journal: JournalOption = "",
    as_json: JsonOption = False,
) -> None:
    """The funnel of a day: scanned, analysed, proposed, rejected by which rule, filled.

    Example: aiagent why-not 600519.SSE --day 2025-09-30 --journal aiagent-demo/journal.db
    """
    from vnpy_aiagent.cli.funnel import funnel_facts, funnel_lines, last_day
    from vnpy_aiagent.data import parse_symbol
    from vnpy_aiagent.report import read_journal
    from vnpy_aiagent.report import why_not as funnel_of

    wanted, about = parse_day(day, "--day"), parse_symbol(symbol) if symbol else None
    target, language = _place(journal, config)
    record = read_journal(target)
    found = funnel_of(record, wanted or last_day(record), about)
    if as_json:
        print_json(funnel_facts(found, language))
        return
    for line in funnel_lines(found, language):
        print_line(line)


def _place(path: str, config: Path | None = None) -> tuple[str, Language]:
    """The journal that is meant, by default that of the settings, and the language of what is printed."""
    if path:
        return _target(path), load_settings().display_language
    quiet_vnpy()
    from vnpy_aiagent.wiring import journal_target

    settings = user_settings(config)
    return journal_target(settings), settings.display_language


def _target(path: str) -> str:
    return path if is_postgres(path) else str(Path(path).expanduser().absolute())


def _entry(entry: Any) -> dict[str, Any]:
    facts = asdict(entry)
    facts["body"] = json.loads(entry.body)
    return facts
