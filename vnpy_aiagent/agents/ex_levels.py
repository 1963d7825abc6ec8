"""Watched prices of a position (its stop, its price triggers) put on the level after an ex-day."""

from datetime import date

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.ex_day_fold import MoveLevel
from vnpy_aiagent.agents.monitoring import MonitoringAgent
from vnpy_aiagent.base import EVENT_AI_STOP
from vnpy_aiagent.domain import MARKET_TZ, StopUpdate, Text


class ExLevels:
    """Moves levels that were set before a day, and knows on which day each stop was last set."""

    def __init__(self, house: AgentContext, monitoring: MonitoringAgent) -> None:
        """Days of stops come from their messages, those of before a restart from `restore`."""
        self.monitoring = monitoring
        self._set_on: dict[tuple[str, str], date] = {}
        house.bus.subscribe(EVENT_AI_STOP, self.on_stop)

    def on_stop(self, message: object) -> None:
        """Note the day of a stop."""
        if isinstance(message, StopUpdate):
            self._set_on[message.account, message.symbol] = message.at.astimezone(MARKET_TZ).date()

    def is_older(self, account: str, symbol: str, day: date) -> bool:
        """Whether the position's stop was last set before a day."""
        return self._set_on.get((account, symbol), date.min) < day

    def move(self, account: str, symbol: str, day: date, level: MoveLevel, reason: Text, cause: str) -> None:
        """Put stop and triggers from before `day` where `level` puts them; later ones are right already."""
        stop = self.monitoring.stops.get(account, symbol)
        if stop is not None and self.is_older(account, symbol, day):
            price = level(stop.price)
            if price != stop.price:
                self.monitoring.move_stop(account, symbol, price, cause, reason)
        for spec in self.monitoring.book.of(account, symbol):
            if spec.price is not None and spec.at.astimezone(MARKET_TZ).date() < day:
                price = level(spec.price)
                if price != spec.price:
                    self.monitoring.triggers.adjust(spec, price, cause)
