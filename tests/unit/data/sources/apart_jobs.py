"""Jobs and providers for processes of their own: functions of a module, so that they can be sent."""

import os
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

from vnpy_aiagent.config import Settings
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.fact_sources.dataset import Arguments, Call, Dataset
from vnpy_aiagent.data.fact_sources.providers import Provider, Rows
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.apart import Tell
from vnpy_aiagent.data.sources.port import BarRequest, Turn
from vnpy_aiagent.domain.text import say


def double(given: int, tell: Tell) -> tuple[int, int]:
    """Twice, and in which process."""
    return 2 * given, os.getpid()


def chat(given: list[str], tell: Tell) -> str:
    """Tell all words, and what was answered to them."""
    try:
        for word in given:
            tell(word)
    except ValueError as error:
        return str(error)
    return "heard"


def absent(_: object, tell: Tell) -> None:
    """A source without an answer."""
    raise SourceAbsence("x", AbsenceKind.LIMITED, say("{source} 太忙", source="x"))


class Odd(Exception):
    """Cannot be rebuilt."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def odd(_: object, tell: Tell) -> None:
    """Raise what cannot be sent."""
    raise Odd("a", "b")


def die(_: object, tell: Tell) -> None:
    """End the process, as a fault in a library does."""
    tell("dying")
    os._exit(7)


def hang(_: object, tell: Tell) -> None:
    """Say one word and nothing more."""
    tell("hanging")
    Event().wait()


class Fake:
    """Tables of akshare for one dataset; the process ends at one function and hangs at another."""

    is_set_up = True

    def __init__(self, deadly: str = "") -> None:
        self.deadly = deadly

    def table(self, dataset: Dataset, call: Call, arguments: Arguments) -> Rows:
        """LPR alone."""
        if call.function == self.deadly:
            os._exit(7)
        if call.function == "macro_china_lpr":
            sys.modules["akshare"] = sys  # what is loaded here stays here
            return [{"TRADE_DATE": "2025-10-20", "LPR1Y": 3.0, "LPR5Y": 3.5}]
        raise SourceAbsence(dataset.source, AbsenceKind.NO_ROWS, say("没有数据"))


def fake(settings: Settings) -> Mapping[str, Provider]:
    """One that answers."""
    return {"akshare": Fake()}


def deadly(settings: Settings) -> Mapping[str, Provider]:
    """One that ends the process at the table of valuations."""
    return {"akshare": Fake("stock_value_em")}


class Hanging(Fake):
    """Never answers."""

    def table(self, dataset: Dataset, call: Call, arguments: Arguments) -> Rows:
        """Nothing but a mark that it was asked."""
        Path(os.environ["AIAGENT_TEST_MARK"]).touch()
        Event().wait()
        return []


def hanging(settings: Settings) -> Mapping[str, Provider]:
    """One that never answers."""
    return {"akshare": Hanging()}


class FakeBars:
    """A source of bars that takes its turn twice."""

    name, is_kept = "akshare", True

    def missing(self) -> SourceAbsence | None:
        """Nothing lacks."""
        return None

    def fetch(self, request: BarRequest, now: datetime, turn: Turn) -> BarSeries:
        """One bar; its turnover is the process's id."""
        turn()
        turn()
        row: list[Any] = [request.start, 10.0, 10.1, 9.9, 10.0, 1e6, float(os.getpid())]
        return BarSeries.from_rows(request.vt_symbol, request.interval, [row])


class DyingBars(FakeBars):
    """Ends the process."""

    def fetch(self, request: BarRequest, now: datetime, turn: Turn) -> BarSeries:
        """Nothing."""
        os._exit(7)
