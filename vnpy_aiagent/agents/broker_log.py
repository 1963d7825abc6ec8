"""What a broker's gateway says in vnpy's log that a human should know: refused logins and orders, lost lines.

vnpy's gateways give the reason of a refused login or order in a log line alone. Here it becomes an alert,
which the journal keeps, with what to do about it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from vnpy.trader.event import EVENT_LOG
from vnpy.trader.object import LogData

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.domain import Mode, Severity, Text, say

AGAIN_AFTER = timedelta(seconds=60)


class Meaning(NamedTuple):
    """Words of a gateway's log line, how grave it is, and the alert of it."""

    words: tuple[str, ...]
    severity: Severity
    sentence: Callable[[str, str], Text]


def _login(gateway: str, line: str) -> Text:
    return say(
        "接口 {gateway}：{line}。它不会再自动登录（多次失败会锁定账户）：请核对连接设置里的用户名、密码、"
        "授权码和服务器地址，改好后重新启动",
        gateway=gateway,
        line=line,
    )


def _line_lost(gateway: str, line: str) -> Text:
    return say(
        "接口 {gateway}：{line}。恢复之前送不出委托；一直不恢复请检查网络，或重新启动",
        gateway=gateway,
        line=line,
    )


def _refusal(gateway: str, line: str) -> Text:
    return say("接口 {gateway}：{line}", gateway=gateway, line=line)


MEANINGS: tuple[Meaning, ...] = (
    Meaning(("登录失败", "授权验证失败"), Severity.CRITICAL, _login),
    Meaning(("连接断开",), Severity.WARNING, _line_lost),
    Meaning(
        (
            "委托失败",
            "委托请求发送失败",
            "状态更新",
            "撤单失败",
            "订阅失败",
            "接口报错",
            "成交找不到对应委托",
        ),
        Severity.WARNING,
        _refusal,
    ),
)
"""As vnpy_ctp 6.7.11.4 and vnpy_xtp 2.2.32.2.3 write them, in Chinese whatever vnpy's language is."""


class BrokerLog:
    """Turns such lines of the gateways that accounts trade through, or quotes come from, into alerts."""

    def __init__(self, house: AgentContext) -> None:
        """Listen to vnpy's log. The same line is told again after a minute at the earliest."""
        self.house = house
        self._told: dict[tuple[str, str], datetime] = {}
        settings = house.settings
        accounts = settings.accounts if settings.mode is Mode.LIVE else ()
        names = [name for account in accounts for name in account.gateways]
        self.gateways = frozenset(filter(None, (*names, settings.quote_gateway)))
        if self.gateways:
            house.bus.subscribe(EVENT_LOG, self.on_log)

    def on_log(self, line: LogData) -> None:
        """Tell a human what it means, if it means anything."""
        if line.gateway_name not in self.gateways:
            return
        for meaning in MEANINGS:
            if any(words in line.msg for words in meaning.words):
                self._tell(line, meaning)
                return

    def _tell(self, line: LogData, meaning: Meaning) -> None:
        house, now = self.house, self.house.clock.now()
        key = line.gateway_name, line.msg
        before = self._told.get(key)
        if before is not None and now - before < AGAIN_AFTER:
            return
        self._told = {each: at for each, at in self._told.items() if now - at < AGAIN_AFTER} | {key: now}
        account = house.account_of_gateway(line.gateway_name) if house.settings.mode is Mode.LIVE else None
        house.bus.alert(
            meaning.severity,
            meaning.sentence(line.gateway_name, line.msg.strip()),
            account=account.name if account else "",
        )
