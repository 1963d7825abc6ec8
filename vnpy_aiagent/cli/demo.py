"""`aiagent demo` and `aiagent analyze`: the engine over recorded history."""

import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from vnpy_aiagent.cli.common import (
    ConfigOption,
    DataOption,
    JsonOption,
    absolute,
    err_console,
    out_console,
    parse_cash,
    parse_day,
    parse_frequency,
    print_json,
    print_line,
    scratch_vnpy_folder,
    split_symbols,
)
from vnpy_aiagent.config import Settings, load_settings
from vnpy_aiagent.domain import BarInterval, LiveClock, Mode, RunStarted, parse_message
from vnpy_aiagent.errors import ConfigError, DataError, JournalError
from vnpy_aiagent.keys import with_key
from vnpy_aiagent.places import default_config, user_folder

if TYPE_CHECKING:
    from vnpy_aiagent.data.market_data import MarketData

DEMO_YEARS = 5
HISTORY_DAYS = 400
JOURNAL, CASSETTE = "journal.db", "cassette.db"
OUTPUTS = ("report.html", "report.md", "summary.json", JOURNAL, CASSETTE)
REPLACED = (*OUTPUTS, *(name + part for name in (JOURNAL, CASSETTE) for part in ("-wal", "-shm")))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("demo")(demo)
    app.command("analyze")(analyze)


