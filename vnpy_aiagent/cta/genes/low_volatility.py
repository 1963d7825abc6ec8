"""Holds an uptrend while the share moves less than it usually does."""

import numpy as np

from vnpy_aiagent.cta.genes.base import GeneStrategy


class LowVolatilityStrategy(GeneStrategy):
    """Holds an uptrend while the share moves less than it usually does.

    window, long_window: days of the volatility and of what is usual. exit_factor: multiple of the usual at
    which it sells.
    """

    window: int = 20
    long_window: int = 60
    exit_factor: float = 1.5
    own_parameters = ("window", "long_window", "exit_factor")

    @property
    def history(self) -> int:
        """Complete days needed before the first decision."""
        return self.long_window + self.window + 2

    def wants(self) -> bool | None:
        """See the class."""
        closes = self.am.close
        changes = np.diff(closes) / closes[:-1]
        present = changes[-self.window :].std()
        usual = np.median(
            [changes[-self.window - n : -n or None].std() for n in range(0, self.long_window, self.window)]
        )
        if present > usual * self.exit_factor:
            return False
        calm = present <= usual and closes[-1] > self.am.sma(self.long_window)
        return True if calm else None
