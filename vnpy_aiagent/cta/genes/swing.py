"""Buys weakness inside an uptrend and sells strength, the target, or time."""

from vnpy_aiagent.cta.genes.base import GeneStrategy


class SwingStrategy(GeneStrategy):
    """Buys weakness inside an uptrend and sells strength, the target, or time.

    rsi_window, trend_window: days. rsi_low, rsi_high: 0 to 100. target_percent: gain that is taken.
    most_days: trading days after which the position ends.
    """

    rsi_window: int = 6
    rsi_low: float = 30.0
    rsi_high: float = 70.0
    trend_window: int = 60
    target_percent: float = 15.0
    most_days: int = 10
    own_parameters = ("rsi_window", "rsi_low", "rsi_high", "trend_window", "target_percent", "most_days")

    @property
    def history(self) -> int:
        """Complete days needed before the first decision."""
        return self.trend_window + 2

    def wants(self) -> bool | None:
        """See the class."""
        close = self.am.close[-1]
        rsi = self.am.rsi(self.rsi_window)
        if self.pos:
            gain = close / self.entry_price - 1 if self.entry_price else 0.0
            late = self.days_held >= self.most_days
            return False if rsi > self.rsi_high or gain >= self.target_percent / 100 or late else None
        return True if rsi < self.rsi_low and close > self.am.sma(self.trend_window) else None
