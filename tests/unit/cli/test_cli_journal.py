"""`aiagent journal` and `aiagent why-not`: reading what a run has written."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from vnpy_aiagent.store.journal import verify

from .conftest import Call


@pytest.fixture
def journal(call: Call, week: tuple[Any, ...], tmp_path: Path) -> Path:
    """The journal of a demo over one week of five real shares."""
    assert call(*week, "--out", tmp_path / "run").code == 0
    return tmp_path / "run" / "journal.db"


def test_a_whole_journal_verifies_with_its_head(call: Call, journal: Path) -> None:
    found = verify(journal)
    assert call("journal", "verify", journal).out == f"ok: {found.entries} entries, head {found.head}\n"
    assert call("journal", "verify", journal, "--head", found.head).code == 0


@pytest.mark.parametrize(
    ("damage", "row"),
    [
        ("UPDATE journal_entry SET account = 'other' WHERE seq = 9", 9),
        ("UPDATE journal_entry SET at = '2020-01-01T00:00:00+08:00' WHERE seq = 3", 3),
        ("DELETE FROM journal_entry WHERE seq = 12", 12),
    ],
)
def test_a_damaged_row_is_named_with_exit_code_1(
    call: Call, journal: Path, tmp_path: Path, damage: str, row: int
) -> None:
    copy = Path(shutil.copy(journal, tmp_path / "copy.db"))
    database = sqlite3.connect(copy)
    database.execute(damage)
    database.commit()
    database.close()
    people = call("journal", "verify", copy)
    assert people.code == 1
    assert people.out.startswith(f"BROKEN at entry {row}: ")
    found = json.loads(call("journal", "verify", copy, "--json").out)
    assert (found["ok"], found["first_bad"]) == (False, row)


def test_a_cut_off_tail_is_found_by_the_head_noted_elsewhere(
    call: Call, journal: Path, tmp_path: Path
) -> None:
    head = verify(journal).head
    copy = Path(shutil.copy(journal, tmp_path / "copy.db"))
    database = sqlite3.connect(copy)
    database.execute("DELETE FROM journal_entry WHERE seq > 20")
    database.commit()
    database.close()
    assert call("journal", "verify", copy).code == 0
    assert call("journal", "verify", copy, "--head", head).code == 1


def test_the_last_entries_are_shown_and_no_more_than_asked_for(call: Call, journal: Path) -> None:
    lines = call("journal", "show", journal, "--limit", 3).out.splitlines()
    assert len(lines) == 3
    assert " RunEnded " in lines[-1]
    found = json.loads(call("journal", "show", journal, "--limit", 3, "--json").out)["entries"]
    assert [entry["id"] for entry in found] == [line.split()[2] for line in lines]


@pytest.mark.parametrize("limit", ["0", "-3", "many"])
def test_a_limit_below_one_is_refused(call: Call, journal: Path, limit: str) -> None:
    assert "--limit" in call("journal", "show", journal, "--limit", limit).refusal


def test_only_entries_of_a_kind_are_shown(call: Call, journal: Path) -> None:
    found = json.loads(call("journal", "show", journal, "--kind", "ScanResult", "--json").out)["entries"]
    assert [entry["kind"] for entry in found] == ["ScanResult"] * 4
    assert all(entry["body"]["scanned"] == 5 for entry in found)


def test_an_unknown_kind_is_refused_with_the_known_ones(call: Call, journal: Path) -> None:
    refused = call("journal", "show", journal, "--kind", "fill").refusal
    assert "'fill' is unknown" in refused
    assert " Fill, " in refused


def test_the_chain_behind_a_proposal_begins_with_the_schedule(call: Call, journal: Path) -> None:
    last = json.loads(call("journal", "show", journal, "--kind", "Proposal", "--limit", 1, "--json").out)[
        "entries"
    ][0]
    chain = json.loads(call("journal", "show", journal, "--cause", last["id"], "--json").out)["entries"]
    kinds = [entry["kind"] for entry in chain]
    assert (kinds[0], kinds[-1]) == ("ScheduleFired", "Proposal")
    assert [entry["cause"] for entry in chain[1:]] == [entry["id"] for entry in chain[:-1]]
    people = call("journal", "show", journal, "--cause", last["id"]).out.splitlines()
    assert len(people) >= len(chain)


def test_an_unknown_cause_is_refused_with_how_to_find_one(call: Call, journal: Path) -> None:
    refused = call("journal", "show", journal, "--cause", "r9-0000001").refusal
    assert "no entry r9-0000001; find ids with `aiagent journal show" in refused


@pytest.mark.parametrize("written", ["600519.SSE", "600519", "sh600519", "600519.SH"])
def test_why_not_takes_a_symbol_however_it_is_written(call: Call, journal: Path, written: str) -> None:
    found = json.loads(call("why-not", written, "--day", "2025-06-05", "--journal", journal, "--json").out)
    assert (found["symbol"], found["day"], found["scanned"]) == ("600519.SSE", "2025-06-05", 1)


@pytest.mark.parametrize(
    ("symbol", "said"),
    [("000001", "000001.SZSE for the stock"), ("nonsense", "is not a known symbol"), ("999999", "999999")],
)
def test_why_not_refuses_what_is_no_symbol(call: Call, journal: Path, symbol: str, said: str) -> None:
    assert said in call("why-not", symbol, "--journal", journal).refusal


def test_why_not_for_a_day_without_a_scan_counts_nothing(call: Call, journal: Path) -> None:
    found = json.loads(call("why-not", "--day", "2025-06-07", "--journal", journal, "--json").out)
    assert (found["scanned"], found["analysed"], found["proposed"], found["filled"]) == (0, 0, 0, 0)


def test_why_not_on_a_journal_without_scans_says_so(call: Call, tmp_path: Path) -> None:
    call("pause", "--journal", tmp_path / "journal.db")
    assert "no scan yet" in call("why-not", "--journal", tmp_path / "journal.db").refusal


def test_all_steps_of_the_funnel_add_up(call: Call, journal: Path) -> None:
    found = json.loads(call("why-not", "--day", "2025-06-05", "--journal", journal, "--json").out)
    assert found["scanned"] == found["picked"] + sum(found["left_out"].values())
    assert found["proposed"] >= found["approved"] >= found["filled"]
    people = call("why-not", "--day", "2025-06-05", "--journal", journal).out
    assert f"scanned {found['scanned']} -> picked {found['picked']}" in people


def test_a_row_says_what_the_entry_holds(call: Call, journal: Path) -> None:
    row = ("journal", "show", journal, "--kind", "Proposal", "--limit", 1)
    shown, found = call(*row).out, json.loads(call(*row, "--json").out)["entries"][0]
    assert shown.count("\n") == 1
    for part in (found["body"]["symbol"], found["account"], found["id"], found["cause"]):
        assert part in shown


def test_without_a_path_the_journal_of_the_settings_is_meant(
    call: Call, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIAGENT_STORE__JOURNAL", str(journal))
    assert str(verify(journal).entries) in call("journal", "verify").out
    assert len(call("journal", "show", "--limit", 2).out.splitlines()) == 2


def test_no_journal_at_all_is_said_in_one_line(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIAGENT_STORE__JOURNAL", str(tmp_path / "none.db"))
    assert "none.db" in call("journal", "show").refusal
