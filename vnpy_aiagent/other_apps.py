"""Other vnpy apps that change what `main_engine.send_order` does: vnpy_riskmanager and vnpy_paperaccount.

The risk manager may refuse an order and says why in its own log only. The paper account takes every order
itself, whatever gateway it names, and fills it against quotes: no real order leaves while it is loaded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vnpy.trader.engine import MainEngine
from vnpy.trader.object import OrderRequest

from vnpy_aiagent.domain import Mode, Text, say
from vnpy_aiagent.errors import ConfigError

RISK_MANAGER = "RiskManager"
PAPER_ACCOUNT = "PaperAccount"
PAPER_GATEWAY = "PAPER"
RISK_SETTING_FILE = "risk_manager_setting.json"
SIZE_RULE = "委托规模检查"
SIZE_DEFAULTS = {"active": True, "order_volume_limit": 500, "order_value_limit": 1_000_000}
"""Of vnpy_riskmanager 2.0.0 (vnpy_riskmanager/rules/order_size_rule.py): shares, and CNY."""
ORDINARY_VOLUME = 10_000
"""Shares. A risk manager that refuses an order of 100 lots is worth a warning."""


def swallows_orders(main_engine: MainEngine) -> bool:
    """Whether vnpy_paperaccount is loaded: it takes all orders that go through the MainEngine."""
    return PAPER_ACCOUNT in main_engine.engines


def require_real_orders(main_engine: MainEngine, mode: Mode) -> None:
    """Before a start: ConfigError in mode LIVE while vnpy_paperaccount is loaded."""
    if mode is Mode.LIVE and swallows_orders(main_engine):
        raise ConfigError(
            "vnpy_paperaccount is loaded and takes every order itself, so that none reaches the broker; "
            "start VeighNa without it, or use mode PAPER"
        )


def swallowed(gateway: str) -> Text:
    """Why an order is not sent while vnpy_paperaccount is loaded."""
    return say(
        "模拟交易（vnpy_paperaccount）会截走发往接口 {gateway} 的委托，委托未发送；"
        "请卸载该应用后重启 VeighNa",
        gateway=gateway,
    )


class Overheard:
    """What the risk manager said of an order while it was being sent."""

    def __init__(self) -> None:
        """Nothing was said yet."""
        self.words: list[str] = []

    def reason(self, gateway: str) -> Text | None:
        """Why the order was not taken, None where the risk manager had no part in it."""
        if not self.words:
            return None
        return say(
            "VeighNa 风控（vnpy_riskmanager）拦截了发往接口 {gateway} 的委托：{why}；"
            "请在“交易风控”中核对上限",
            gateway=gateway,
            why=self.words[-1].partition("：OrderRequest(")[0],
        )


@contextmanager
def overhearing(main_engine: MainEngine) -> Iterator[Overheard]:
    """Listen to what the risk manager writes in its log while an order is being sent."""
    engine: Any = main_engine.engines.get(RISK_MANAGER)
    heard = Overheard()
    if engine is None:
        yield heard
        return
    write_log = engine.write_log

    def listen(msg: str) -> None:
        heard.words.append(str(msg))
        write_log(msg)

    before = vars(engine).get("write_log")
    engine.write_log = listen
    try:
        yield heard
    finally:
        if before is None:
            del engine.write_log
        else:
            engine.write_log = before


def send_through_host(main_engine: MainEngine, request: OrderRequest, gateway_name: str) -> str | Text:
    """Send an order as vnpy's own apps do: the vt_orderid; an empty string, or why, where none was taken.

    ConfigError where another app gave the order to some other gateway: its fate is open.
    """
    if swallows_orders(main_engine):
        return swallowed(gateway_name)
    with overhearing(main_engine) as heard:
        vt_orderid = str(main_engine.send_order(request, gateway_name) or "")
    if not vt_orderid:
        return heard.reason(gateway_name) or ""
    require_own(vt_orderid, gateway_name)
    return vt_orderid


def require_own(vt_orderid: str, gateway_name: str) -> None:
    """ConfigError where an order that was sent is not one of the gateway's."""
    if not vt_orderid.startswith(f"{gateway_name}."):
        raise ConfigError(
            f"another app took the order for {gateway_name}, as {vt_orderid}: look it up there; unload it"
        )


def size_limits(setting: dict[str, Any]) -> tuple[int, float] | None:
    """Shares and CNY an order may have by the risk manager's settings file, None where that rule is off."""
    rule = SIZE_DEFAULTS | dict(setting.get(SIZE_RULE, {}))
    if not rule["active"]:
        return None
    return int(rule["order_volume_limit"]), float(rule["order_value_limit"])


def small_limits(main_engine: MainEngine) -> Text | None:
    """A warning where the loaded risk manager refuses ordinary orders in shares, None where it does not."""
    engine: Any = main_engine.engines.get(RISK_MANAGER)
    limits = size_limits(engine.setting) if engine is not None else None
    if limits is None or limits[0] >= ORDINARY_VOLUME:
        return None
    return say(
        "VeighNa 风控（vnpy_riskmanager）的委托数量上限为 {volume} 股，会拦截普通的 A 股委托；"
        "请在“交易风控”中调高",
        volume=limits[0],
    )
