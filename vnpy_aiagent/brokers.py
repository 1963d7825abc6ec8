"""Brokers' gateways of vnpy, as the commands use them: loaded, looked at, connected, left behind at the end.

A gateway is connected with the settings that VeighNa's own dialog saved: `connect_<name>.json` in vnpy's
folder.
"""

import re
import socket
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

from vnpy.trader.engine import MainEngine
from vnpy.trader.gateway import BaseGateway
from vnpy.trader.utility import load_json

from vnpy_aiagent.config import Settings
from vnpy_aiagent.domain import Mode
from vnpy_aiagent.errors import ConfigError

INSTALL = 'pip install "vnpy_aiagent[gateways]"'
LOCALE_COMMAND = "localedef -i zh_CN -c -f GB18030 zh_CN.GB18030 (package `locales` on Debian)"
REACH_SECONDS = 3.0
_ADDRESS = re.compile(r"(?:(?:tcp|ssl)://)?(?P<host>[^:/\s]+):(?P<port>\d{1,5})/?", re.IGNORECASE)


class Broker(NamedTuple):
    """A gateway package: its class, and which of its connect settings are needed and name a server.

    A front is (what it is for, key of its address, key of its port or empty where the address has it).
    `chinese_locale`: on Linux it decodes the broker's text through zh_CN.GB18030, and aborts without it.
    """

    module: str
    class_name: str
    needed: tuple[str, ...]
    fronts: tuple[tuple[str, str, str], ...]
    chinese_locale: bool


BROKERS: Mapping[str, Broker] = {
    "CTP": Broker(
        "vnpy_ctp",
        "CtpGateway",
        ("用户名", "密码", "经纪商代码", "交易服务器", "行情服务器"),
        (("trading", "交易服务器", ""), ("quotes", "行情服务器", "")),
        chinese_locale=True,
    ),
    "XTP": Broker(
        "vnpy_xtp",
        "XtpGateway",
        ("账号", "密码", "客户号", "行情地址", "行情端口", "交易地址", "交易端口", "授权码"),
        (("trading", "交易地址", "交易端口"), ("quotes", "行情地址", "行情端口")),
        chinese_locale=False,
    ),
}
"""Brokers by the name that vnpy gives their gateway."""


class Front(NamedTuple):
    """A server of a broker: what it is for and where. An address that cannot be one has port 0."""

    what: str
    host: str
    port: int


def connection_file(name: str) -> str:
    """The file in vnpy's folder in which VeighNa's dialog saves a gateway's connect settings."""
    return f"connect_{name.lower()}.json"


def saved_connection(name: str) -> dict[str, Any]:
    """A gateway's saved connect settings, empty where there are none. ConfigError for a broken file."""
    try:
        saved = load_json(connection_file(name))
    except (ValueError, OSError) as error:
        raise ConfigError(
            f"{connection_file(name)} cannot be read ({error}); connect {name} once in VeighNa Trader, "
            "which writes it anew"
        ) from None
    return saved if isinstance(saved, dict) else {}


def missing_fields(name: str, saved: Mapping[str, Any]) -> list[str]:
    """Connect settings that the broker needs and that are empty."""
    return [key for key in BROKERS[name].needed if str(saved.get(key, "")).strip() in ("", "0")]


def fronts(name: str, saved: Mapping[str, Any]) -> Iterator[Front]:
    """The servers that the connect settings name; not those behind a SOCKS proxy, which it alone reaches."""
    for what, where, port in BROKERS[name].fronts:
        address = str(saved.get(where, "")).strip()
        if address.lower().startswith("socks"):
            continue
        found = _ADDRESS.fullmatch(f"{address}:{saved.get(port, '')}" if port else address)
        number = int(found["port"]) if found else 0
        if found is None or not 0 < number < 65_536:
            yield Front(what, address, 0)
        else:
            yield Front(what, found["host"], number)


def unreachable(front: Front, seconds: float = REACH_SECONDS) -> str | None:
    """Why a server cannot be reached by TCP, None where it takes connections. Nothing is sent to it."""
    if not front.port:
        return f"{front.host!r} is no address with a port"
    try:
        socket.create_connection((front.host, front.port), seconds).close()
    except OSError as error:
        return str(error) or type(error).__name__
    return None


def gateways_needed(settings: Settings, *, live: bool | None = None) -> list[str]:
    """Names of the brokers' gateways that these settings take quotes from, and trade through where `live`.

    By default `live` is whether their mode is LIVE.
    """
    names = [settings.quote_gateway] if settings.quote_gateway in BROKERS else []
    if settings.mode is Mode.LIVE if live is None else live:
        for account in settings.accounts:
            names += [account.gateway, account.second_gateway]
    return [name for name in dict.fromkeys(names) if name]


