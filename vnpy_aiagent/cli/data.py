"""`aiagent data import | download | sources | token`: bars into vnpy's database, and where they come from."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn

from vnpy_aiagent.cli.common import (
    CHECK_FAILED,
    ConfigOption,
    JsonOption,
    absolute,
    err_console,
    parse_day,
    parse_frequency,
    print_json,
    print_line,
    quiet_vnpy,
    split_symbols,
    user_settings,
)
from vnpy_aiagent.domain import BarInterval, LiveClock
from vnpy_aiagent.errors import ConfigError, DataError

if TYPE_CHECKING:
    from vnpy_aiagent.data.corporate_file import Actions
    from vnpy_aiagent.data.market_data import MarketData
    from vnpy_aiagent.data.sources.port import Provenance
    from vnpy_aiagent.data.sources.router import BarRouter

data_app = typer.Typer(
    help="Bars into vnpy's database. Example: aiagent data import sse50",
    no_args_is_help=True,
    rich_markup_mode=None,
)
DEFAULT_YEARS = 3


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(data_app, name="data")


@data_app.command("import")
def import_(
    source: Annotated[
        Path, typer.Argument(help="A folder with daily.csv.gz, or one CSV file of bars or of ex-days.")
    ],
    symbol: Annotated[str, typer.Option(help="Symbol of a CSV file without a vt_symbol column.")] = "",
    frequency: Annotated[str, typer.Option(help="daily or hourly, for a folder.")] = "daily",
    as_json: JsonOption = False,
) -> None:
    """Import bars and ex-days from a folder or CSV file; a bad row is refused with its line number.

    Example: aiagent data import sse50
    """
    path, interval = absolute(source), parse_frequency(frequency)
    if not path.exists():
        raise DataError(f"{source} does not exist; give a folder with daily.csv.gz or a CSV file")
    from vnpy_aiagent.data import load_csv, load_folder, parse_symbol
    from vnpy_aiagent.data.corporate_file import is_actions_file, load_actions

    if path.is_file() and is_actions_file(path):
        _keep_actions(path.name, load_actions(path), as_json=as_json)
        return
    if path.is_dir():
        market = load_folder(path, frequency=interval)
    else:
        market = load_csv(path, parse_symbol(symbol) if symbol else None)
    _store(market, as_json=as_json)


@data_app.command("download")
def download_(
    symbols: Annotated[str, typer.Argument(help="Symbols, for example 600519.SSE,510300.SSE.")],
    start: Annotated[
        str | None, typer.Option(help="First day, YYYY-MM-DD; default: three years back.")
    ] = None,
    end: Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD; default: today.")] = None,
    frequency: Annotated[str, typer.Option(help="daily or hourly.")] = "daily",
    anew: Annotated[
        bool, typer.Option("--anew", help="Ask the sources even where the cache is fresh.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Download bars from the sources of the settings into vnpy's database. Exit 1 if some symbols did not
    come.

    Example: aiagent data download 600519.SSE --start 2024-01-01
    """
    quiet_vnpy()
    from vnpy_aiagent.data import parse_symbol

    wanted = [parse_symbol(symbol) for symbol in split_symbols(symbols)]
    if not wanted:
        raise ConfigError("no symbol was given; write for example 600519.SSE")
    today = LiveClock().now().date()
    first = parse_day(start, "--start") or today.replace(year=today.year - DEFAULT_YEARS, day=1)
    last = parse_day(end, "--end") or today
    if last < first:
        raise ConfigError(f"--end {last} is before --start {first}; swap them")
    interval = parse_frequency(frequency)
    done = _download_each(_router(config), wanted, first, last, interval, anew=anew)
    for symbol, reason in done.failed.items():
        sys.stderr.write(f"{symbol}: {reason}\n")
    for note in done.notes:
        sys.stderr.write(f"{note}\n")
    saved, failed = done.saved, done.failed
    if as_json:
        origins = {symbol: origin.facts() for symbol, origin in done.origins.items()}
        print_json({"saved": saved, "failed": failed, "sources": origins, "notes": list(done.notes)})
    else:
        print_line(f"{sum(saved.values())} bars of {len(saved)} symbols, into vnpy's database")
        for line in _by_source(done.origins):
            print_line(line)
        if failed:
            print_line(f"{len(failed)} symbols did not come: {', '.join(failed)}")
    if failed:
        raise typer.Exit(CHECK_FAILED)


