"""Buys far below the average and sells on the way back to it."""

from vnpy_aiagent.cta.genes.base import GeneStrategy


class MeanReversionStrategy(GeneStrategy):
    """Buys far below the average and sells on the way back to it.

    window: days. entry_deviations: standard deviations below the average.
    """

    window: int = 20
    entry_deviations: float = 2.0
    own_parameters = ("window", "entry_deviations")

    @property
    def history(self) -> int:
        """Complete days needed before the first decision."""
        return self.window + 2

    def wants(self) -> bool | None:
        """See the class."""
        deviation = self.am.std(self.window)
        if not deviation > 0:
            return None
        score = (self.am.close[-1] - self.am.sma(self.window)) / deviation
        if score <= -self.entry_deviations:
            return True
        return False if score >= 0 else None
