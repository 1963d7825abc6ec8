"""`aiagent data import | download`: bars into vnpy's database."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn

from vnpy_aiagent.cli.common import (
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
    source: Annotated[Path, typer.Argument(help="A folder with daily.csv.gz, or one CSV file.")],
    symbol: Annotated[str, typer.Option(help="Symbol of a CSV file without a vt_symbol column.")] = "",
    frequency: Annotated[str, typer.Option(help="daily or hourly, for a folder.")] = "daily",
    as_json: JsonOption = False,
) -> None:
    """Import bars from a folder or CSV file; a bad row is refused with its line number.

    Example: aiagent data import sse50
    """
    path, interval = absolute(source), parse_frequency(frequency)
    if not path.exists():
        raise DataError(f"{source} does not exist; give a folder with daily.csv.gz or a CSV file")
    from vnpy_aiagent.data import load_csv, load_folder, parse_symbol

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
    """Download bars through akshare into vnpy's database.

    Example: aiagent data download 600519.SSE --start 2024-01-01
    """
    from vnpy_aiagent.data import parse_symbol
    from vnpy_aiagent.data.akshare_source import download

    wanted = [parse_symbol(symbol) for symbol in split_symbols(symbols)]
    if not wanted:
        raise ConfigError("no symbol was given; write for example 600519.SSE")
    today = LiveClock().now().date()
    first = parse_day(start, "--start") or today.replace(year=today.year - DEFAULT_YEARS, day=1)
    last = parse_day(end, "--end") or today
    _store(download(wanted, first, last, parse_frequency(frequency)), as_json=as_json)


def _store(market: "MarketData", *, as_json: bool) -> None:
    quiet_vnpy()
    from vnpy.trader.database import get_database

    from vnpy_aiagent.data.vnpy_database import import_market_data

    console = err_console()
    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=console, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("import", total=None)
        count = import_market_data(
            market, get_database(), lambda done, total: progress.update(task, completed=done, total=total)
        )
    first, last = market.span()
    facts = {
        "source": market.source,
        "symbols": len(market.symbols),
        "bars": count,
        "start": first.isoformat(),
        "end": last.isoformat(),
        "intervals": sorted({interval.name for _, interval in market.series if interval in BarInterval}),
    }
    if as_json:
        print_json(facts)
    else:
        print_line(f"{count} bars of {facts['symbols']} symbols, {first} to {last}, into vnpy's database")