@data_app.command("sources")
def sources_(
    check: Annotated[
        bool, typer.Option("--check", help="Ask each source for some days of one share now.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sources of bars in order, how each stands, and where stored bars came from. Exit 1 if a check failed.

    Example: aiagent data sources --check
    """
    quiet_vnpy()
    from vnpy_aiagent.cli.source_lines import source_facts, source_lines
    from vnpy_aiagent.wiring import app_folder

    settings = user_settings(absolute(config) if config else None)
    facts = source_facts(settings, app_folder(), LiveClock(), check=check)
    if as_json:
        print_json(facts)
    else:
        for line in source_lines(facts):
            print_line(line)
    if check and any(each["state"] == "fails" for each in facts["sources"]):
        raise typer.Exit(CHECK_FAILED)


@data_app.command("token")
def token_(
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep the token of Tushare in the system's keyring, or in a file for its owner alone. It is asked for.

    Example: aiagent data token
    """
    from vnpy_aiagent.keys import KeyStore

    address = user_settings(absolute(config) if config else None).data.tushare.address
    token = typer.prompt("Token of Tushare", hide_input=True, err=True).strip()
    if not token:
        raise ConfigError("no token was given; copy it from your account's page at tushare.pro")
    store = KeyStore()
    store.put(address, token)
    place = "the system's keyring" if store.in_keyring else str(store.file)
    if as_json:
        print_json({"address": address, "stored_in": place})
    else:
        print_line(f"the token for {address} is stored in {place}")


@dataclass
class _Downloads:
    """What came, why others did not, where it came from, and what people should know."""

    saved: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    origins: "dict[str, Provenance]" = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)


def _router(config: Path | None) -> "BarRouter":
    """The sources of the user's settings; NoSource where none of them is set up."""
    from vnpy_aiagent.data.sources.build import build_router
    from vnpy_aiagent.wiring import app_folder

    return build_router(user_settings(absolute(config) if config else None), app_folder(), LiveClock())


def _download_each(
    router: "BarRouter", symbols: list[str], first: date, last: date, interval: BarInterval, *, anew: bool
) -> _Downloads:
    """Symbol by symbol, each saved as it comes."""
    from vnpy.trader.database import get_database

    from vnpy_aiagent.data.sources.download import UNADJUSTED, download
    from vnpy_aiagent.data.sources.file import FILE_NAME
    from vnpy_aiagent.data.sources.notebook import SourceNotebook
    from vnpy_aiagent.data.sources.port import one_line_english, require_one
    from vnpy_aiagent.data.vnpy_database import import_market_data
    from vnpy_aiagent.wiring import app_folder

    require_one(router.missing(name) for name in router.names)
    database, notebook = get_database(), SourceNotebook(app_folder() / FILE_NAME)
    done = _Downloads()
    console = err_console()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("download", total=len(symbols))
        for symbol in dict.fromkeys(symbols):
            progress.update(task, description=symbol)
            try:
                found = download(router, [symbol], first, last, interval, anew=anew)
                done.saved[symbol] = import_market_data(found.data, database)
                for key, origin in found.provenance.items():
                    done.origins[symbol] = origin
                    notebook.note_origin(found.data.series[key], origin)
                done.notes |= dict.fromkeys(
                    one_line_english(note) for note in found.data.notes if note.template != UNADJUSTED
                )
            except DataError as error:
                done.failed[symbol] = str(error)
            progress.advance(task)
    return done


def _by_source(origins: "Mapping[str, Provenance]") -> list[str]:
    """One line a source: how many symbols, and how old the answers are."""
    lines: list[str] = []
    for source in dict.fromkeys(origin.source for origin in origins.values()):
        own = [origin for origin in origins.values() if origin.source == source]
        cached = sum(origin.cached for origin in own)
        units = ", ".join(f"{name} in {unit}" for name, unit in own[0].units.items() if name != "adjusted")
        line = f"{len(own)} symbols from {source} ({units}; not adjusted)"
        lines.append(line + (f"; {cached} of them from the cache" if cached else ""))
    return lines


def _keep_actions(source: str, actions: "Actions", *, as_json: bool) -> None:
    """Ex-days into the app's own file, from which paper and live runs take them."""
    quiet_vnpy()
    from vnpy_aiagent.data.corporate_file import keep_actions
    from vnpy_aiagent.wiring import app_folder

    days = sum(len(items) for items in actions.values())
    kept = keep_actions(app_folder(), actions)
    if as_json:
        print_json({"source": source, "symbols": len(actions), "ex_days": days, "kept": kept})
    else:
        print_line(f"{days} ex-days of {len(actions)} symbols; {kept} are kept in the app's folder")


def _store(market: "MarketData", *, as_json: bool) -> None:
    quiet_vnpy()
    from vnpy.trader.database import get_database

    from vnpy_aiagent.data.corporate_file import keep_actions
    from vnpy_aiagent.data.vnpy_database import import_market_data
    from vnpy_aiagent.wiring import app_folder

    console = err_console()
    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=console, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("import", total=None)
        count = import_market_data(
            market, get_database(), lambda done, total: progress.update(task, completed=done, total=total)
        )
    first, last = market.span()
    ex_days = sum(len(items) for items in market.actions.values())
    if ex_days:
        keep_actions(app_folder(), market.actions)
    facts = {
        "source": market.source,
        "symbols": len(market.symbols),
        "bars": count,
        "ex_days": ex_days,
        "start": first.isoformat(),
        "end": last.isoformat(),
        "intervals": sorted({interval.name for _, interval in market.series if interval in BarInterval}),
    }
    if as_json:
        print_json(facts)
    else:
        print_line(f"{count} bars of {facts['symbols']} symbols, {first} to {last}, into vnpy's database")
        if ex_days:
            print_line(f"{ex_days} ex-days, into the app's folder")
