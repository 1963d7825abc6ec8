"""Is everything in place, and what to do where it is not: for `aiagent doctor` and before going live."""

import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Literal, NamedTuple

from vnpy_aiagent.config import LlmSettings, ModelRole, Settings
from vnpy_aiagent.domain import LiveClock, Mode
from vnpy_aiagent.errors import AiAgentError, KeyStoreError
from vnpy_aiagent.i18n import show, translator
from vnpy_aiagent.keys import with_key

Grade = Literal["ok", "warn", "fail"]
MIN_FREE_BYTES = 1_000_000_000
CALENDAR_WARNING_DAYS = 45
HOSTS = ("vnpy", "vnpy_ctastrategy", "vnpy_ctabacktester", "vnpy_datamanager", "vnpy_sqlite")


class Finding(NamedTuple):
    """One thing that was looked at."""

    check: str
    grade: Grade
    found: str
    advice: str = ""


def check_system() -> Iterator[Finding]:
    """Python, the host's packages, gateways, locale, disk."""
    yield from _system()


def check_settings(settings: Settings, *, online: bool = True) -> Iterator[Finding]:
    """What these settings name: model (asked one short question where `online`), data, calendar, journal."""
    yield Finding("settings", "ok", f"mode {settings.mode.name}, {len(settings.accounts)} accounts")
    for check in (_model, _data, _calendar, _journal, _live):
        yield from check(settings, online)


def _system() -> Iterator[Finding]:
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.system()}")
    for name in HOSTS:
        try:
            yield Finding(name, "ok", version(name))
        except PackageNotFoundError:
            yield Finding(name, "fail", "not installed", f"pip install {name}")
    for module in ("vnpy_ctp", "vnpy_xtp"):
        yield _gateway(module)
    yield _akshare()
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


def _akshare() -> Finding:
    """The source of `data download`, of the download buttons, and of bars that a universe lacks."""
    from vnpy_aiagent.data.akshare_source import is_installed

    if is_installed():
        return Finding("akshare", "ok", "installed")
    return Finding(
        "akshare", "warn", "not installed", 'pip install "vnpy_aiagent[akshare]" (needed to download bars)'
    )


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
    if settings.llm.offline:
        yield Finding(
            "model",
            "ok",
            "offline analyst: fixed rules, no language model",
            "set llm.base_url and llm.model for one",
        )
        return
    try:
        llm = with_key(settings).llm
    except KeyStoreError as error:
        yield Finding("key", "fail", str(error), "give the key as AIAGENT_LLM__API_KEY, or in the window")
        return
    roles: tuple[ModelRole, ...] = ("deep",) if llm.quick is None else ("deep", "quick")
    for role in roles:
        yield _asked("model" if role == "deep" else "quick model", llm.of(role), online)


def _asked(check: str, llm: LlmSettings, online: bool) -> Finding:
    from vnpy_aiagent.llm.probe import probe

    if not online:
        return Finding(check, "ok", f"{llm.model} (not asked)")
    found = probe(llm)
    said = show(found.sentence, translator("en"))
    if found.ok:
        return Finding(check, "ok", f"{said}, {found.latency_ms} ms, {found.tokens} tokens")
    advice = "check llm.base_url, llm.model and llm.api_key; decisions hold until then"
    return Finding(check, "fail", said, advice)


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
    counts = {s: len(data.bars(s, BarInterval.DAILY)) for s in data.symbols}
    bare = [s for s, count in counts.items() if not count]
    short = [s for s, count in counts.items() if count < need]
    if bare:
        yield Finding(
            "universe",
            "fail",
            f"{len(bare)} of {len(counts)} symbols have no daily bars, such as {bare[0]}",
            "aiagent data download SYMBOLS, or aiagent data import FOLDER; a start downloads them too",
        )
    elif short:
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
