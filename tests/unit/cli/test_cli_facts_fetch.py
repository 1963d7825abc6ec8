"""`aiagent facts fetch | datasets` and `aiagent data recorded`: what they keep, list, refuse."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from vnpy.trader.constant import Exchange
from vnpy.trader.object import TickData
from vnpy.trader.utility import get_folder_path

from vnpy_aiagent.data import load_folder
from vnpy_aiagent.data.fact_sources import build
from vnpy_aiagent.data.fact_sources.catalogue import FAMILIES
from vnpy_aiagent.data.fact_sources.providers import AkshareProvider
from vnpy_aiagent.data.facts_store import FILE_NAME
from vnpy_aiagent.data.recorder import FOLDER, Recorder
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock

from .conftest import Call

CLASSES = pd.DataFrame(
    {
        "symbol": ["600519"],
        "start_date": [date(2021, 7, 30)],
        "industry_code": ["340501"],
        "update_time": [date(2021, 7, 31)],
    }
)


class Akshare:
    """One table of akshare, and one that has lost a column."""

    def stock_industry_clf_hist_sw(self) -> Any:
        return CLASSES

    def stock_institute_hold(self, symbol: str) -> Any:
        return pd.DataFrame({"证券代码": ["600519"], "机构数": [3]})


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The app's folder without facts, and a stand-in for akshare."""
    monkeypatch.setattr(build, "AkshareProvider", lambda: AkshareProvider(Akshare()))
    path = get_folder_path("aiagent")
    for held in (*path.glob(f"{FILE_NAME}*"), *path.glob("sources.db*"), *(path / FOLDER).glob("*")):
        held.unlink()
    yield path
    for held in (path / FOLDER).glob("*"):
        held.unlink()


def test_a_dataset_is_fetched_kept_and_shown_with_source_and_moment(call: Call, folder: Path) -> None:
    done = call("facts", "fetch", "600519.SSE", "--dataset", "classification")
    assert (done.code, done.out) == (0, "classification: 1 new, 0 known, 0 absent, 1 requests\n")
    again = call("facts", "fetch", "600519.SSE", "--dataset", "classification", "--json")
    row = json.loads(again.out)["families"][0]
    assert (row["new"], row["known"], row["requests"], row["failed"]) == (0, 1, 0, False)
    shown = call("facts", "show", "600519.SSE").out.splitlines()
    assert shown[0] == "sw_industry 2021-07-30 801120 code (swsresearch, known 2021-08-01 00:00)"
    assert any("northbound_net_inflow absent since 2024-08-19" in line for line in shown)


def test_a_lost_column_is_named_kept_as_an_absence_and_exit_1(call: Call, folder: Path) -> None:
    done = call("facts", "fetch", "600519.SSE", "--dataset", "institutions")
    assert done.code == 1
    assert "持股比例" in done.out
    shown = call("facts", "show", "600519.SSE").out
    assert "institution_ratio absent since" in shown
    assert "every source of it failed" in shown


def test_an_unknown_dataset_is_refused(call: Call, folder: Path) -> None:
    assert "no dataset is called prices" in call("facts", "fetch", "600519", "--dataset", "prices").refusal


def test_nobody_to_ask_is_refused_with_what_to_do(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "AkshareProvider", AkshareProvider)
    monkeypatch.setattr("vnpy_aiagent.data.fact_sources.providers.is_installed", lambda: False)
    assert "pip install" in call("facts", "fetch", "600519").refusal


def test_the_datasets_are_listed(call: Call) -> None:
    listed = json.loads(call("facts", "datasets", "--json").out)["datasets"]
    assert [row["dataset"] for row in listed] == [d.name for family in FAMILIES for d in family.datasets]
    assert call("facts", "datasets").out.startswith(
        "classification: stock_industry_clf_hist_sw (swsresearch)"
    )


def record(folder: Path) -> None:
    at = datetime(2025, 11, 3, 9, 30, tzinfo=MARKET_TZ)
    clock = VirtualClock(at)
    recorder = Recorder(folder / FOLDER, clock, lambda *_: None, every=600)
    recorder.start()
    for minutes in (0, 120, 210, 331):
        made = TickData(
            symbol="600519", exchange=Exchange.SSE, datetime=at + timedelta(minutes=minutes),
            volume=100 + minutes,
            turnover=1e6, last_price=100.0, open_price=99.0, high_price=101.0, low_price=98.0, pre_close=99.5,
            gateway_name="Q",
        )  # fmt: skip
        clock.set(made.datetime)
        recorder.on_tick(made)
    recorder.stop()


def test_recorded_days_are_listed_and_written_as_a_folder(call: Call, folder: Path, tmp_path: Path) -> None:
    record(folder)
    assert call("data", "recorded").out.startswith("2025-11-03: 4 ticks of 1 symbols, 0 facts, 0 lost, 0.0")
    done = call("data", "recorded", "--out", tmp_path / "out", "--json")
    assert json.loads(done.out) | {"folder": ""} == {
        "folder": "",
        "days": 1,
        "daily": 1,
        "hourly": 0,
        "facts": 0,
    }
    assert load_folder(tmp_path / "out").symbols == ("600519.SSE",)


def test_days_without_a_recording_are_refused(call: Call, folder: Path) -> None:
    record(folder)
    assert "nothing is recorded" in call("data", "recorded", "--start", "2025-11-04").refusal
    assert "--end 'soon' is not a date" in call("data", "recorded", "--end", "soon").refusal
