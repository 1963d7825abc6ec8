"""What all commands share: output for people and machines, exit codes, vnpy's folder, settings."""

import json
import math
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from vnpy_aiagent.config import Settings, load_settings
from vnpy_aiagent.domain import BarInterval
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.places import default_config

CHECK_FAILED, BAD_USAGE = 1, 2
MAX_CASH = Decimal(10) ** 12
VNPY_SETTINGS = {"log.console": False, "log.file": False, "database.timezone": "Asia/Shanghai"}

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, for machines.")]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Folder with daily.csv.gz (and hourly.csv.gz), see docs/data.md."),
]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="Settings file, YAML or JSON.")]
JournalOption = Annotated[
    str,
    typer.Option("--journal", help="Journal file or postgresql:// address; default: that of the settings."),
]


def utf8_output() -> None:
    """Never fail on a character that the console cannot show (cp936, ASCII)."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def out_console() -> Console:
    """Standard output for people."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=False)


def err_console() -> Console:
    """Standard error: progress and logs."""
    return Console(file=sys.stderr, highlight=False)


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on standard output, pure ASCII so that any console takes it."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True, default=str) + "\n")


def print_line(line: str) -> None:
    """One line for people on standard output."""
    sys.stdout.write(line + "\n")


def parse_day(text: str | None, option: str) -> date | None:
    """A date from YYYY-MM-DD; ConfigError naming the option."""
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a calendar date
    except ValueError:
        raise ConfigError(f"{option} {text!r} is not a date; write it like 2025-01-31") from None


def parse_cash(text: str) -> Decimal:
    """An amount from 1 to 10^12 CNY; ConfigError otherwise."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ConfigError(f"--cash {text!r} is not an amount; write it like 1000000") from None
    if not amount.is_finite() or amount <= 0:
        raise ConfigError(f"--cash {text} must be above 0")
    if not 1 <= amount <= MAX_CASH:
        raise ConfigError(f"--cash {text} is out of range; give from 1 to {MAX_CASH:,} CNY")
    return amount


def parse_frequency(text: str) -> BarInterval:
    """daily or hourly; ConfigError otherwise."""
    known = {"daily": BarInterval.DAILY, "hourly": BarInterval.HOUR}
    if text not in known:
        raise ConfigError(f"--frequency {text!r} is unknown; use daily or hourly")
    return known[text]


def split_symbols(text: str | None) -> list[str]:
    """Symbols from a list with commas or spaces."""
    return [part for part in (text or "").replace(",", " ").replace("，", " ").split() if part]


@contextmanager
def scratch_vnpy_folder() -> Iterator[Path]:
    """Let vnpy use a throw-away folder: for commands that work on the folders given to them alone.

    Must come before anything imports vnpy, which decides its folder then. Later nested calls keep the first.
    """
    if "vnpy.trader.utility" in sys.modules:
        yield Path.cwd()
        return
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="aiagent-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / ".vntrader").mkdir()
        settings = folder / ".vntrader" / "vt_setting.json"
        settings.write_text(json.dumps(VNPY_SETTINGS), encoding="utf-8")
        os.chdir(folder)
        try:
            import vnpy.trader.utility  # noqa: F401 - decides the folder
        finally:
            os.chdir(before)
        yield folder
        os.chdir(before)


def quiet_vnpy() -> None:
    """vnpy's own folder, its log on standard error, Asia/Shanghai for its database."""
    from vnpy.trader.setting import SETTINGS

    SETTINGS["log.console"] = False
    SETTINGS["database.timezone"] = "Asia/Shanghai"


def user_settings(config: Path | None, **overrides: Any) -> Settings:
    """Settings from --config, else from the app's folder."""
    return load_settings(config or default_config(), **overrides)


def absolute(path: Path) -> Path:
    """A path that stays right when the working folder changes."""
    return path.expanduser().absolute()


@contextmanager
def ended_by_signals() -> Iterator[threading.Event]:
    """Ctrl+C and a polite request to end set the event and interrupt nothing, however often they come.

    A close that a second Ctrl+C cut short would leave threads behind that keep the process alive for ever.
    """
    stop = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def wait_for_end(seconds: float, stop: threading.Event) -> None:
    """Until the event of `ended_by_signals` is set, or for some seconds."""
    deadline = time.monotonic() + seconds if seconds else math.inf
    while time.monotonic() < deadline:
        if stop.wait(
            min(0.5, max(0.0, deadline - time.monotonic()))
        ):  # longer would hold up Ctrl+C on Windows
            sys.stderr.write("stopping\n")
            return
