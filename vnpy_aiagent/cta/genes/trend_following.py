"""Follows a directed trend: ADX above a threshold, price above its average."""

from vnpy_aiagent.cta.genes.base import GeneStrategy


class TrendFollowingStrategy(GeneStrategy):
    """Follows a directed trend: ADX above a threshold, price above its average.

    adx_window, average_window: days. adx_least: trend strength, 0 to 100.
    """

    adx_window: int = 14
    adx_least: float = 25.0
    average_window: int = 20
    own_parameters = ("adx_window", "adx_least", "average_window")

    @property
    def history(self) -> int:
        """Complete days needed before the first decision."""
        return 3 * max(self.adx_window, self.average_window)

    def wants(self) -> bool | None:
        """See the class."""
        close, average = self.am.close[-1], self.am.sma(self.average_window)
        if close < average:
            return False
        up = self.am.plus_di(self.adx_window) > self.am.minus_di(self.adx_window)
        return True if up and self.am.adx(self.adx_window) > self.adx_least else None
