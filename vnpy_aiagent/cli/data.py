"""`aiagent data import | download`: bars into vnpy's database, ex-days into the app's folder."""

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn

from vnpy_aiagent.cli.common import (
    CHECK_FAILED,
    JsonOption,
    absolute,
    err_console,
    parse_day,
    parse_frequency,
    print_json,
    print_line,
    quiet_vnpy,
    split_symbols,
)
from vnpy_aiagent.domain import BarInterval, LiveClock
from vnpy_aiagent.errors import ConfigError, DataError

if TYPE_CHECKING:
    from vnpy_aiagent.data.corporate_file import Actions
    from vnpy_aiagent.data.market_data import MarketData

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
    as_json: JsonOption = False,
) -> None:
    """Download bars through akshare into vnpy's database. Exit 1 if some symbols did not come.

    Example: aiagent data download 600519.SSE --start 2024-01-01
    """
    quiet_vnpy()
    from vnpy_aiagent.data import parse_symbol
    from vnpy_aiagent.data.akshare_source import is_installed, missing_package

    wanted = [parse_symbol(symbol) for symbol in split_symbols(symbols)]
    if not wanted:
        raise ConfigError("no symbol was given; write for example 600519.SSE")
    today = LiveClock().now().date()
    first = parse_day(start, "--start") or today.replace(year=today.year - DEFAULT_YEARS, day=1)
    last = parse_day(end, "--end") or today
    if last < first:
        raise ConfigError(f"--end {last} is before --start {first}; swap them")
    interval = parse_frequency(frequency)
    if not is_installed():
        raise missing_package()
    saved, failed = _download_each(wanted, first, last, interval)
    for symbol, reason in failed.items():
        sys.stderr.write(f"{symbol}: {reason}\n")
    if as_json:
        print_json({"saved": saved, "failed": failed})
    else:
        print_line(f"{sum(saved.values())} bars of {len(saved)} symbols, into vnpy's database")
        if failed:
            print_line(f"{len(failed)} symbols did not come: {', '.join(failed)}")
    if failed:
        raise typer.Exit(CHECK_FAILED)


def _download_each(
    symbols: list[str], first: date, last: date, interval: BarInterval
) -> tuple[dict[str, int], dict[str, str]]:
    """Symbol by symbol, each saved as it comes: how many bars of each, and why others did not come."""
    from vnpy.trader.database import get_database

    from vnpy_aiagent.data.akshare_source import download
    from vnpy_aiagent.data.vnpy_database import import_market_data

    database = get_database()
    saved: dict[str, int] = {}
    failed: dict[str, str] = {}
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
                saved[symbol] = import_market_data(download([symbol], first, last, interval), database)
            except DataError as error:
                failed[symbol] = str(error)
            progress.advance(task)
    return saved, failed


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
