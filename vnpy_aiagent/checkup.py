"""Is everything in place, and what to do where it is not: for `aiagent doctor` and before going live."""

import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Literal, NamedTuple

from vnpy_aiagent.config import LlmSettings, ModelRole, Settings
from vnpy_aiagent.domain import LiveClock, Mode, Route
from vnpy_aiagent.errors import AiAgentError, ConfigError, KeyStoreError, RuleUnknown, UnknownSymbol
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
    for check in (_real_orders, _model, _sources, _data, _calendar, _journal, _live, _brokers, _risk_manager):
        yield from check(settings, online)


def check_live(settings: Settings, *, online: bool = True) -> Iterator[Finding]:
    """What must be in place before real orders: the report to the broker, each gateway, its connection."""
    yield from _live(settings, online)
    yield from _brokers(settings, online)


def check_logins(settings: Settings) -> Iterator[Finding]:
    """One real login at each broker that the settings name, in a process of its own; takes some seconds.

    A refused one counts at the broker, who may lock an account after several.
    """
    from vnpy_aiagent.brokers import BROKERS, gateways_needed
    from vnpy_aiagent.login_probe import ask_login

    for name in gateways_needed(settings, live=True):
        if name in BROKERS:
            good, found = ask_login(name)
            advice = "" if good else _login_advice(found)
            yield Finding("login", "ok" if good else "fail", found, advice)


def _login_advice(found: str) -> str:
    if "授权验证失败" in found:
        return "check 产品名称 (AppID) and 授权编码 (AuthCode) in the saved connection"
    if "登录失败" in found:
        return "check user and password in the saved connection; do not try often, brokers lock accounts"
    return "see the findings above on locale, gateway and front"


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
    """CTP aborts the process on its first message where this locale is missing (not on Windows)."""
    from vnpy_aiagent.brokers import LOCALE_COMMAND, has_chinese_locale

    if sys.platform == "win32":
        return Finding("locale", "ok", "Windows decodes Chinese text by itself")
    if has_chinese_locale():
        return Finding("locale", "ok", "zh_CN.GB18030")
    return Finding(
        "locale",
        "warn",
        "zh_CN.GB18030 is missing; the CTP gateway would abort the process",
        LOCALE_COMMAND,
    )


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
        check = "model" if role == "deep" else "quick model"
        first, *spares = llm.of(role).servers()
        yield _asked(check, first, online)
        if role == "deep" or (llm.quick is not None and llm.quick.fallbacks):
            for place, spare in enumerate(spares, 1):
                yield _asked(f"{check}, fallback {place}", spare, online)


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


def _sources(settings: Settings, online: bool) -> Iterator[Finding]:
    """Sources of bars in their order; those that are set up are asked for a few days where `online`."""
    from vnpy_aiagent.data.sources.overview import overview

    rows = overview(settings, LiveClock(), check=online)
    usable = [row for row in rows if row.state != "not set up"]
    for row in rows:
        said = f"{row.source}: {row.state}"
        if row.score is not None:
            said += f", score {row.score:.2f} at {row.checked_at}"
        if row.state == "fails":
            advice = f"{row.reason}; the next source takes its place, or remove it from data.order"
            yield Finding("data source", "warn", said, advice)
        else:
            yield Finding("data source", "ok", said, row.reason)
    if not usable:
        yield Finding(
            "data source",
            "warn",
            "none can be asked: bars are not downloaded",
            'pip install "vnpy_aiagent[akshare]", or another one of docs/data-sources.md',
        )


def _data(settings: Settings, online: bool) -> Iterator[Finding]:
    from vnpy_aiagent.domain import BarInterval
    from vnpy_aiagent.market import instrument_rules
    from vnpy_aiagent.wiring import load_universe, with_symbols

    if not settings.universe:
        yield Finding("universe", "warn", "no symbols", "list symbols under `universe` in the settings")
        return
    try:
        data = load_universe(with_symbols(settings))
        for symbol in data.symbols:
            instrument_rules(symbol, LiveClock().now().date())
    except (UnknownSymbol, RuleUnknown) as error:
        yield Finding("universe", "fail", str(error), "correct `universe` in the settings")
        return
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


def _real_orders(settings: Settings, online: bool) -> Iterator[Finding]:
    """Whether a run with these settings can send real orders, and what stands in their way."""
    if settings.mode is not Mode.LIVE:
        yield Finding("real orders", "ok", "held back: while AiAgent runs, only simulated gateways take any")
        return
    if find_spec("vnpy_paperaccount") is not None:
        yield Finding(
            "real orders",
            "warn",
            "vnpy_paperaccount is installed: where it is loaded it takes every order; AiAgent does not start",
            "start VeighNa without vnpy_paperaccount",
        )


def _risk_manager(settings: Settings, online: bool) -> Iterator[Finding]:
    """vnpy_riskmanager's limits on the size of one order. In PAPER they hold for CTA strategies only."""
    from vnpy.trader.utility import load_json

    from vnpy_aiagent.other_apps import ORDINARY_VOLUME, RISK_SETTING_FILE, size_limits

    through_host = settings.mode is Mode.LIVE or any(a.route is Route.CTA for a in settings.accounts)
    if find_spec("vnpy_riskmanager") is None or not through_host:
        return
    limits = size_limits(load_json(RISK_SETTING_FILE))
    if limits is None:
        yield Finding("vnpy_riskmanager", "ok", "does not limit the size of an order")
        return
    enough = limits[0] >= ORDINARY_VOLUME
    yield Finding(
        "vnpy_riskmanager",
        "ok" if enough else "warn",
        f"refuses orders over {limits[0]:,} shares or {limits[1]:,.0f} CNY where it is loaded",
        "" if enough else "raise 委托数量上限 in VeighNa's window 交易风控: A-share orders are often larger",
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


def _brokers(settings: Settings, online: bool) -> Iterator[Finding]:
    """The gateways that the settings name: loaded, with a complete saved connection, their servers reached.

    A wrong password is not found here: only a login tells (`aiagent doctor --login`).
    """
    from vnpy_aiagent.brokers import gateways_needed

    grade: Grade = "fail" if settings.mode is Mode.LIVE else "warn"
    for name in gateways_needed(settings, live=True):
        yield from _broker(name, grade, online)
    if settings.mode is Mode.LIVE:
        for account in settings.accounts:
            if not account.gateway:
                advice = "set its `gateway` to CTP or XTP, or remove the account"
                yield Finding("gateway", "fail", f"account {account.name} names no broker's gateway", advice)


def _broker(name: str, grade: Grade, online: bool) -> Iterator[Finding]:
    from vnpy_aiagent.brokers import BROKERS, fronts, gateway_class, ready_connection, unreachable

    if name not in BROKERS:
        advice = f"your own script has to load it; known here are {', '.join(BROKERS)}"
        yield Finding("gateway", "warn", f"{name} is not known here", advice)
        return
    try:
        gateway_class(name)
        saved = ready_connection(name)
    except ConfigError as error:
        yield Finding("gateway", grade, str(error), "then run aiagent doctor again")
        return
    yield Finding("gateway", "ok", f"{name}: loaded, connection saved")
    for front in fronts(name, saved) if online else ():
        where = f"{name} {front.what} server {front.host}:{front.port}"
        why = unreachable(front)
        if why is None:
            yield Finding("front", "ok", f"{where} takes connections")
            continue
        advice = "check the address in the saved connection, the network, and whether the broker is open now"
        yield Finding("front", grade, f"{where} does not answer ({why})", advice)
