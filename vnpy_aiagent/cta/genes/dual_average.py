"""Two moving averages: in while the fast one is above the slow one."""

from vnpy_aiagent.cta.genes.base import GeneStrategy


class DualAverageStrategy(GeneStrategy):
    """Two moving averages: in while the fast one is above the slow one.

    fast_window, slow_window: days.
    """

    fast_window: int = 10
    slow_window: int = 30
    own_parameters = ("fast_window", "slow_window")

    @property
    def history(self) -> int:
        """Complete days needed before the first decision."""
        return self.slow_window + 2

    def wants(self) -> bool | None:
        """See the class."""
        fast, slow = self.am.sma(self.fast_window), self.am.sma(self.slow_window)
        return bool(fast > slow)