def gateway_class(name: str) -> type[BaseGateway]:
    """The gateway's class. ConfigError where the name is unknown here, or its package does not load."""
    broker = BROKERS.get(name)
    if broker is None:
        known = ", ".join(BROKERS)
        raise ConfigError(
            f"gateway {name!r} is none that this command can load; it knows {known}. Load another one in "
            "your own script, with main_engine.add_gateway before the app starts"
        )
    try:
        found: type[BaseGateway] = getattr(import_module(broker.module), broker.class_name)
    except ModuleNotFoundError as error:
        if error.name != broker.module:
            raise ConfigError(f"{broker.module} needs {error.name}; run pip install {error.name}") from None
        raise ConfigError(f"{broker.module} is not installed; run {INSTALL}") from None
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"{broker.module} cannot be loaded ({error}); install it again: {INSTALL}"
        ) from None
    return found


def require_loaded(main_engine: MainEngine, names: list[str]) -> None:
    """ConfigError for the first gateway that is named in the settings and not loaded in vnpy."""
    for name in names:
        if name not in main_engine.gateways:
            loaded = ", ".join(main_engine.gateways) or "none"
            raise ConfigError(
                f"gateway {name!r} of an account is not loaded; loaded are {loaded}. Install its package "
                f"({INSTALL}) and start again, or correct `gateway` of the account"
            )


def has_chinese_locale() -> bool:
    """Whether zh_CN.GB18030 is there, without which CTP aborts the process (not asked on Windows)."""
    if sys.platform == "win32":
        return True
    import locale

    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "zh_CN.GB18030")
    except locale.Error:
        return False
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return True


def ready_connection(name: str) -> dict[str, Any]:
    """A gateway's saved connect settings, complete. ConfigError says what is missing and where it goes."""
    if BROKERS[name].chinese_locale and not has_chinese_locale():
        raise ConfigError(
            f"the locale zh_CN.GB18030 is missing, {name} would abort the process; run {LOCALE_COMMAND}"
        )
    saved = saved_connection(name)
    if not saved:
        raise ConfigError(
            f"{name} has no saved connection ({connection_file(name)}); connect it once in VeighNa Trader"
        )
    missing = missing_fields(name, saved)
    if missing:
        raise ConfigError(
            f"the saved connection of {name} lacks {', '.join(missing)}; fill it in where VeighNa Trader "
            f"connects {name} ({connection_file(name)})"
        )
    return saved


def add_gateways(main_engine: MainEngine, names: list[str]) -> dict[str, dict[str, Any]]:
    """Load brokers' gateways that are not loaded yet; connect settings of those that were, by name.

    ConfigError where one cannot be loaded or connected as it is saved; nothing is connected here.
    """
    connections: dict[str, dict[str, Any]] = {}
    for name in names:
        if name in main_engine.gateways:
            continue
        loaded = gateway_class(name)
        connections[name] = ready_connection(name)
        main_engine.add_gateway(loaded, name)
    return connections


def connect(main_engine: MainEngine, connections: Mapping[str, dict[str, Any]]) -> None:
    """Connect each; ConfigError where a gateway does not take its settings. A refused login is told later."""
    for name, saved in connections.items():
        try:
            main_engine.connect(saved, name)
        except Exception as error:  # noqa: BLE001 - a foreign gateway's own errors
            detail = f"{type(error).__name__}: {error}"
            raise ConfigError(f"{name} did not connect ({detail}); check its saved connection") from None


def leave(main_engine: MainEngine) -> bool:
    """Close everything but brokers' libraries; whether such a library is still connected.

    vnpy_ctp's `close` waits for its callback thread while it keeps Python's lock, so it can stand still for
    ever (docs/gateways.md), and no thread of Python could end it. The journal is complete when this returns.
    After True the process should end by `end_process`.
    """
    main_engine.event_engine.stop()
    for engine in main_engine.engines.values():
        engine.close()
    connected = False
    for gateway in main_engine.gateways.values():
        if is_connected_library(gateway):
            connected = True
        else:
            gateway.close()
    return connected


def is_connected_library(gateway: BaseGateway) -> bool:
    """Whether a gateway is a broker's C++ library that was connected."""
    modules = {broker.module for broker in BROKERS.values()}
    if type(gateway).__module__.partition(".")[0] not in modules:
        return False
    apis = (getattr(gateway, "td_api", None), getattr(gateway, "md_api", None))
    return any(getattr(api, "connect_status", False) for api in apis)


def end_process(status: int) -> NoReturn:
    """End at once, without waiting for a library's threads; output that was written is shown."""
    import os

    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)
