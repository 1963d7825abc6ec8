"""Donchian channels: in above the long one, out below the short one, a stop of two ranges."""

from vnpy_aiagent.cta.genes.base import GeneStrategy


class TurtleStrategy(GeneStrategy):
    """Donchian channels: in above the long one, out below the short one, a stop of two ranges.

    entry_window, exit_window, atr_window: days. stop_ranges: average true ranges below the entry.
    """

    entry_window: int = 20
    exit_window: int = 10
    atr_window: int = 20
    stop_ranges: float = 2.0
    own_parameters = ("entry_window", "exit_window", "atr_window", "stop_ranges")

    @property
    def history(self) -> int:
        """Complete days needed before the first decision."""
        return max(self.entry_window, self.atr_window) + 2

    def wants(self) -> bool | None:
        """See the class."""
        am = self.am
        close = am.close[-1]
        if close < am.low[-self.exit_window - 1 : -1].min():
            return False
        return True if close > am.high[-self.entry_window - 1 : -1].max() else None

    def stop_price(self) -> float:
        """Average true ranges below the entry (CNY)."""
        return max(0.0, self.entry_price - self.stop_ranges * float(self.am.atr(self.atr_window)))