def demo(
    data: DataOption = None,
    symbols: Annotated[
        str | None, typer.Option(help="Only these symbols, for example 600519.SSE,600036.SSE.")
    ] = None,
    frequency: Annotated[str, typer.Option(help="daily or hourly.")] = "daily",
    start: Annotated[str | None, typer.Option(help="First day, YYYY-MM-DD.")] = None,
    end: Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD.")] = None,
    cash: Annotated[str, typer.Option(help="Starting cash of each account, CNY.")] = "1000000",
    out: Annotated[
        Path, typer.Option(help="Folder for report.html, report.md, summary.json, journal.db.")
    ] = Path("aiagent-demo"),
    seed: Annotated[int, typer.Option(help="Seed handed to the model.")] = 7,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate real history through the whole engine with three accounts.

    Example: aiagent demo --data sse50 --symbols 600519.SSE,600036.SSE --out my-run
    """
    began = time.perf_counter()
    interval, first, last = parse_frequency(frequency), parse_day(start, "--start"), parse_day(end, "--end")
    if first is not None and last is not None and last < first:
        raise ConfigError(f"--end {last} is before --start {first}; swap them")
    folder, data = absolute(out), absolute(data) if data else None
    settings, cache = demo_settings(config, cash, seed), user_folder()
    with scratch_vnpy_folder():
        market = _load(data, split_symbols(symbols), interval, first, last, settings, cache)
        if data is None and not symbols and first is None:
            first = _years_back(market, DEMO_YEARS)
        _prepare(folder)
        _simulate(market, settings, folder, interval, first, last, began, as_json=as_json)


def _simulate(
    market: "MarketData",
    settings: Settings,
    folder: Path,
    interval: BarInterval,
    first: date | None,
    last: date | None,
    began: float,
    *,
    as_json: bool,
) -> None:
    from vnpy_aiagent.i18n import show, translator
    from vnpy_aiagent.report import Prices, print_summary, read_journal, write_report
    from vnpy_aiagent.simulation import Simulation

    simulation = Simulation(market, settings, folder / JOURNAL, frequency=interval, start=first, end=last)
    console = err_console()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(market.source, total=None)
        result = simulation.run(
            lambda day, done, total: progress.update(task, completed=done, total=total, description=f"{day}")
        )
    facts = {
        "source": market.source,
        "symbols": len(market.symbols),
        "bars": result.bars,
        "start": result.start.isoformat(),
        "end": result.end.isoformat(),
        "hypothetical": market.hypothetical,
        "notes": [show(note, translator(settings.display_language)) for note in market.notes],
    }
    prices = Prices.of(market, result.start, result.end)
    summary = write_report(
        result.journal,
        folder,
        wall_seconds=round(time.perf_counter() - began, 3),
        data=facts,
        language=settings.display_language,
        prices=prices,
    )
    if as_json:
        print_json(summary)
        return
    record = read_journal(result.journal)
    print_summary(out_console(), record, summary, settings.display_language, prices)
    print_line(str(folder / "report.html"))


def analyze(
    vt_symbol: Annotated[str, typer.Argument(help="Symbol, for example 600519.SSE or 600519.")],
    data: DataOption = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Trading day of the decision, at 09:35; default: the last.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """One decision, with the configured model: request, findings, debate, proposal, verdict, tokens, cost.

    Example: aiagent analyze 600519.SSE --data sse50 --as-of 2025-09-30
    """
    day, data = parse_day(as_of, "--as-of"), absolute(data) if data else None
    settings = demo_settings(config or default_config(), "1000000", 7).model_copy(update={"schedule": ()})
    with scratch_vnpy_folder():
        from vnpy_aiagent.cli.decision import decide_once, decision_facts, decision_lines
        from vnpy_aiagent.data import parse_symbol

        market = _load(data, [], BarInterval.DAILY, None, None, settings, user_folder())
        symbol = vt_symbol if vt_symbol in market.symbols else parse_symbol(vt_symbol, market.names)
        market.restrict([symbol])
        day = day or market.bars(symbol, BarInterval.DAILY).day_of(-1)
        with tempfile.TemporaryDirectory(prefix="aiagent-", ignore_cleanup_errors=True) as name:
            found = decide_once(market, settings, symbol, day, Path(name) / "journal.db")
        facts = decision_facts(found)
        if as_json:
            print_json(facts)
        else:
            for line in decision_lines(found, settings.display_language):
                print_line(line)


def demo_settings(config: Path | None, cash: str, seed: int) -> Settings:
    """Settings of a simulated run: mode, cash (CNY) of each account, the model's key and seed."""
    amount = parse_cash(cash)
    settings = with_key(load_settings(config, mode=Mode.SIMULATION))
    accounts = tuple(a.model_copy(update={"cash": amount, "gateway": ""}) for a in settings.accounts)
    return settings.model_copy(
        update={"accounts": accounts, "llm": settings.llm.model_copy(update={"seed": seed})}
    )


def _load(
    folder: Path | None,
    symbols: list[str],
    interval: BarInterval,
    first: date | None,
    last: date | None,
    settings: Settings,
    cache: Path,
) -> "MarketData":
    from vnpy_aiagent.data import load_folder, load_hs300, parse_symbol

    if folder is not None:
        market = load_folder(folder, frequency=interval)
        return market.restrict([parse_symbol(s, market.names) for s in symbols]) if symbols else market
    if symbols:
        if first is None or last is None:
            raise ConfigError("downloading needs --start and --end; or give a folder with --data")
        wanted = [parse_symbol(symbol) for symbol in symbols]
        return _download(wanted, first - timedelta(days=HISTORY_DAYS), last, interval, settings, cache)
    if interval is not BarInterval.DAILY:
        raise DataError("the built-in history is daily; give a folder with hourly.csv.gz with --data")
    return load_hs300()


def _download(
    symbols: list[str], first: date, last: date, interval: BarInterval, settings: Settings, cache: Path
) -> "MarketData":
    """Bars from the sources of the settings; the cache is that of the user's own folder."""
    from vnpy_aiagent.data.sources.build import build_router
    from vnpy_aiagent.data.sources.download import download
    from vnpy_aiagent.data.sources.port import require_one

    router = build_router(settings, cache, LiveClock())
    require_one(router.missing(name) for name in router.names)
    return download(router, symbols, first, last, interval).data


def _years_back(market: "MarketData", years: int) -> date:
    """The same day so many years before the last day with bars; 28 February where that year has no 29th."""
    last = market.span(BarInterval.DAILY)[1]
    try:
        return last.replace(year=last.year - years)
    except ValueError:
        return last.replace(year=last.year - years, day=28)


def _prepare(folder: Path) -> None:
    """An empty folder, or one that holds an earlier demo, whose files are replaced."""
    if folder.is_file():
        raise ConfigError(f"--out {folder} is a file; give a folder")
    present = {path.name for path in folder.iterdir()} if folder.exists() else set()
    earlier = present & set(REPLACED)
    if earlier:
        foreign = {name for name in present - earlier if not name.startswith(JOURNAL)}
        if foreign or JOURNAL not in present or not _is_simulated(folder / JOURNAL):
            some = ", ".join(sorted(foreign or earlier)[:3])
            raise ConfigError(f"--out {folder} holds {some}, which is no earlier demo; give another folder")
        _remove(folder, earlier)
    folder.mkdir(parents=True, exist_ok=True)


def _is_simulated(journal: Path) -> bool:
    """Whether a journal began as a simulation's, or was stopped before it began; other files are not."""
    from vnpy_aiagent.store.journal import JournalReader

    if journal.stat().st_size == 0:
        return True
    try:
        with JournalReader.open(journal) as reader:
            first = next(iter(reader.read()), None)
    except JournalError:
        return False
    if first is None:
        return True
    began = parse_message(first.kind, first.body)
    return isinstance(began, RunStarted) and began.mode is Mode.SIMULATION


def _remove(folder: Path, names: set[str]) -> None:
    """Delete an earlier demo's files; JournalLocked while it still runs."""
    from vnpy_aiagent.store.lease import Lease

    lease = Lease.acquire(folder / JOURNAL, "aiagent demo")
    try:
        for name in names:
            (folder / name).unlink(missing_ok=True)
    finally:
        lease.release()
