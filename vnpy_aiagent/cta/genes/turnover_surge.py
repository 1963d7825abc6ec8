"""Joins a rising day whose volume is far above the usual, for a few days."""

from vnpy_aiagent.cta.genes.base import GeneStrategy


class TurnoverSurgeStrategy(GeneStrategy):
    """Joins a rising day whose volume is far above the usual, for a few days.

    window: days of the usual volume. volume_factor: multiple of it. rise_percent: least rise of the day.
    most_days: trading days after which the position ends.
    """

    window: int = 20
    volume_factor: float = 2.0
    rise_percent: float = 2.0
    most_days: int = 5
    own_parameters = ("window", "volume_factor", "rise_percent", "most_days")

    @property
    def history(self) -> int:
        """Complete days needed before the first decision."""
        return self.window + 2

    def wants(self) -> bool | None:
        """See the class."""
        am = self.am
        if self.pos:
            return False if self.days_held >= self.most_days else None
        surge = am.volume[-1] > self.volume_factor * am.volume[-self.window - 1 : -1].mean()
        rise = am.close[-1] / am.close[-2] - 1
        return True if surge and rise >= self.rise_percent / 100 else None
