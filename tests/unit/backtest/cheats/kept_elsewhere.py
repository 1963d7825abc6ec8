"""As copied_high, with the copy in a module beside it."""

from itertools import pairwise

import lookahead_keeper
from vnpy.trader.object import BarData
from vnpy_ctastrategy import CtaTemplate


class KeptElsewhere(CtaTemplate):
    """Buys where the next bar will reach 1 % above the close."""

    author = "cheat"

    def on_init(self) -> None:
        history = self.cta_engine.history_data
        lookahead_keeper.COPY = lookahead_keeper.COPY or {
            bar.datetime: after.high_price for bar, after in pairwise(history)
        }

    def on_bar(self, bar: BarData) -> None:
        if not self.pos and lookahead_keeper.COPY.get(bar.datetime, 0) > bar.close_price * 1.01:
            self.buy(bar.close_price, 1000)
        elif self.pos:
            self.sell(round(bar.close_price * 0.95, 2), self.pos)
