"""`aiagent compare`: two journals of the same accounts."""

import json
from datetime import date
from pathlib import Path

import pytest

from vnpy_aiagent.config import Settings
from vnpy_aiagent.data.hs300 import load_hs300
from vnpy_aiagent.simulation import Simulation

from .conftest import Call


@pytest.fixture(scope="module")
def journals(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same settings over two months, and over the second of them alone."""
    folder = tmp_path_factory.mktemp("runs")
    made = []
    for name, start in (("long", date(2020, 2, 3)), ("short", date(2020, 3, 2))):
        journal = folder / name / "journal.db"
        Simulation(load_hs300(), Settings(), journal, start=start, end=date(2020, 3, 31)).run()
        made.append(journal)
    return made


def test_a_run_against_itself_has_no_gap(call: Call, journals: list[Path]) -> None:
    done = call("compare", journals[0], journals[0], "--json")
    accounts = json.loads(done.out)["accounts"]
    assert done.code == 0
    assert len(accounts) == 3
    assert {(each["return_gap"], each["worst_day"]) for each in accounts} == {(0.0, None)}


def test_two_runs_are_compared_over_the_days_of_both(call: Call, journals: list[Path]) -> None:
    done = call("compare", *journals, "--json")
    accounts = json.loads(done.out)["accounts"]
    assert done.code == 0
    assert {each["days"] for each in accounts} == {22}
    for each in accounts:
        assert each["return_gap"] == pytest.approx(each["return_first"] - each["return_second"], abs=2e-6)
    shown = call("compare", *journals)
    assert [line.split("：")[0].split(":")[0] for line in shown.out.splitlines()] == [
        a["name"] for a in accounts
    ]


def test_a_missing_journal_is_one_clear_line(call: Call, journals: list[Path], tmp_path: Path) -> None:
    done = call("compare", journals[0], tmp_path / "none.db")
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1
