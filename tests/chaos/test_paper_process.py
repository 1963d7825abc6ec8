"""Paper trading in processes of its own: real event engine and threads, crashes, full disks, foreign bugs."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.scripted_trader import trade
from vnpy_aiagent.domain import (
    Decision,
    Fill,
    HandlerFailed,
    Intent,
    OrderUpdate,
    Sent,
    StateChanged,
    TriggerSpec,
    Verdict,
    parse_message,
)
from vnpy_aiagent.store.journal import JournalReader, verify
from vnpy_aiagent.testing.model_server import ModelServer

SCRIPT = Path(__file__).with_name("paper_process.py")
MORNING, NEXT_MORNING, NIGHT = "2025-07-10T10:00:00", "2025-07-11T10:00:00", "2025-07-10T20:00:00"
IMPORT = """
import sys
from pathlib import Path
from vnpy.trader.database import get_database
from vnpy_aiagent.data import load_folder
from vnpy_aiagent.data.vnpy_database import import_market_data
import_market_data(load_folder(Path(sys.argv[1]), symbols=["601988.SSE"]), get_database())
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(trade) as server:
        yield server


@pytest.fixture(scope="module")
def database(shared: Path, repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """vnpy's database with the bars of one symbol."""
    folder = _work_folder(tmp_path_factory.mktemp("import"))
    command = [sys.executable, "-c", IMPORT, str(shared / "data" / "sse50")]
    subprocess.run(command, cwd=folder, env=_environment(repo_root), check=True, timeout=60)
    return (folder / ".vntrader" / "database.db").read_bytes()


@pytest.fixture
def folder(tmp_path: Path, database: bytes) -> Path:
    """A fresh vnpy folder."""
    folder = _work_folder(tmp_path)
    (folder / ".vntrader" / "database.db").write_bytes(database)
    return folder


def _work_folder(folder: Path) -> Path:
    (folder / ".vntrader").mkdir()
    settings = {"log.console": False, "log.file": False, "database.timezone": "Asia/Shanghai"}
    (folder / ".vntrader" / "vt_setting.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def _environment(repo_root: Path) -> dict[str, str]:
    return dict(os.environ, PYTHONPATH=str(repo_root), PYTHONIOENCODING="utf-8", AIAGENT_LANGUAGE="zh")


def start(folder: Path, repo_root: Path, scenario: str, moment: str, url: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), str(folder), scenario, moment, url]
    return subprocess.Popen(
        command,
        env=_environment(repo_root),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def run(folder: Path, repo_root: Path, scenario: str, moment: str, url: str = "") -> dict[str, Any]:
    """Run a scenario to its own end; a process that does not end by itself fails the test."""
    process = start(folder, repo_root, scenario, moment, url)
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        pytest.fail(f"{scenario} did not end by itself: {out} {err}")
    assert out, err
    if scenario != "hold_and_die":
        assert process.returncode == 0, err
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    if "threads" in result:
        assert [name for name in result["threads"] if not name.startswith("Thread-")] == []
    return result


def messages(folder: Path, kind: Any) -> list[Any]:
    with JournalReader.open(folder / ".vntrader" / "aiagent" / "journal.db") as reader:
        return [parse_message(entry.kind, entry.body) for entry in reader.read(kinds=[kind.__name__])]


def test_the_app_starts_stops_and_leaves_nothing_behind(folder: Path, repo_root: Path) -> None:
    result = run(folder, repo_root, "start_and_stop", NIGHT)
    assert result["status"]["state"] == "ACTIVE"
    assert result["status"]["mode"] == "PAPER"
    assert [account["cash"] for account in result["status"]["accounts"]] == [1_000_000] * 3
    assert result["children"] == 1
    assert result["left"] == 0
    assert result["threads"] == []
    assert verify(folder / ".vntrader" / "aiagent" / "journal.db").ok


def test_a_paper_decision_becomes_fills_and_a_stop_waits_for_tomorrow(
    folder: Path, repo_root: Path, server: ModelServer
) -> None:
    first = run(folder, repo_root, "trade_and_stop_out", MORNING, server.base_url)
    assert sorted(first["held"]) == ["aggressive", "conservative", "judge"]
    assert first["sent"] == []
    assert all(volume % 100 == 0 for volume in first["held"].values())
    assert messages(folder, HandlerFailed) == []
    assert len(messages(folder, Decision)) >= 1
    assert all(verdict.volume for verdict in messages(folder, Verdict) if verdict.action.name == "BUY")
    second = run(folder, repo_root, "sell_deferred", NEXT_MORNING, server.base_url)
    assert second["before"] == first["held"]
    assert second["states"] == ["DEFERRED_T1"]
    assert second["sent"] == []
    sold = sum(fill.volume for fill in messages(folder, Fill) if fill.side.name == "SELL")
    assert sold == sum(first["held"].values())
    assert messages(folder, HandlerFailed) == []
    assert verify(folder / ".vntrader" / "aiagent" / "journal.db").ok


def test_kill_nine_loses_nothing_and_halted_stays_halted(
    folder: Path, repo_root: Path, server: ModelServer
) -> None:
    before = run(folder, repo_root, "hold_and_die", MORNING, server.base_url)
    after = run(folder, repo_root, "come_back", "2025-07-10T13:30:00", server.base_url)
    for name in ("held", "triggers", "stops"):
        assert after[name] == before[name], name
    specs = messages(folder, TriggerSpec)
    assert Counter(spec.trigger.name for spec in specs) == {"PRICE_AT_OR_ABOVE": 6, "TIME_AT": 3}
    assert after["triggers"] == 6, "prices are watched; the time exits are timers"
    assert after["state"] == "HALTED"
    assert messages(folder, StateChanged)[-1].reason == "before the crash"
    for name, (cash, volume) in after["exchange"].items():
        assert cash == after["cash"][name]
        assert volume == after["held"][name]
    assert set(after["sellable"].values()) == {0}, "shares bought before the crash stay locked today"
    assert verify(folder / ".vntrader" / "aiagent" / "journal.db").ok


def test_a_second_process_is_refused_with_one_sentence(folder: Path, repo_root: Path) -> None:
    first = start(folder, repo_root, "hold_the_lease", NIGHT)
    try:
        assert first.stdout is not None
        assert json.loads(first.stdout.readline()) == {"ready": True}
        second = run(folder, repo_root, "refused", NIGHT)
    finally:
        out, err = first.communicate("", timeout=30)
    assert json.loads(out.splitlines()[-1])["threads"] == [], err
    assert "\n" not in second["error"]
    assert f"pid {first.pid}" in second["error"]


def test_a_handler_that_raises_is_counted_and_told_and_the_event_thread_lives(
    folder: Path, repo_root: Path
) -> None:
    result = run(folder, repo_root, "broken_handler", MORNING)
    assert result["alive"]
    assert any("broken on purpose" in alert for alert in result["alerts"]), result["alerts"]
    failed = messages(folder, HandlerFailed)
    assert len(failed) >= 3
    assert {failure.event for failure in failed} == {"eTick."}


def test_a_foreign_bug_that_ends_the_event_thread_is_noticed_and_entries_are_cancelled(
    folder: Path, repo_root: Path, server: ModelServer
) -> None:
    result = run(folder, repo_root, "foreign_handler", MORNING, server.base_url)
    assert result["dead"]
    assert result["working"] == 3
    assert result["left"] == 0
    assert any("已撤开仓委托 3 笔" in alert for alert in result["alerts"])


def test_no_order_leaves_while_the_journals_disk_is_full(
    folder: Path, repo_root: Path, server: ModelServer
) -> None:
    result = run(folder, repo_root, "disk_full", MORNING, server.base_url)
    assert result["states"] == ["INTENDED"]
    assert result["at_exchange"] == 0
    assert sum("disk is full" in alert for alert in result["alerts"]) == 1
    assert len(result["held"]) == 3
    intents = {intent.id: intent for intent in messages(folder, Intent)}
    assert {sent.intent_id for sent in messages(folder, Sent)} == set(intents)
    assert {u.intent_id for u in messages(folder, OrderUpdate)} == set(intents)
    assert verify(folder / ".vntrader" / "aiagent" / "journal.db").ok
