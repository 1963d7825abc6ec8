"""Buys a close above the highest price of the days before on high volume."""

from vnpy_aiagent.cta.genes.base import GeneStrategy


class BreakoutStrategy(GeneStrategy):
    """Buys a close above the highest price of the days before on high volume.

    entry_window, exit_window: days. volume_factor: multiple of the mean volume.
    """

    entry_window: int = 20
    exit_window: int = 10
    volume_factor: float = 1.5
    own_parameters = ("entry_window", "exit_window", "volume_factor")

    @property
    def history(self) -> int:
        """Complete days needed before the first decision."""
        return self.entry_window + 2

    def wants(self) -> bool | None:
        """See the class."""
        am = self.am
        close, volume = am.close[-1], am.volume[-1]
        if close < am.low[-self.exit_window - 1 : -1].min():
            return False
        above = close > am.high[-self.entry_window - 1 : -1].max()
        busy = volume > self.volume_factor * am.volume[-self.entry_window - 1 : -1].mean()
        return True if above and busy else None
