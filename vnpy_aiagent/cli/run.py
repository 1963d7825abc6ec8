"""`aiagent run`: the trading process. `aiagent install-strategies`: the shims into vnpy's folder."""

import signal
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vnpy_aiagent.cli.common import (
    ConfigOption,
    JsonOption,
    absolute,
    print_json,
    print_line,
    quiet_vnpy,
    user_settings,
)
from vnpy_aiagent.domain import Mode
from vnpy_aiagent.errors import ConfigError

if TYPE_CHECKING:
    from vnpy.trader.engine import MainEngine


BROKERS = {"CTP": ("vnpy_ctp", "CtpGateway"), "XTP": ("vnpy_xtp", "XtpGateway")}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run")(run)
    app.command("install-strategies")(install_strategies)


def run(
    config: ConfigOption = None,
    mode: Annotated[
        str | None, typer.Option(help="paper (live is not offered in this version); default: the settings'.")
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help="Without a window.")] = False,
    seconds: Annotated[float, typer.Option(help="Stop by itself after so many seconds; 0 runs on.")] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Run the trading process until Ctrl+C.

    Example: aiagent run --mode paper --headless
    """
    if mode not in (None, "paper", "live"):
        raise ConfigError(f"--mode {mode!r} is unknown; use paper or live")
    if not headless:
        raise ConfigError("for a window run `python run_vnpy.py`; here add --headless")
    quiet_vnpy()
    from vnpy.trader.logger import logger

    from vnpy_aiagent.engine import AiAgentEngine
    from vnpy_aiagent.wiring import LIVE_REFUSAL

    logger.add(sys.stderr, level="INFO", format="{time:HH:mm:ss} {level} {extra[gateway_name]} {message}")
    if mode == "live" and LIVE_REFUSAL:
        raise ConfigError(LIVE_REFUSAL)
    given = {} if mode is None else {"mode": Mode[mode.upper()]}
    settings = user_settings(absolute(config) if config else None, **given)
    main_engine = _main_engine(settings.quote_gateway)
    try:
        engine = main_engine.add_engine(AiAgentEngine)
        engine.start(settings)
        sys.stderr.write(f"running in {settings.mode.name.lower()} mode; Ctrl+C stops\n")
        _wait(seconds)
        status = engine.status()
    finally:
        main_engine.close()
    if as_json:
        print_json(status)


def install_strategies(
    to: Annotated[Path | None, typer.Option(help="Folder; default: vnpy's own strategies folder.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files of yours that differ.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Put the strategy shims where vnpy's CTA apps find them.

    Example: aiagent install-strategies
    """
    quiet_vnpy()
    from vnpy.trader.utility import TRADER_DIR

    from vnpy_aiagent.cta.install import install_strategies as install

    folder = absolute(to) if to else TRADER_DIR / "strategies"
    written = install(folder, overwrite=overwrite)
    if as_json:
        print_json({"folder": str(folder), "files": [path.name for path in written]})
    else:
        for path in written:
            print_line(str(path))


def _main_engine(quotes: str) -> "MainEngine":
    """vnpy's engine; with the broker's gateway that quotes come from, connected as the trader saved it."""
    from vnpy.event import EventEngine
    from vnpy.trader.engine import MainEngine
    from vnpy.trader.utility import load_json

    if quotes not in BROKERS:
        return MainEngine(EventEngine())
    module, name = BROKERS[quotes]
    try:
        gateway = getattr(import_module(module), name)
    except ImportError:
        raise ConfigError(f'{module} is not installed; run pip install "vnpy_aiagent[gateways]"') from None
    saved = load_json(f"connect_{quotes.lower()}.json")
    if not saved:
        raise ConfigError(f"{quotes} has no saved connection; connect it once in VeighNa Trader")
    main_engine = MainEngine(EventEngine())
    try:
        main_engine.add_gateway(gateway)
        main_engine.connect(saved, quotes)
    except Exception as error:  # noqa: BLE001 - a foreign gateway; its threads must not outlive the refusal
        main_engine.close()
        detail = f"{type(error).__name__}: {error}"
        raise ConfigError(f"{quotes} did not connect ({detail}); check its saved connection") from None
    return main_engine


def _wait(seconds: float) -> None:
    """Until Ctrl+C or a polite request to end, or for some seconds."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        while not stop.wait(seconds or 1.0):
            if seconds:
                return
    except KeyboardInterrupt:
        sys.stderr.write("stopping\n")
