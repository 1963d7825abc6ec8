"""`aiagent run`: the trading process. `aiagent install-strategies`: the shims into vnpy's folder."""

import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from vnpy_aiagent.cli.common import (
    BAD_USAGE,
    ConfigOption,
    JsonOption,
    absolute,
    ended_by_signals,
    print_json,
    print_line,
    quiet_vnpy,
    user_settings,
    wait_for_end,
)
from vnpy_aiagent.config import Settings
from vnpy_aiagent.domain import Mode
from vnpy_aiagent.errors import AiAgentError, ConfigError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run")(run)
    app.command("install-strategies")(install_strategies)


def run(
    config: ConfigOption = None,
    mode: Annotated[str | None, typer.Option(help="paper or live; default: the settings'.")] = None,
    headless: Annotated[bool, typer.Option("--headless", help="Without a window.")] = False,
    seconds: Annotated[float, typer.Option(help="Stop by itself after so many seconds; 0 runs on.")] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Run the trading process until Ctrl+C. Brokers' gateways that the settings name are connected as saved.

    Example: aiagent run --mode paper --headless
    """
    if mode not in (None, "paper", "live"):
        raise ConfigError(f"--mode {mode!r} is unknown; use paper or live")
    if not headless:
        raise ConfigError("for a window run `python run_vnpy.py`; here add --headless")
    quiet_vnpy()
    from vnpy.event import EventEngine
    from vnpy.trader.engine import MainEngine
    from vnpy.trader.logger import logger

    from vnpy_aiagent import brokers
    from vnpy_aiagent.engine import AiAgentEngine
    from vnpy_aiagent.wiring import LIVE_REFUSAL

    logger.add(sys.stderr, level="INFO", format="{time:HH:mm:ss} {level} {extra[gateway_name]} {message}")
    if mode == "live" and LIVE_REFUSAL:
        raise ConfigError(LIVE_REFUSAL)
    given = {} if mode is None else {"mode": Mode[mode.upper()]}
    settings = user_settings(absolute(config) if config else None, **given)
    if settings.mode is Mode.LIVE:
        _require_ready(settings)
    status: dict[str, Any] = {}
    refusal: AiAgentError | None = None
    with ended_by_signals() as stop:
        main_engine = MainEngine(EventEngine())
        try:
            connections = brokers.add_gateways(main_engine, brokers.gateways_needed(settings))
            engine = main_engine.add_engine(AiAgentEngine)
            engine.start(settings)
            brokers.connect(main_engine, connections)
            sys.stderr.write(f"running in {settings.mode.name.lower()} mode; Ctrl+C stops\n")
            sys.stderr.flush()
            wait_for_end(seconds, stop)
            status = engine.status()
        except AiAgentError as error:
            refusal = error
        finally:
            connected = brokers.leave(main_engine)
    if refusal is None and as_json:
        print_json(status)
    if connected:
        _leave_library(refusal)
    if refusal is not None:
        raise refusal


def _require_ready(settings: Settings) -> None:
    """For real orders nothing that the settings name may be missing: ConfigError with every reason.

    A server that does not answer is told and no reason to stop: fronts open later than this may start.
    """
    from vnpy_aiagent.checkup import check_live

    findings = [*check_live(settings)]
    for finding in findings:
        if finding.grade != "ok" and finding.check == "front":
            sys.stderr.write(f"{finding.found}: {finding.advice}\n")
    missing = [each for each in findings if each.grade == "fail" and each.check != "front"]
    if missing:
        reasons = "; ".join(f"{each.check}: {each.found} ({each.advice})" for each in missing)
        raise ConfigError(f"not ready for mode LIVE: {reasons}")


def _leave_library(refusal: AiAgentError | None) -> NoReturn:
    """End without waiting for the threads of a broker's library, which may never end."""
    from vnpy_aiagent import brokers

    sys.stderr.write("the journal is complete; the broker's connection ends with this process\n")
    if refusal is not None:
        sys.stderr.write(f"error: {refusal}\n")
    brokers.end_process(0 if refusal is None else BAD_USAGE)


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
