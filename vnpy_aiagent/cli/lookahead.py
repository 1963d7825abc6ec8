"""`aiagent lookahead`: whether a strategy's decisions depend on data from after them."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from vnpy_aiagent.cli.backtest import PACKAGES, bars_of, check_parameters, parse_parameters
from vnpy_aiagent.cli.common import (
    CHECK_FAILED,
    DataOption,
    JsonOption,
    absolute,
    err_console,
    parse_cash,
    parse_day,
    parse_frequency,
    print_json,
    print_line,
    scratch_vnpy_folder,
)
from vnpy_aiagent.cli.demo import demo_settings
from vnpy_aiagent.config import load_settings
from vnpy_aiagent.domain import BarInterval, LiveClock
from vnpy_aiagent.errors import ConfigError, DataError
from vnpy_aiagent.i18n import Localizer

if TYPE_CHECKING:
    from vnpy.trader.object import BarData
    from vnpy_ctastrategy.template import CtaTemplate

    from vnpy_aiagent.backtest.lookahead import Change, Finding
    from vnpy_aiagent.data.facts import Fact

SHOWN = 10
SYSTEM = "demo"
SEED = 7
WIDTH = 100


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lookahead")(lookahead)


def lookahead(
    strategy: Annotated[
        str,
        typer.Option(
            help="Class name of a CtaTemplate, a file (FILE.py or FILE.py:Class), or demo: the app."
        ),
    ],
    vt_symbol: Annotated[str, typer.Option("--vt-symbol", help="For example 600519.SSE.")],
    data: DataOption = None,
    start: Annotated[str | None, typer.Option(help="First day, YYYY-MM-DD.")] = None,
    end: Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the strategy, k=v; may be repeated.")
    ] = None,
    frequency: Annotated[str, typer.Option(help="daily or hourly.")] = "daily",
    cash: Annotated[str, typer.Option(help="Cash at the start, CNY.")] = "1000000",
    facts: Annotated[
        Path | None, typer.Option(help="With demo: facts to decide on, as for `aiagent facts import`.")
    ] = None,
    cuts: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many cuts; two runs each.")] = 40,
    as_json: JsonOption = False,
) -> None:
    """Replace all data after a moment by false values, for many moments: earlier decisions must not change.

    Exit code 1 where one does. Strategies are found as by `aiagent backtest`.

    Example: aiagent lookahead --strategy DoubleMaStrategy --vt-symbol 600519.SSE --data sse50
    """
    if data is None:
        raise ConfigError("a check needs market data; give its folder with --data")
    interval = parse_frequency(frequency)
    first, last = parse_day(start, "--start"), parse_day(end, "--end")
    if first and last and first > last:
        raise ConfigError(f"--start {first} is after --end {last}; swap them")
    capital, parameters = int(parse_cash(cash)), parse_parameters(settings or [])
    if facts is not None and strategy != SYSTEM:
        raise ConfigError(
            "--facts goes with --strategy demo; a file that a strategy opens is poisoned anyway"
        )
    folder, own = absolute(data), absolute(Path("strategies"))
    known = absolute(facts) if facts else None
    tell = Localizer(load_settings().display_language)
    begun = perf_counter()
    with scratch_vnpy_folder():
        if strategy == SYSTEM:
            if parameters:
                raise ConfigError("--set is for parameters of a strategy; the demo has none")
            check = _system_check(folder, vt_symbol, interval, (first, last), cash, known)
        else:
            load, modules = _loader(strategy, own)
            checked = check_parameters(load(), parameters)
            symbol, bars = bars_of(folder, vt_symbol, interval, first, last)
            check = _strategy_check(load, symbol, bars, interval, checked, capital, modules)
        found = _with_progress(check.run, cuts, check.symbol)
    seconds = perf_counter() - begun
    if as_json:
        print_json(_facts(found, strategy, check.symbol, seconds))
    else:
        for line in _lines(found, strategy, check.symbol, seconds, interval, tell):
            print_line(line)
    if found.changes:
        raise typer.Exit(CHECK_FAILED)


class Check(Protocol):
    """A check of a strategy, or of the app."""

    symbol: str

    def run(self, cuts: int, progress: Callable[[int, int], None] | None) -> "Finding":
        """Check with at most so many cuts."""


def _system_check(
    folder: Path,
    asked: str,
    interval: BarInterval,
    span: tuple[date | None, date | None],
    cash: str,
    facts: Path | None,
) -> Check:
    from vnpy_aiagent.cli.lookahead_system import SystemCheck

    return SystemCheck(folder, asked, interval, *span, demo_settings(None, cash, SEED), _facts_of(facts))


def _facts_of(path: Path | None) -> "list[Fact]":
    """The facts of a file, all of which must be good: DataError with the first that is not."""
    if path is None:
        return []
    if not path.is_file():
        raise DataError(f"{path} is no file; give a CSV or JSON file, see docs/facts.md")
    from vnpy_aiagent.data.facts_file import read_facts

    read = read_facts(path, LiveClock().now())
    if read.refused:
        line, reason = read.refused[0]
        raise DataError(f"{read.name}, line {line}: {reason}")
    return [fact for _, fact in read.facts]


def _strategy_check(
    load: "Callable[[], type[CtaTemplate]]",
    symbol: str,
    bars: "list[BarData]",
    interval: BarInterval,
    parameters: dict[str, Any],
    capital: int,
    modules: Path,
) -> Check:
    from vnpy_aiagent.backtest.lookahead import LookaheadCheck

    return LookaheadCheck(
        load,
        symbol,
        bars,
        _vnpy_interval(interval),
        parameters=parameters,
        capital=capital,
        folder=modules,
        watch=_note_proposals,
    )


def _loader(asked: str, own: Path) -> "tuple[Callable[[], type[CtaTemplate]], Path]":
    """What gives the class anew for each run, and the folder of its own modules."""
    from vnpy_aiagent.backtest.find import find_in_file, find_strategy

    name, _, class_name = asked.partition(".py:")
    if asked.endswith(".py") or class_name:
        path = absolute(Path(asked if not class_name else f"{name}.py"))
        return (lambda: find_in_file(path, class_name)), path.parent
    return (lambda: find_strategy(asked, PACKAGES, own)), own


def _vnpy_interval(interval: BarInterval) -> Any:
    from vnpy.trader.constant import Interval

    return Interval.DAILY if interval is BarInterval.DAILY else Interval.HOUR


def _note_proposals(strategy: "CtaTemplate", note: Callable[[str], None]) -> None:
    """What the brain proposes is a decision too."""
    from vnpy_aiagent.cta import AiAgentStrategy

    if not isinstance(strategy, AiAgentStrategy) or strategy.desk is None:
        return
    brain: Any = strategy.desk.brain
    decide = brain.decide

    def noted(*arguments: Any) -> Any:
        answer = decide(*arguments)
        for proposal in answer.proposals:
            note(f"PROPOSAL {proposal.model_dump_json()}")
        return answer

    brain.decide = noted


def _with_progress(run: "Callable[..., Finding]", cuts: int, symbol: str) -> "Finding":
    console = err_console()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(symbol, total=None)
        return run(cuts, lambda done, total: progress.update(task, completed=done, total=total))


def _facts(found: "Finding", strategy: str, symbol: str, seconds: float) -> dict[str, Any]:
    return {
        "strategy": strategy,
        "vt_symbol": symbol,
        "bars": found.bars,
        "cuts": len(found.cuts),
        "decisions": found.decisions,
        "changed": [
            {
                "cut": change.cut.at.isoformat(),
                "known": "open" if change.cut.opening else "bar",
                "at": change.at.isoformat(),
                "before": change.before,
                "after": change.after,
            }
            for change in found.changes
        ],
        "unpoisoned_files": [str(path) for path in found.unpoisoned],
        "wall_seconds": round(seconds, 3),
    }


def _lines(
    found: "Finding", strategy: str, symbol: str, seconds: float, interval: BarInterval, tell: Localizer
) -> Iterator[str]:
    yield tell(
        "{strategy} {symbol}：{bars} 根K线，决定 {decisions} 个，切点 {cuts} 个",
        strategy=strategy,
        symbol=symbol,
        bars=f"{found.bars:,}",
        decisions=f"{found.decisions:,}",
        cuts=len(found.cuts),
    )
    if found.changes:
        yield tell("有未来函数：{count} 个切点之后的数据改变了此前的决定", count=len(found.changes))
        yield from _table(found.changes, interval, tell)
    elif found.decisions:
        yield tell("通过：替换切点之后的全部数据，此前的决定逐字节不变")
    else:
        yield tell("策略没有做出任何决定，此检查说明不了什么；请换更长的时间或其他参数")
    for path in found.unpoisoned:
        yield tell("注意：策略自行读取了 {path}，其中的数据没有被替换", path=path)
    yield tell("用时 {seconds} 秒", seconds=f"{seconds:.1f}")


def _table(changes: "tuple[Change, ...]", interval: BarInterval, tell: Localizer) -> Iterator[str]:
    for change in changes[:SHOWN]:
        known = tell("仅知开盘价") if change.cut.opening else tell("此后皆未知")
        yield "  " + tell(
            "切点 {cut}（{known}）：{at} K线上的决定变了",
            cut=f"{change.cut.at:%Y-%m-%d %H:%M}",
            known=known,
            at=_bar(change.at, interval),
        )
        yield "    " + tell("真实数据：{what}", what=_short(change.before, tell))
        yield "    " + tell("替换之后：{what}", what=_short(change.after, tell))
    if len(changes) > SHOWN:
        yield "  " + tell("另有 {count} 项，用 --json 查看全部", count=len(changes) - SHOWN)


def _bar(at: datetime, interval: BarInterval) -> str:
    return f"{at:%Y-%m-%d}" if interval is BarInterval.DAILY else f"{at:%Y-%m-%d %H:%M}"


def _short(what: str | None, tell: Localizer) -> str:
    if what is None:
        return tell("（无）")
    return what if len(what) <= WIDTH else what[:WIDTH] + "…"
