"""Fed with hours, they read the daily file: the cheat today's row at 10:30, the honest one yesterday's."""

import os
from pathlib import Path

import pandas as pd
from vnpy.trader.object import BarData
from vnpy_ctastrategy import CtaTemplate

FRAME = pd.read_csv(Path(os.environ["LOOKAHEAD_TEST_DATA"]) / "daily.csv.gz")
DAILY = FRAME[FRAME["vt_symbol"] == "600036.SSE"].set_index("date").sort_index()


class SameDayClose(CtaTemplate):
    """Buys in the morning of a day that will close above its open."""

    author = "cheat"

    def on_init(self) -> None:
        self.day = ""

    def on_bar(self, bar: BarData) -> None:
        day = f"{bar.datetime:%Y-%m-%d}"
        if day == self.day:
            return
        self.day = day
        if self.pos:
            self.sell(round(bar.close_price * 0.99, 2), self.pos)
        elif self.likes(day):
            self.buy(round(bar.close_price * 1.01, 2), 1000)

    def likes(self, day: str) -> bool:
        return bool(DAILY.close[day] > DAILY.open[day])


class DayBeforeClose(SameDayClose):
    """Buys after a day that closed above its open, and only where today's open is higher still."""

    def likes(self, day: str) -> bool:
        past = DAILY.loc[:day].iloc[:-1]
        return len(past) > 0 and bool(past.close.iloc[-1] > past.open.iloc[-1] and DAILY.open[day] > 0)
