"""`aiagent demo`: its arguments, its folder, and what is refused before anything is touched."""

import json
import os
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from vnpy_aiagent.cli.demo import DEMO_YEARS, _years_back
from vnpy_aiagent.data import BarSeries, Instrument, MarketData
from vnpy_aiagent.domain import BarInterval, IdFactory, LiveClock, Mode, RunStarted
from vnpy_aiagent.store.journal import Draft, Journal
from vnpy_aiagent.store.lease import Lease

from .conftest import Call

Arguments = tuple[Any, ...]
NAMES = {"report.html", "report.md", "summary.json", "journal.db"}


def begin_journal(path: Path, mode: Mode) -> None:
    """A journal that holds the beginning of one run."""
    started = RunStarted(
        id=IdFactory("r1").next(),
        at=LiveClock().now(),
        run="r1",
        mode=mode,
        version="0",
        model="m",
        is_llm=False,
        data="d",
        settings="s",
    )
    journal = Journal.open(path)
    body = started.model_dump_json()
    journal.append([Draft(started.id, started.at.isoformat(), started.kind, "", None, body)])
    journal.close()


@pytest.mark.parametrize(
    ("last", "first"),
    [
        (date(2025, 12, 31), date(2020, 12, 31)),
        (date(2024, 2, 29), date(2019, 2, 28)),
        (date(2025, 2, 28), date(2020, 2, 28)),
    ],
)
def test_the_demo_begins_five_exact_years_before_the_last_day(last: date, first: date) -> None:
    series = BarSeries.from_rows("600519.SSE", BarInterval.DAILY, [(last, 10, 11, 9, 10, 100)])
    market = MarketData(
        "one", {"600519.SSE": Instrument("600519.SSE")}, {("600519.SSE", BarInterval.DAILY): series}
    )
    assert _years_back(market, DEMO_YEARS) == first


def summary(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return loaded


def test_an_earlier_demo_is_replaced_and_gives_the_same_head(
    call: Call, week: Arguments, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "run"
    assert call(*week, "--out", out).code == 0
    first = summary(out)
    (out / "report.md").write_text("old", encoding="utf-8")
    assert call(*week, "--out", out).code == 0
    assert summary(out)["journal"] == first["journal"]
    assert (out / "report.md").read_text(encoding="utf-8") != "old"
    assert {path.name for path in out.iterdir()} - {"journal.db.lease"} == NAMES


def test_people_get_a_table_the_head_and_the_path_of_the_report(
    call: Call, week: Arguments, tmp_path: Path
) -> None:
    done = call(*week, "--out", tmp_path / "run")
    assert summary(tmp_path / "run")["journal"]["head"] in done.out
    assert done.out.splitlines()[-1] == str(tmp_path / "run" / "report.html")
    assert "offline analyst" in done.out.lower()


def test_the_report_loads_nothing_from_elsewhere(call: Call, week: Arguments, tmp_path: Path) -> None:
    assert call(*week, "--out", tmp_path / "run").code == 0
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    tags = re.findall(r"<(?:script|link|img|iframe|source)\b[^>]*>", page)
    assert [tag for tag in tags if "//" in tag] == []
    assert re.findall(r"(?:url\(|@import)\s*['\"]?https?:", page) == []


def test_cash_and_symbols_reach_the_accounts(call: Call, week: Arguments, tmp_path: Path) -> None:
    done = call(*week, "--cash", "250000.50", "--out", tmp_path / "run", "--json")
    found = json.loads(done.out)
    assert [account["equity_start"] for account in found["accounts"]] == [250_000.5] * 3
    assert found["data"]["symbols"] == 5
    assert (found["data"]["start"], found["data"]["end"]) == ("2025-06-03", "2025-06-06")


@pytest.mark.parametrize("cash", ["1", "1000000000000"])
def test_the_smallest_and_the_largest_cash_run_to_the_end(
    call: Call, week: Arguments, tmp_path: Path, cash: str
) -> None:
    done = call(*week, "--cash", cash, "--out", tmp_path / "run", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["accounts"][0]["equity_start"] == float(cash)


def test_the_seed_is_among_the_settings_that_decide_a_run(
    call: Call, week: Arguments, tmp_path: Path
) -> None:
    heads = {
        json.loads(call(*week, "--seed", seed, "--out", tmp_path / str(i), "--json").out)["journal"]["head"]
        for i, seed in enumerate((7, 8, 7))
    }
    assert len(heads) == 2


def test_hourly_bars_are_four_a_day_and_symbol(call: Call, week: Arguments, tmp_path: Path) -> None:
    autumn = (*week, "--start", "2025-10-20", "--end", "2025-10-24", "--frequency", "hourly")
    done = call(*autumn, "--out", tmp_path / "run", "--json")
    assert done.code == 0, done.err
    data = json.loads(done.out)["data"]
    assert (data["start"], data["end"]) == ("2025-10-20", "2025-10-24")
    assert data["bars"] == 5 * 4 * 5


def test_hourly_bars_that_are_not_there_name_what_is(call: Call, week: Arguments, tmp_path: Path) -> None:
    refused = call(*week, "--frequency", "hourly", "--out", tmp_path / "run").refusal
    assert "covers 2025-10-09 to 2025-11-19" in refused


def test_ten_symbols_by_code_name_and_prefix(call: Call, shared: Path, tmp_path: Path) -> None:
    ten = (
        "贵州茅台,sh600036,601318,600900.SH,601988.SSE,601012.SSE,601088.SSE,601225.SSE,601857.SSE,601888.SSE"
    )
    span = ("--start", "2025-06-03", "--end", "2025-06-06", "--out", tmp_path / "run", "--json")
    done = call("demo", "--data", shared / "data" / "sse50", "--symbols", ten, *span)
    assert json.loads(done.out)["data"]["symbols"] == 10


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--symbols", "999999.SSE"), "holds no 999999.SSE"),
        (("--symbols", "000001"), "write 000001.SZSE for the stock or 000001.SSE for the index"),
        (("--symbols", "茅台"), "did you mean 贵州茅台 (600519.SSE)"),
        (("--start", "2025-06-06", "--end", "2025-06-03"), "--end 2025-06-03 is before --start 2025-06-06"),
        (("--start", "2025-06-07", "--end", "2025-06-08"), "has no bars from 2025-06-07 to 2025-06-08"),
        (("--cash", "1e400"), "out of range"),
        (("--config", "absent.yaml"), "absent.yaml does not exist"),
    ],
)
def test_what_cannot_be_played_is_refused_in_one_line(
    call: Call, shared: Path, tmp_path: Path, arguments: Arguments, said: str
) -> None:
    folder = shared / "data" / "sse50"
    assert said in call("demo", "--data", folder, "--out", tmp_path / "o", *arguments).refusal


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("AIAGENT_NONSENSE", "1", "AIAGENT_NONSENSE names no setting"),
        ("AIAGENT_LLM__MODLE", "x", "setting llm.modle"),
        ("AIAGENT_LLM__MODEL", "x", "base_url and model belong together"),
        ("AIAGENT_UNIVERSE", "600519.SSE", 'write lists like ["600519.SSE"]'),
    ],
)
def test_a_variable_that_is_wrong_is_named(
    call: Call, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert said in call("demo").refusal


def test_a_file_is_no_folder(call: Call, week: Arguments, tmp_path: Path) -> None:
    (tmp_path / "thesis").write_text("mine", encoding="utf-8")
    assert "is a file; give a folder" in call(*week, "--out", tmp_path / "thesis").refusal
    assert call(*week, "--out", tmp_path / "thesis" / "below").refusal
    assert (tmp_path / "thesis").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["report.md", "report.html", "summary.json", "journal.db"])
