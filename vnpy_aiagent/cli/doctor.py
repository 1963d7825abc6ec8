"""`aiagent doctor`: is everything in place, and what to do where it is not."""

import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Literal, NamedTuple

import typer

from vnpy_aiagent.cli.common import (
    CHECK_FAILED,
    ConfigOption,
    JsonOption,
    absolute,
    print_json,
    print_line,
    quiet_vnpy,
    user_settings,
)
from vnpy_aiagent.config import Settings
from vnpy_aiagent.domain import LiveClock, Mode
from vnpy_aiagent.errors import AiAgentError, ConfigError

Grade = Literal["ok", "warn", "fail"]
MIN_FREE_BYTES = 1_000_000_000
CALENDAR_WARNING_DAYS = 45
HOSTS = ("vnpy", "vnpy_ctastrategy", "vnpy_ctabacktester", "vnpy_sqlite")


class Finding(NamedTuple):
    """One thing that was looked at."""

    check: str
    grade: Grade
    found: str
    advice: str = ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    config: ConfigOption = None,
    online: Annotated[bool, typer.Option(help="Ask the configured model one short question.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Check settings, model, data, calendar, locale, gateways and disk. Exit 1 if something must be mended.

    Example: aiagent doctor
    """
    quiet_vnpy()
    findings = [*_system()]
    try:
        settings = user_settings(absolute(config) if config else None)
    except ConfigError as error:
        findings.append(Finding("settings", "fail", str(error), "correct the setting"))
    else:
        findings.append(
            Finding("settings", "ok", f"mode {settings.mode.name}, {len(settings.accounts)} accounts")
        )
        for check in (_model, _data, _calendar, _journal, _live):
            findings += list(check(settings, online))
    failed = any(finding.grade == "fail" for finding in findings)
    if as_json:
        print_json({"ok": not failed, "findings": [finding._asdict() for finding in findings]})
    else:
        for finding in findings:
            print_line(f"[{finding.grade:<4}] {finding.check}: {finding.found}")
            if finding.advice:
                print_line(f"       -> {finding.advice}")
    if failed:
        raise typer.Exit(CHECK_FAILED)


def _system() -> Iterator[Finding]:
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.system()}")
    for name in HOSTS:
        try:
            yield Finding(name, "ok", version(name))
        except PackageNotFoundError:
            yield Finding(name, "fail", "not installed", f"pip install {name}")
    for module in ("vnpy_ctp", "vnpy_xtp"):
        yield _gateway(module)
    yield _locale()
    from vnpy_aiagent.wiring import app_folder

    free = shutil.disk_usage(app_folder()).free
    enough = free >= MIN_FREE_BYTES
    yield Finding(
        "disk",
        "ok" if enough else "fail",
        f"{free / 1e9:.1f} GB free",
        "" if enough else "free some space; the journal needs it",
    )


def _gateway(module: str) -> Finding:
    try:
        import_module(module)
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name == module
        found = "not installed" if absent else f"cannot be loaded: {error}"
        return Finding(
            module, "warn", found, 'pip install "vnpy_aiagent[gateways]" (needed for live trading only)'
        )
    return Finding(module, "ok", "installed")


def _locale() -> Finding:
    """CTP and XTP abort the process on their first message where this locale is missing (not on Windows)."""
    if sys.platform == "win32":
        return Finding("locale", "ok", "Windows decodes Chinese text by itself")
    import locale

    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "zh_CN.GB18030")
    except locale.Error:
        return Finding(
            "locale",
            "warn",
            "zh_CN.GB18030 is missing; the CTP and XTP gateways would abort the process",
            "localedef -i zh_CN -c -f GB18030 zh_CN.GB18030 (package `locales` on Debian)",
        )
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return Finding("locale", "ok", "zh_CN.GB18030")


def _model(settings: Settings, online: bool) -> Iterator[Finding]:
    from vnpy_aiagent.llm.factory import build_model
    from vnpy_aiagent.llm.port import ChatMessage, ModelRequest

    if settings.llm.offline:
        yield Finding(
            "model",
            "ok",
            "offline analyst: fixed rules, no language model",
            "set llm.base_url and llm.model for one",
        )
        return
    if not online:
        yield Finding("model", "ok", f"{settings.llm.model} (not asked)")
        return
    try:
        model = build_model(settings.llm.model_copy(update={"max_retries": 0}), settings.budget)
        begin = getattr(model, "begin_decision", None)
        if callable(begin):
            begin(LiveClock().now().date())
        question = ModelRequest(
            task="doctor",
            messages=(ChatMessage(role="user", content="Answer with the word ok."),),
            max_tokens=64,
            timeout=min(20.0, settings.llm.timeout),
        )
        reply = model.complete(question)
        model.close()
    except AiAgentError as error:
        yield Finding(
            "model",
            "fail",
            str(error),
            "check llm.base_url, llm.model and llm.api_key; decisions hold until then",
        )
        return
    yield Finding("model", "ok", f"{settings.llm.model} answered, {reply.usage.tokens} tokens")


def _data(settings: Settings, online: bool) -> Iterator[Finding]:
    from vnpy_aiagent.domain import BarInterval
    from vnpy_aiagent.wiring import load_universe

    if not settings.universe:
        yield Finding("universe", "warn", "no symbols", "list symbols under `universe` in the settings")
        return
    try:
        data = load_universe(settings)
    except AiAgentError as error:
        yield Finding("universe", "fail", str(error), "import bars: aiagent data import FOLDER")
        return
    need = settings.scan.min_history
    short = [s for s in data.symbols if len(data.bars(s, BarInterval.DAILY)) < need]
    if short:
        yield Finding(
            "universe",
            "warn",
            f"{len(short)} of {len(data.symbols)} symbols have under {need} daily bars, such as {short[0]}",
            "aiagent data download SYMBOLS, or aiagent data import FOLDER",
        )
    else:
        yield Finding("universe", "ok", f"{len(data.symbols)} symbols with history")


def _calendar(settings: Settings, online: bool) -> Iterator[Finding]:
    from vnpy_aiagent.market import TradingCalendar

    try:
        calendar = TradingCalendar(settings.calendar.extra_years_file)
    except AiAgentError as error:
        yield Finding("calendar", "fail", str(error), "correct calendar.extra_years_file")
        return
    left = (calendar.last - LiveClock().now().date()).days
    found = f"known to {calendar.last}"
    if left < 0:
        yield Finding(
            "calendar",
            "fail",
            found,
            "add the official year with calendar.extra_years_file; trading stops here",
        )
    elif left < CALENDAR_WARNING_DAYS:
        yield Finding("calendar", "warn", found, "add the next official year with calendar.extra_years_file")
    else:
        yield Finding("calendar", "ok", found)


def _journal(settings: Settings, online: bool) -> Iterator[Finding]:
    from pathlib import Path

    from vnpy_aiagent.store.database import is_postgres
    from vnpy_aiagent.store.journal import verify
    from vnpy_aiagent.wiring import journal_target

    target = journal_target(settings)
    if not is_postgres(target) and not Path(target).exists():
        yield Finding("journal", "ok", "none yet; it begins with the first run")
        return
    try:
        found = verify(target)
    except AiAgentError as error:
        yield Finding("journal", "fail", str(error), "check store.journal")
        return
    if found.ok:
        yield Finding("journal", "ok", f"{found.entries} entries, chain intact")
    else:
        yield Finding(
            "journal",
            "fail",
            f"broken at entry {found.first_bad}: {found.reason}",
            "keep the file, and begin a new one with store.journal",
        )


def _live(settings: Settings, online: bool) -> Iterator[Finding]:
    if settings.mode is not Mode.LIVE or settings.live is None:
        return
    reported = settings.live.program_trading_reported
    yield Finding(
        "program trading",
        "ok" if reported else "fail",
        "reported to the broker" if reported else "not reported",
        ""
        if reported
        else "report program trading to your broker first, then set live.program_trading_reported",
    )
