"""`aiagent facts import | show`: reported values, events and texts into the app's folder."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn

from vnpy_aiagent.cli.common import (
    CHECK_FAILED,
    ConfigOption,
    JsonOption,
    absolute,
    err_console,
    print_json,
    print_line,
    quiet_vnpy,
    user_settings,
)
from vnpy_aiagent.domain import LiveClock
from vnpy_aiagent.errors import ConfigError, DataError

if TYPE_CHECKING:
    from vnpy_aiagent.data.facts_file import ReadFacts
    from vnpy_aiagent.data.facts_store import Stored

facts_app = typer.Typer(
    help="Reported values, events and texts. Example: aiagent facts import facts.csv",
    no_args_is_help=True,
    rich_markup_mode=None,
)
MAX_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(facts_app, name="facts")


@facts_app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="CSV, or JSON (an array, or one object a line).")],
    as_json: JsonOption = False,
) -> None:
    """Import facts; bad rows are refused by line number and the good ones kept. Exit 1 if any was refused.

    Example: aiagent facts import facts.csv
    """
    path = absolute(source)
    if not path.is_file():
        raise DataError(f"{source} is no file; give a CSV or JSON file, see docs/facts.md")
    quiet_vnpy()
    from vnpy_aiagent.data.facts_file import read_facts

    read = read_facts(path, LiveClock().now())
    if not read.facts and not read.refused:
        raise DataError(f"{read.name} holds no facts; see docs/facts.md for its columns")
    stored = _store(read)
    refused = sorted((*read.refused, *stored.refused))
    report = {
        "source": read.name,
        "rows": len(read.facts) + len(read.refused),
        "imported": stored.new,
        "known": stored.known,
        "refused": [{"line": line, "reason": reason} for line, reason in refused],
    }
    _say(report, refused, as_json=as_json)
    if refused:
        raise typer.Exit(CHECK_FAILED)


@facts_app.command("show")
def show_(
    symbol: Annotated[str, typer.Argument(help="600519.SSE, A.MARKET or 801780.SWS.")],
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="As known then: YYYY-MM-DD HH:MM; default: now.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a decision would know of a symbol at a moment; texts by title, cleaned.

    Example: aiagent facts show 600519.SSE --as-of "2025-04-30 09:35"
    """
    quiet_vnpy()
    from vnpy_aiagent.data.facts import ABSENCE_REASONS, MARKET_SUBJECT
    from vnpy_aiagent.data.facts_file import parse_subject
    from vnpy_aiagent.data.facts_store import FILE_NAME, FactReader
    from vnpy_aiagent.data.text_clean import clean_text
    from vnpy_aiagent.wiring import app_folder

    moment = _moment(as_of)
    vt_symbol = parse_subject(symbol)
    reader = FactReader(app_folder() / FILE_NAME, user_settings(config).brain.text_days)
    view = reader.view(vt_symbol, moment)
    texts = [
        {
            "id": fact.id,
            "text_kind": fact.text_kind,
            "title": clean_text(fact.title or fact.body, 80),
            "source": fact.source,
            "available_at": fact.available_at.isoformat(),
        }
        for fact in view.texts
    ]
    report = {
        "vt_symbol": vt_symbol,
        "as_of": moment.isoformat(),
        "values": [{"id": fact.id, **fact.model_dump(mode="json")} for fact in view.values],
        "events": [{"id": fact.id, **fact.model_dump(mode="json")} for fact in view.events],
        "texts": texts,
        "market": [{"id": fact.id, **fact.model_dump(mode="json")} for fact in view.market],
        "industry": [{"id": fact.id, **fact.model_dump(mode="json")} for fact in view.industry],
        "absences": [{"id": fact.id, **fact.model_dump(mode="json")} for fact in view.absences],
    }
    if as_json:
        print_json(report)
        return
    about = () if vt_symbol == MARKET_SUBJECT else (*view.industry, *view.market)
    for fact in (*view.values, *about):
        of = _subject(fact, vt_symbol)
        print_line(f"{of}{fact.metric} {fact.period} {fact.value} {fact.unit} ({_known(fact)})")
    for event in view.events:
        figure = "" if event.value is None else f"{event.value} {event.unit} "
        print_line(f"{event.event} {event.on} {figure}({_known(event)})")
    for text in texts:
        print_line(f"{text['text_kind']}: {' '.join(text['title'].split())} ({text['source']})")
    for absence in view.absences:
        reason = ABSENCE_REASONS[absence.reason]
        of = _subject(absence, vt_symbol)
        print_line(f"{of}{absence.dataset} absent since {absence.since}: {reason} ({_known(absence)})")
    if not (view.values or view.events or texts):
        print_line(f"nothing is known of {vt_symbol} at {moment:%Y-%m-%d %H:%M}")


def _subject(fact: Any, asked: str) -> str:
    """Whose it is, where it is not of the symbol that was asked for."""
    return "" if fact.vt_symbol == asked else f"{fact.vt_symbol} "


def _known(fact: Any) -> str:
    return f"{fact.source}, known {fact.available_at:%Y-%m-%d %H:%M}"


def _moment(text: str | None) -> datetime:
    from vnpy_aiagent.data.csv_files import parse_time

    if text is None:
        return LiveClock().now()
    try:
        return parse_time(text)
    except ValueError as error:
        raise ConfigError(f"--as-of {error}") from None


def _store(read: "ReadFacts") -> "Stored":
    from vnpy_aiagent.data.facts_store import FILE_NAME, store_facts
    from vnpy_aiagent.wiring import app_folder

    console = err_console()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("import", total=len(read.facts))
        return store_facts(
            app_folder() / FILE_NAME, read.facts, lambda done: progress.update(task, completed=done)
        )


def _say(report: Mapping[str, Any], refused: list[tuple[int, str]], *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    print_line(
        f"{report['imported']} facts imported, {report['known']} were known, {len(refused)} rows refused"
    )
    for line, reason in refused[:MAX_SHOWN]:
        print_line(f"line {line}: {reason}")
    if len(refused) > MAX_SHOWN:
        print_line(f"and {len(refused) - MAX_SHOWN} more; --json lists all")