def test_a_users_own_file_of_the_same_name_is_never_replaced(
    call: Call, week: Arguments, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("mine", encoding="utf-8")
    assert name in call(*week, "--out", tmp_path).refusal
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {name: "mine"}


def test_other_files_beside_an_earlier_demo_keep_it(call: Call, week: Arguments, tmp_path: Path) -> None:
    assert call(*week, "--out", tmp_path).code == 0
    (tmp_path / "thesis.doc").write_text("mine", encoding="utf-8")
    before = (tmp_path / "summary.json").read_bytes()
    assert "thesis.doc" in call(*week, "--out", tmp_path).refusal
    assert (tmp_path / "summary.json").read_bytes() == before


def test_the_journal_of_a_paper_run_is_never_replaced(call: Call, week: Arguments, tmp_path: Path) -> None:
    begin_journal(tmp_path / "journal.db", Mode.PAPER)
    before = (tmp_path / "journal.db").read_bytes()
    assert "which is no earlier demo" in call(*week, "--out", tmp_path).refusal
    assert (tmp_path / "journal.db").read_bytes() == before


def test_a_demo_that_was_killed_is_replaced(call: Call, week: Arguments, tmp_path: Path) -> None:
    begin_journal(tmp_path / "journal.db", Mode.SIMULATION)
    (tmp_path / "journal.db.lease.txt").write_text("a process that was killed", encoding="utf-8")
    assert call(*week, "--out", tmp_path).code == 0
    assert summary(tmp_path)["decisions"] > 0


def test_a_demo_that_was_killed_before_its_first_entry_is_replaced(
    call: Call, week: Arguments, tmp_path: Path
) -> None:
    (tmp_path / "journal.db").touch()
    assert call(*week, "--out", tmp_path).code == 0
    assert summary(tmp_path)["decisions"] > 0


def test_a_demo_that_still_runs_in_the_folder_is_left_alone(
    call: Call, week: Arguments, tmp_path: Path
) -> None:
    begin_journal(tmp_path / "journal.db", Mode.SIMULATION)
    before = (tmp_path / "journal.db").read_bytes()
    running = Lease.acquire(tmp_path / "journal.db", "the other demo")
    try:
        assert "the other demo" in call(*week, "--out", tmp_path).refusal
    finally:
        running.release()
    assert (tmp_path / "journal.db").read_bytes() == before


def test_the_working_folder_is_the_same_afterwards(call: Call, week: Arguments, tmp_path: Path) -> None:
    here = Path.cwd()
    assert call(*week, "--out", tmp_path / "run").code == 0
    assert Path.cwd() == here
    os.chdir(tmp_path)
    assert call(*week, "--out", "relative").code == 0
    assert summary(tmp_path / "relative")["decisions"] > 0
