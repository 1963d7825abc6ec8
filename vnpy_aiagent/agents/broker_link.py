"""What was heard of one gateway, and when: whether its account data is fresh, complete and quiet."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from vnpy.trader.object import TradeData

from vnpy_aiagent.domain import Text, say
from vnpy_aiagent.execution.broker_view import Difference
from vnpy_aiagent.execution.strangers import strange_sums

LOST_WORDS = ("断开", "断线", "中断", "disconnect", "connection lost", "offline")
BACK_WORDS = ("登录成功", "连接成功", "连接已恢复", "重连", "logged in", "connected", "reconnect")
ROUNDS = 2
"""Account data comes in turn with positions: two mean that positions were asked for in between."""


@dataclass(slots=True)
class Doubt:
    """A difference that was seen once: it is believed when the next look shows the same."""

    holdings: tuple[Difference, ...]
    cash: Decimal
    rounds: int


@dataclass(slots=True)
class Explained:
    """Cash that adjusted fills of our own orders explain (CNY), and how far off their prices may be."""

    cash: Decimal = Decimal(0)
    tolerance: Decimal = Decimal(0)


@dataclass(slots=True)
class BrokerLink:
    """One account's gateway. It begins, and after each loss is again, not reconciled.

    `since` is when hearing began (anew); `rounds` counts believable account data since then, `calm` those
    since the last order or trade. `strangers` are trades on orders that are not ours, whose cash is not in
    the book yet; `taken` are shares of them, by symbol, that are.
    """

    account: str
    gateway: str
    since: datetime
    reason: Text
    reconciled: bool = False
    cash: Decimal | None = None
    heard: datetime | None = None
    reported: datetime | None = None
    asked: datetime | None = None
    rounds: int = 0
    calm: int = 0
    due: datetime | None = None
    doubt: Doubt | None = None
    explained: Explained = field(default_factory=Explained)
    strangers: dict[str, TradeData] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)

    def by_people(self) -> dict[str, int]:
        """Shares that strange trades brought (positive) or took, and the book has not seen yet."""
        volumes = strange_sums(self.strangers.values()).volumes
        return {symbol: volume - self.taken.get(symbol, 0) for symbol, volume in volumes.items()}

    def lose(self, now: datetime, reason: Text) -> bool:
        """All that was heard is old now; whether the account was reconciled until now."""
        was, self.reconciled = self.reconciled, False
        self.since, self.reason = now, reason
        self.rounds = self.calm = 0
        self.doubt = None
        return was

    def hear_cash(self, now: datetime, cash: Decimal) -> None:
        """Account data came."""
        self.heard, self.cash = now, cash
        self.rounds += 1
        self.calm += 1

    def hear_report(self, now: datetime) -> None:
        """An order or a trade came: what was told before is old, and to be compared anew."""
        self.reported, self.due = now, None
        self.calm = 0

    def age(self, now: datetime) -> timedelta | None:
        """How old the account data is, None where there is none."""
        return now - self.heard if self.heard is not None else None

    def is_stale(self, now: datetime, limit: timedelta) -> bool:
        """Whether the account data is missing, older than the limit, or of a future."""
        age = self.age(now)
        return age is None or not -limit <= age <= limit

    def is_quiet(self, now: datetime, settle: timedelta) -> bool:
        """Whether everything was heard since hearing began, and orders and trades have come to rest."""
        rested = self.reported is None or not timedelta(0) <= now - self.reported < settle
        return self.calm >= ROUNDS and rested and now - self.since >= settle

    def objection(self, now: datetime, limit: timedelta) -> Text | None:
        """Why no order may be sent through this gateway now, None where one may."""
        if not self.reconciled:
            return say("账户 {account} 尚未与柜台核对一致：{why}", account=self.account, why=self.reason)
        age = self.age(now)
        if age is None or self.is_stale(now, limit):
            return say(
                "账户 {account} 的柜台资金数据已 {age} 秒未更新",
                account=self.account,
                age=f"{age.total_seconds():.0f}" if age is not None else "—",
            )
        return None


def link_news(line: str) -> bool | None:
    """What a gateway's log line says of its connection: False lost, True (back) up, None nothing."""
    text = line.lower()
    if any(word in text for word in ("失败", "fail", "行情")):  # quotes have a connection of their own
        return None
    if any(word in text for word in LOST_WORDS):
        return False
    return True if any(word in text for word in BACK_WORDS) else None
