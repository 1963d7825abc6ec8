"""Strategies that no check can judge, and one that does nothing."""

import random
from typing import Any

from vnpy.trader.object import BarData
from vnpy_ctastrategy import CtaTemplate


class Raises(CtaTemplate):
    """Divides by zero at its fifth bar."""

    author = "tests"

    def on_init(self) -> None:
        self.n = 5

    def on_bar(self, bar: BarData) -> None:
        self.n -= 1
        1 / self.n


class RaisesAtOnce(CtaTemplate):
    """Has no data at its start."""

    author = "tests"

    def on_init(self) -> None:
        raise RuntimeError("no model file")


class RaisesAsItIsMade(CtaTemplate):
    """Wants a setting that it does not get."""

    author = "tests"

    def __init__(self, cta_engine: Any, strategy_name: str, vt_symbol: str, setting: dict[str, Any]) -> None:
        super().__init__(cta_engine, strategy_name, vt_symbol, setting)
        self.lots = setting["lots"]

    def on_init(self) -> None:
        """Nothing to prepare."""


class Dice(CtaTemplate):
    """Decides by chance."""

    author = "tests"

    def on_init(self) -> None:
        """Nothing to prepare."""

    def on_bar(self, bar: BarData) -> None:
        if random.random() < 0.5:
            self.buy(bar.close_price, 100)


class Idle(CtaTemplate):
    """Does nothing."""

    author = "tests"

    def on_init(self) -> None:
        """Nothing to prepare."""
