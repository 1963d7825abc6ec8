"""Joins an upward gap that holds until the close, and leaves once it is filled."""

from vnpy_aiagent.cta.genes.base import GeneStrategy


class GapStrategy(GeneStrategy):
    """Joins an upward gap that holds until the close, and leaves once it is filled.

    gap_percent: least gap between the close before and the open. most_days: trading days after which the
    position ends.
    """

    gap_percent: float = 2.0
    most_days: int = 10
    own_parameters = ("gap_percent", "most_days")

    floor: float = 0.0
    variables: list[str] = ["funds", "entry_price", "days_held", "floor"]  # noqa: RUF012 (the host's own attribute)

    def on_adjust(self, factor: float) -> None:
        """An ex-day of a backtest."""
        super().on_adjust(factor)
        self.floor *= factor

    @property
    def history(self) -> int:
        """Complete days needed before the first decision."""
        return 5

    def wants(self) -> bool | None:
        """See the class."""
        am = self.am
        if self.pos:
            filled = am.close[-1] < self.floor
            return False if filled or self.days_held >= self.most_days else None
        before = float(am.close[-2])
        gap = am.open[-1] / before - 1
        if gap >= self.gap_percent / 100 and am.close[-1] >= am.open[-1]:
            self.floor = before
            return True
        return None
