"""`aiagent lookahead`: cheats are caught, honest strategies pass, and what cannot be judged is one line."""

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vnpy_aiagent.cta import genes
from vnpy_aiagent.data.bars import BarSeries

from .conftest import Call

CHEATS = Path(__file__).parent.parent / "backtest" / "cheats"
FACTS = """vt_symbol,metric,period,value,available_at
600036.SSE,earnings,2024-12-31,120,2025-03-28
600036.SSE,earnings,2025-03-31,90,2025-04-28
600036.SSE,earnings,2025-03-31,130,2025-09-15
600036.SSE,earnings,2025-06-30,95,2025-08-20
600036.SSE,earnings,2025-06-30,140,2025-09-15
"""


@pytest.fixture
def data(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the real bars and a file of invented facts, which the strategies find by a variable."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("daily.csv.gz", "hourly.csv.gz"):
        shutil.copy(shared / "data" / "sse50" / name, folder)
    (folder / "facts.csv").write_text(FACTS, encoding="utf-8")
    monkeypatch.setenv("LOOKAHEAD_TEST_DATA", str(folder))
    monkeypatch.syspath_prepend(CHEATS)
    return folder


def arguments(data: Path, strategy: str, *more: Any) -> tuple[Any, ...]:
    return ("lookahead", "--strategy", strategy, "--vt-symbol", "600036.SSE", "--data", data, *more)


def cheat(name: str) -> str:
    file, _, strategy = name.partition(":")
    return f"{CHEATS / file}:{strategy}"


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("next_high.py:NextHigh", ()),
        ("next_high.py:NextHigh", ("--frequency", "hourly")),
        ("copied_high.py:CopiedHigh", ()),
        ("kept_elsewhere.py:KeptElsewhere", ()),
        ("daily_file.py:SameDayClose", ("--frequency", "hourly")),
        ("at_the_open.py:CancelsByTheClose", ()),
        ("restated.py:Restated", ()),
    ],
)
def test_a_cheat_is_caught(call: Call, data: Path, name: str, more: Any) -> None:
    done = call(*arguments(data, cheat(name), *more, "--json"))
    facts = json.loads(done.out)
    assert done.code == 1
    assert facts["changed"]
    assert facts["cuts"] >= len(facts["changed"])
    for change in facts["changed"]:
        assert change["before"] != change["after"]
        assert change["at"] <= change["cut"]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("daily_file.py:DayBeforeClose", ("--frequency", "hourly")),
        ("at_the_open.py:CancelsByTheOpen", ()),
        ("restated.py:AsPublished", ()),
    ],
)
def test_its_honest_brother_passes(call: Call, data: Path, name: str, more: Any) -> None:
    done = call(*arguments(data, cheat(name), *more, "--json"))
    facts = json.loads(done.out)
    assert (done.code, facts["changed"], facts["unpoisoned_files"]) == (0, [], [])
    assert facts["decisions"] > 2


@pytest.mark.parametrize("name", sorted(genes.__all__))
def test_no_false_alarm_for_the_gene_strategies(call: Call, shared: Path, name: str) -> None:
    more = ("--set", "gap_percent=0.5") if name == "GapStrategy" else ()
    done = call(*arguments(shared / "data" / "sse50", name, "--cuts", "24", "--json", *more))
    facts = json.loads(done.out)
    assert (done.code, facts["changed"]) == (0, [])
    assert 10 < facts["cuts"] <= 24
    assert facts["decisions"] > 3


def test_the_whole_app_passes(call: Call, shared: Path) -> None:
    done = call(*arguments(shared / "data" / "sse50", "demo", "--end", "2025-06-30", "--cuts", "4", "--json"))
    facts = json.loads(done.out)
    assert (done.code, facts["changed"], facts["cuts"]) == (0, [], 4)
    assert facts["decisions"] > 20


def test_a_leak_of_the_app_is_caught(call: Call, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_today(self: BarSeries, when: datetime) -> BarSeries:
        return self.slice(0, int(np.searchsorted(self.end, int(when.timestamp()), side="right")) + 1)

    monkeypatch.setattr(BarSeries, "upto", with_today)
    done = call(*arguments(shared / "data" / "sse50", "demo", "--end", "2025-06-30", "--cuts", "4", "--json"))
    assert done.code == 1
    assert json.loads(done.out)["changed"][0]["before"].startswith(("DECISION", "PROPOSAL"))


def test_no_false_alarm_for_the_ai_agents_whose_proposals_count_as_decisions(
    call: Call, shared: Path
) -> None:
    folder = shared / "data" / "sse50"
    done = call(*arguments(folder, "AiAgentStrategy", "--cuts", "16", "--json"))
    facts = json.loads(done.out)
    assert (done.code, facts["changed"]) == (0, [])
    assert facts["decisions"] > 20


def test_people_read_which_decision_changed(call: Call, data: Path) -> None:
    done = call(*arguments(data, cheat("next_high.py:NextHigh"), "--cuts", "10"))
    assert done.code == 1
    assert "look-ahead" in done.out
    assert "true data:" in done.out
    assert "LONG OPEN 1000" in done.out


def test_data_files_that_stay_as_they_are_get_named(call: Call, data: Path, tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text("{}", encoding="utf-8")
    text = (CHEATS / "odd.py").read_text(
        encoding="utf-8"
    ) + f"\nopen({str(tmp_path / 'own.json')!r}).close()\n"
    (tmp_path / "reader.py").write_text(text, encoding="utf-8")
    done = call(*arguments(data, f"{tmp_path / 'reader.py'}:Idle"))
    assert done.code == 0
    assert "own.json" in done.out
    assert "made no decision" in done.out


@pytest.mark.parametrize(
    ("name", "more", "sentence"),
    [
        ("odd.py:Raises", (), "the strategy raised at 2025-01-08"),
        ("odd.py:RaisesAtOnce", (), "raised at its start: RuntimeError: no model file"),
        ("odd.py:RaisesAsItIsMade", (), "raised at its start: KeyError: 'lots'"),
        ("odd.py:Dice", (), "decides differently on the same data"),
        ("odd.py:Idle", ("--end", "2025-01-10"), "has 7 bars; a check needs at least 20"),
        ("odd.py:Nobody", (), "must hold one strategy Nobody"),
        ("odd.py:Idle", ("--set", "n=1"), "has no parameter 'n'"),
        ("nowhere.py:Idle", (), "there is no strategy file"),
        ("odd.py:Idle", ("--cuts", "0"), "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_judged_is_said_in_one_line(
    call: Call, data: Path, name: str, more: Any, sentence: str
) -> None:
    assert sentence in call(*arguments(data, cheat(name), *more)).refusal


def test_an_unknown_strategy_names_the_known_ones(call: Call, data: Path) -> None:
    assert "AiAgentStrategy" in call(*arguments(data, "NoSuch")).refusal


def test_a_file_with_several_strategies_wants_a_name(call: Call, data: Path) -> None:
    assert (
        "Dice, Idle, Raises, RaisesAsItIsMade, RaisesAtOnce"
        in call(*arguments(data, str(CHEATS / "odd.py"))).refusal
    )
