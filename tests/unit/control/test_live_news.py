"""What paper running makes of the quotes' troubles and of the day's review."""

import logging
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from vnpy.trader.object import LogData

from vnpy_aiagent import daily_report
from vnpy_aiagent.config import Settings
from vnpy_aiagent.daily_report import DailyReports
from vnpy_aiagent.data.hs300 import load_hs300
from vnpy_aiagent.data.live_bars import LiveBars
from vnpy_aiagent.domain import MARKET_TZ, Mode, Period, Review, Severity, Text, VirtualClock, say
from vnpy_aiagent.simulation import Simulation
from vnpy_aiagent.wiring import LiveThreads

FOUR = datetime(2024, 9, 30, 16, 0, tzinfo=MARKET_TZ)


class Told:
    """Keeps what a human would be told."""

    def __init__(self) -> None:
        self.alerts: list[tuple[Severity, str]] = []
        self.lines: list[str] = []

    def alert(self, severity: Severity, sentence: Text, *, cause: str | None = None) -> None:
        self.alerts.append((severity, sentence.render()))

    def say_log(self, sentence: Text, severity: Severity) -> None:
        self.lines.append(sentence.render())


@pytest.mark.parametrize(
    ("level", "gateway", "alerts", "lines"),
    [
        (logging.ERROR, "QUOTE", [(Severity.CRITICAL, "没有可用的行情源")], []),
        (logging.WARNING, "QUOTE", [(Severity.WARNING, "没有可用的行情源")], []),
        (logging.INFO, "QUOTE", [], ["没有可用的行情源"]),
        (logging.ERROR, "CTP", [], []),
    ],
)
def test_the_quotes_troubles_are_alerts_of_the_app(
    level: int, gateway: str, alerts: list[Any], lines: list[str]
) -> None:
    told = Told()
    threads: Any = SimpleNamespace(_engine=SimpleNamespace(bus=told))
    LiveThreads._on_log(threads, LogData(msg="没有可用的行情源", level=level, gateway_name=gateway))
    assert (told.alerts, told.lines) == (alerts, lines)


def a_review(period: Period) -> Review:
    return Review.model_construct(
        id="r1-9", at=FOUR, period=period, start=FOUR.date(), end=FOUR.date(), text=say("x")
    )


def reports(journal: Path, folder: Path, told: Any, *, flushed: bool = True) -> DailyReports:
    bars = LiveBars(load_hs300(), load_hs300, VirtualClock(FOUR))
    return DailyReports(told, str(journal), bars, folder, lambda: flushed, "zh")


def test_the_days_report_is_written_after_its_review_and_no_other(tmp_path: Path) -> None:
    journal = tmp_path / "journal.db"
    begin, end = date(2024, 9, 2), date(2024, 9, 30)
    Simulation(load_hs300(), Settings(mode=Mode.SIMULATION), journal, start=begin, end=end).run()
    told = Told()
    made = reports(journal, tmp_path, told)
    made.on_review(a_review(Period.WEEK))
    made.on_review(a_review(Period.DAY))
    made.stop()
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["2024-09-30"]
    assert {path.name for path in (tmp_path / "reports" / "2024-09-30").iterdir()} == {
        "report.html",
        "report.md",
        "summary.json",
    }
    assert told.alerts == []
    assert told.lines[0].startswith("日报已写入")


def test_a_report_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    told = Told()
    made = reports(tmp_path / "nowhere" / "journal.db", tmp_path, told)
    made.on_review(a_review(Period.DAY))
    made.stop()
    assert [severity for severity, _ in told.alerts] == [Severity.WARNING]
    assert told.alerts[0][1].startswith("日报未能写成")


def test_a_journal_that_is_not_wholly_on_the_disk_is_told_and_the_report_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also an error that nobody foresaw is told."""

    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(daily_report, "write_report", fails)
    told = Told()
    made = reports(tmp_path / "journal.db", tmp_path, told, flushed=False)
    made.on_review(a_review(Period.DAY))
    made.stop()
    assert [text for _, text in told.alerts] == [
        "日志尚未全部写入磁盘，2024-09-30 的日报可能不完整",
        "日报未能写成：ZeroDivisionError: by zero",
    ]
