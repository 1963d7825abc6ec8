"""Orders that could not be sent, written down for a human: alert, event, and today's list."""

from collections.abc import Iterable

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.base import EVENT_AI_SLIP
from vnpy_aiagent.domain import MARKET_TZ, Intent, ManualSlip, Severity, Side, Text, say


class SlipBook:
    """Today's slips. An order that is tried again every minute stands there once, at its last price."""

    def __init__(self, house: AgentContext) -> None:
        """Begin empty."""
        self.house = house
        self._slips: dict[tuple[object, ...], ManualSlip] = {}

    def write(self, intent: Intent, reason: Text) -> None:
        """Tell a human which order was not sent, and why."""
        slip = self.house.bus.post(
            ManualSlip,
            EVENT_AI_SLIP,
            cause=intent.id,
            account=intent.account,
            symbol=intent.symbol,
            side=intent.side,
            volume=intent.volume,
            price=intent.price,
            gateway=intent.gateway,
            reason=reason,
        )
        self.house.bus.alert(Severity.CRITICAL, slip_text(slip), cause=intent.id, account=intent.account)
        self.take((slip,))

    def take(self, slips: Iterable[ManualSlip]) -> None:
        """Add slips, such as those from before a restart; earlier days are forgotten."""
        for slip in slips:
            key = slip.account, slip.symbol, slip.side, slip.volume, slip.gateway
            self._slips.pop(key, None)
            self._slips[key] = slip
        self._slips = {key: slip for key, slip in self._slips.items() if self._is_of_today(slip)}

    def today(self) -> list[ManualSlip]:
        """Slips of the present day, oldest first."""
        return [slip for slip in self._slips.values() if self._is_of_today(slip)]

    def _is_of_today(self, slip: ManualSlip) -> bool:
        return slip.at.astimezone(MARKET_TZ).date() == self.house.today()


def slip_text(slip: ManualSlip) -> Text:
    """A slip as one sentence."""
    return say(
        "请人工处理：{account} {side} {symbol} {volume} 股，限价 {price}（接口 {gateway}）：{reason}",
        account=slip.account,
        side="买入" if slip.side is Side.BUY else "卖出",
        symbol=slip.symbol,
        volume=slip.volume,
        price=slip.price,
        gateway=slip.gateway,
        reason=slip.reason,
    )
