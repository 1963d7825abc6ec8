"""Lessons: what closed trades of one setup in one regime have shown, in counted outcomes.

A sample is one (symbol, entry day, setup): accounts that traded the same idea on the same day count once, by
their mean return. The adjustment to confidence is (smoothed win rate - 1/2) x 0.5, smoothed by one win and
one loss, within [-0.20, +0.10]. A lesson is confirmed from three samples on; before that it changes nothing.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from vnpy_aiagent.domain import Lesson, Text, TradeRecord, say

CONFIRM_SAMPLES = 3
SLOPE = 0.5
LOWEST, HIGHEST = -0.20, 0.10


@dataclass(frozen=True, slots=True)
class LessonDraft:
    """A lesson before it is journaled."""

    setup: str
    regime: str
    wins: int
    losses: int
    mean_return: float
    adjustment: float
    confirmed: bool
    trades: tuple[str, ...]
    text: Text


class LessonBook:
    """Closed trades grouped by setup and regime, and the latest lesson of each group."""

    def __init__(self) -> None:
        """Begin without experience."""
        self._trades: dict[tuple[str, str], list[TradeRecord]] = defaultdict(list)
        self._lessons: dict[tuple[str, str], Lesson] = {}
        self._changed: set[tuple[str, str]] = set()

    def add_trade(self, trade: TradeRecord) -> None:
        """Take a closed trade into account at the next review."""
        key = trade.setup, trade.regime
        self._trades[key].append(trade)
        self._changed.add(key)

    def add_lesson(self, lesson: Lesson) -> None:
        """Take a journaled lesson as the latest of its group."""
        self._lessons[lesson.setup, lesson.regime] = lesson

    def drafts(self) -> list[LessonDraft]:
        """New lessons for the groups that gained trades since the last call."""
        changed, self._changed = sorted(self._changed), set()
        return [self._draft(setup, regime) for setup, regime in changed]

    def recent(self, regime: str = "", limit: int = 8) -> tuple[Lesson, ...]:
        """Latest lessons: those of the regime first, then by number of outcomes."""
        lessons = sorted(
            self._lessons.values(),
            key=lambda lesson: (lesson.regime != regime, -(lesson.wins + lesson.losses), lesson.setup),
        )
        return tuple(lessons[:limit])

    def _draft(self, setup: str, regime: str) -> LessonDraft:
        trades = self._trades[setup, regime]
        samples: dict[tuple[str, date], list[float]] = defaultdict(list)
        for trade in trades:
            samples[trade.symbol, trade.opened].append(trade.return_ratio)
        means = [sum(values) / len(values) for values in samples.values()]
        wins = sum(1 for mean in means if mean > 0)
        losses = len(means) - wins
        rate = (wins + 1) / (len(means) + 2)
        adjustment = round(min(HIGHEST, max(LOWEST, (rate - 0.5) * SLOPE)), 4)
        mean_return = round(sum(means) / len(means), 6)
        return LessonDraft(
            setup=setup,
            regime=regime,
            wins=wins,
            losses=losses,
            mean_return=mean_return,
            adjustment=adjustment,
            confirmed=len(means) >= CONFIRM_SAMPLES,
            trades=tuple(trade.id for trade in trades),
            text=say(
                "{setup} 形态在 {regime} 行情：{wins} 胜 {losses} 负，平均收益 {mean}，把握调整 {adjustment}",
                setup=setup,
                regime=regime,
                wins=wins,
                losses=losses,
                mean=f"{mean_return * 100:+.2f}%",
                adjustment=f"{adjustment:+.3f}",
            ),
        )
