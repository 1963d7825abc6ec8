"""What the control commands print for people: an answer of the system, running or at rest, as lines."""

from collections.abc import Iterator, Mapping
from typing import Any

from vnpy_aiagent.i18n import Localizer

NAME_WIDTH = 14


def control_lines(result: Mapping[str, Any], tell: Localizer) -> list[str]:
    """An answer's lines in the localizer's language. Errors of the running system come as it wrote them."""
    command = str(result.get("command", "status")).replace("_", "-")
    if "error" in result:
        return [f"{command}: {result['error']}"]
    if False in (result.get("approved"), result.get("refused")):
        return [f"{command}: " + tell("已不在等待，或现在不能再发送；没有发出任何委托")]
    if "volume" in result:
        return [f"{command}: " + tell("完成，{volume} 股", volume=result["volume"])]
    if "state" not in result:
        return [f"{command}: " + tell("运行中的系统已执行"), *_left(result, tell)]
    return list(_status(result, tell))


def _left(result: Mapping[str, Any], tell: Localizer) -> Iterator[str]:
    """What a flatten leaves."""
    for held in result.get("locked", ()):
        yield "  " + tell("现在不能卖，有机会即卖：{held}", held=held)
    for held in result.get("external", ()):
        yield "  " + tell("人工接管，不卖：{held}", held=held)


def _status(result: Mapping[str, Any], tell: Localizer) -> Iterator[str]:
    paused = tell("（AI 暂停）") if result["paused"] else ""
    running = tell("运行中") if result.get("running") else tell("未运行")
    yield f"{result['state']}{paused}  {result['mode']}  {running}"
    for account in result["accounts"]:
        yield from _account(account, tell)
    for asked in result.get("approvals", ()):
        figures = {
            name: asked[name] for name in ("id", "account", "side", "symbol", "volume", "price", "lapses_at")
        }
        yield "? " + tell(
            "{id} {account} {side} {symbol} {volume}，价格 {price} 元，{lapses_at} 失效；"
            "批准：aiagent approve {id}",
            **figures,
        )
    for intent in result.get("unknown_orders", ()):
        yield "? " + tell("委托 {intent} 状态不明；核对柜台后用 aiagent settle-order {intent}", intent=intent)
    guard = result.get("paper_guard", {})
    if guard.get("on"):
        held = ", ".join(guard["gateways"]) or tell("没有加载")
        yield tell(
            "不发真实委托：已封住的接口 {held}；已拒绝委托 {refused} 笔", held=held, refused=guard["refused"]
        )
    for alert in result["alerts"]:
        yield f"! {alert}"


def _account(account: Mapping[str, Any], tell: Localizer) -> Iterator[str]:
    held = ", ".join(f"{symbol} {volume}" for symbol, volume in account["positions"].items()) or "-"
    cash = tell("现金 {cash} 元", cash=f"{account['cash']:>16,.2f}")
    yield f"{account['name']:<{NAME_WIDTH}} {cash}   {held}"
    for symbol, volume in account.get("external", {}).items():
        yield f"{'':<{NAME_WIDTH}} " + tell("人工接管：{symbol} {volume}", symbol=symbol, volume=volume)
    for reason in account.get("reasons", ()):
        yield f"{'':<{NAME_WIDTH}} " + tell("不发委托：{reason}", reason=reason)
