"""Reads the next bar's high from the engine's history."""

from vnpy.trader.object import BarData
from vnpy_ctastrategy import CtaTemplate


class NextHigh(CtaTemplate):
    """Buys where the next bar will reach 1 % above the close."""

    author = "cheat"

    def on_init(self) -> None:
        self.n = -1

    def on_bar(self, bar: BarData) -> None:
        self.n += 1
        history = self.cta_engine.history_data
        if self.pos:
            self.sell(round(bar.close_price * 0.95, 2), self.pos)
        elif self.n + 1 < len(history) and history[self.n + 1].high_price > bar.close_price * 1.01:
            self.buy(bar.close_price, 1000)
