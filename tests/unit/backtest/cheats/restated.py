"""They hold a share while its earnings grow: the cheat by figures as they were restated later."""

import csv
import os
from datetime import date
from pathlib import Path

from vnpy.trader.object import BarData
from vnpy_ctastrategy import CtaTemplate

with (Path(os.environ["LOOKAHEAD_TEST_DATA"]) / "facts.csv").open(encoding="utf-8") as source:
    ROWS = list(csv.DictReader(source))


class Restated(CtaTemplate):
    """Takes the latest figure of each period that has ended."""

    author = "cheat"

    def on_init(self) -> None:
        """Nothing to prepare."""

    def on_bar(self, bar: BarData) -> None:
        figures = {
            row["period"]: float(row["value"]) for row in ROWS if self.may_use(row, bar.datetime.date())
        }
        good = bool(figures) and figures[max(figures)] > 100
        if good and not self.pos:
            self.buy(round(bar.close_price * 1.02, 2), 1000)
        elif self.pos and not good:
            self.sell(round(bar.close_price * 0.98, 2), self.pos)

    def may_use(self, row: dict[str, str], today: date) -> bool:
        return date.fromisoformat(row["period"]) < today


class AsPublished(Restated):
    """Takes the figures that were known before today."""

    def may_use(self, row: dict[str, str], today: date) -> bool:
        return date.fromisoformat(row["available_at"]) < today
