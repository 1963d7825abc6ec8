"""How often triggers may ask the model again: a cooldown and a daily cap by account and symbol."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from vnpy_aiagent.config import ReanalysisSettings
from vnpy_aiagent.domain import Text, say


class ReanalysisLimit:
    """Remembers today's re-analyses. Protective stops ask nobody and never come here."""

    def __init__(self, settings: ReanalysisSettings) -> None:
        """Begin with none."""
        self.settings = settings
        self._asked: dict[tuple[str, str], list[datetime]] = {}

    def restore(self, asked: Iterable[tuple[str, str, datetime]]) -> None:
        """Take (account, symbol, time) of re-analyses that a process before this one asked for."""
        for account, symbol, at in asked:
            self.note(account, symbol, at)

    def note(self, account: str, symbol: str, now: datetime) -> None:
        """A re-analysis is asked for; those of other days are forgotten."""
        today = now.date()
        for key in [key for key, times in self._asked.items() if times[-1].date() != today]:
            del self._asked[key]
        self._asked.setdefault((account, symbol), []).append(now)

    def refusal(self, account: str, symbol: str, now: datetime) -> Text | None:
        """The sentence that says why the model is not asked now, None where it may be."""
        times = [at for at in self._asked.get((account, symbol), ()) if at.date() == now.date()]
        if len(times) >= self.settings.per_day:
            return say(
                "{account} {symbol} 的触发条件已触发，但今日已重新分析 {count} 次（上限 {cap} 次），"
                "不再询问模型；止损照常有效",
                account=account,
                symbol=symbol,
                count=len(times),
                cap=self.settings.per_day,
            )
        if times and now - times[-1] < timedelta(seconds=self.settings.cooldown):
            return say(
                "{account} {symbol} 的触发条件已触发，但 {at} 刚重新分析过，间隔不足 {minutes} 分钟，"
                "不再询问模型；止损照常有效",
                account=account,
                symbol=symbol,
                at=f"{times[-1]:%H:%M:%S}",
                minutes=f"{self.settings.cooldown / 60:g}",
            )
        return None
