"""`aiagent facts fetch | datasets`: facts from the internet into the app's folder."""

from collections.abc import Sequence
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn

from vnpy_aiagent.cli.common import (
    CHECK_FAILED,
    ConfigOption,
    JsonOption,
    err_console,
    print_json,
    print_line,
    quiet_vnpy,
    split_symbols,
    user_settings,
)
from vnpy_aiagent.cli.facts import facts_app
from vnpy_aiagent.domain import LiveClock
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.i18n import show, translator

if TYPE_CHECKING:
    from vnpy_aiagent.config import Settings
    from vnpy_aiagent.data.fact_sources.collect import FamilyReport
    from vnpy_aiagent.data.fact_sources.dataset import Family


def register(_: typer.Typer) -> None:
    """Add the commands to `aiagent facts`."""
    facts_app.command("fetch")(fetch_)
    facts_app.command("datasets")(datasets_)


def fetch_(
    symbols: Annotated[
        str, typer.Argument(help="Symbols, for example 600519.SSE,000001.SZSE; default: the universe.")
    ] = "",
    dataset: Annotated[
        list[str] | None, typer.Option("--dataset", help="Only this one; may be given several times.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch facts now; what gave nothing is named, and kept as an absence. Exit 1 if anything failed.

    Example: aiagent facts fetch 600519.SSE --dataset valuation
    """
    quiet_vnpy()
    from vnpy_aiagent.data import parse_symbol
    from vnpy_aiagent.data.fact_sources.build import build_providers
    from vnpy_aiagent.data.fact_sources.collect import chosen

    settings = user_settings(config)
    families = chosen(dataset or [])
    words = split_symbols(symbols) if symbols else settings.universe
    vt_symbols = [parse_symbol(word) for word in words]
    if not build_providers(settings):
        raise ConfigError(
            'nothing can be asked; run pip install "vnpy_aiagent[akshare]", or store a Tushare token with '
            "aiagent data token"
        )
    reports = _collect(settings, vt_symbols, families)
    _say(reports, as_json=as_json)
    if any(report.failed for report in reports):
        raise typer.Exit(CHECK_FAILED)


def datasets_(as_json: JsonOption = False) -> None:
    """What can be fetched: name, source, function, what it gives, and from when on it counts as known.

    Example: aiagent facts datasets
    """
    from vnpy_aiagent.data.fact_sources.catalogue import FAMILIES

    rows: list[dict[str, Any]] = [
        {
            "family": family.name,
            "dataset": dataset.name,
            "source": dataset.source,
            "functions": [call.function for call in dataset.calls],
            "gives": list(dataset.gives),
            "known": dataset.known.name,
        }
        for family in FAMILIES
        for dataset in family.datasets
    ]
    if as_json:
        print_json({"datasets": rows})
        return
    for row in rows:
        print_line(f"{row['family']}: {', '.join(row['functions'])} ({row['source']})")


def _collect(
    settings: "Settings", symbols: Sequence[str], families: Sequence["Family"]
) -> "tuple[FamilyReport, ...]":
    from vnpy_aiagent.data.fact_sources.build import build_fetcher
    from vnpy_aiagent.data.fact_sources.collect import collect
    from vnpy_aiagent.data.facts_store import FILE_NAME
    from vnpy_aiagent.wiring import app_folder

    clock, console = LiveClock(), err_console()
    fetcher = build_fetcher(settings, app_folder(), clock, Event())
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("fetch", total=len(families))

        def tell(done: int, total: int, name: str) -> None:
            progress.update(task, completed=done, description=name or "fetch")

        return collect(fetcher, app_folder() / FILE_NAME, symbols, clock, families=families, progress=tell)


def _say(reports: "Sequence[FamilyReport]", *, as_json: bool) -> None:
    english = translator("en")
    rows: list[dict[str, Any]] = [
        {
            "family": report.name,
            "new": report.new,
            "known": report.known,
            "absent": report.absent,
            "requests": report.requests,
            "failed": report.failed,
            "why": show(report.why, english) if report.why is not None else "",
        }
        for report in reports
    ]
    if as_json:
        print_json({"families": rows})
        return
    for row in rows:
        why = f"; {row['why']}" if row["why"] else ""
        print_line(
            f"{row['family']}: {row['new']} new, {row['known']} known, {row['absent']} absent, "
            f"{row['requests']} requests{why}"
        )
