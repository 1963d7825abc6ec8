"""Reverts to the mean in calm markets and follows the trend in lively ones."""

from vnpy_aiagent.cta.genes.base import GeneStrategy


class VolatilityRegimeStrategy(GeneStrategy):
    """Reverts to the mean in calm markets and follows the trend in lively ones.

    window, long_window: days. deviations: standard deviations below the average that count as cheap.
    """

    window: int = 20
    long_window: int = 60
    deviations: float = 1.5
    own_parameters = ("window", "long_window", "deviations")

    @property
    def history(self) -> int:
        """Complete days needed before the first decision."""
        return self.long_window + 2

    def wants(self) -> bool | None:
        """See the class."""
        am = self.am
        close, average = am.close[-1], am.sma(self.window)
        if am.atr(self.window) > am.atr(self.long_window):
            return bool(close > average)
        deviation = am.std(self.window)
        if close <= average - self.deviations * deviation:
            return True
        return False if close >= average + deviation else None
