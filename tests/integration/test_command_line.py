"""The `aiagent` command as people and scripts use it: files, JSON, exit codes, one-line errors."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

SYMBOLS = "600519.SSE,600036.SSE,601318.SSE,600900.SSE,601899.SSE"
WEEKS = ("--start", "2025-06-02", "--end", "2025-07-11")
COMMANDS = (
    ("demo",),
    ("analyze",),
    ("audit",),
    ("run",),
    ("install-strategies",),
    ("status",),
    ("pause",),
    ("halt",),
    ("flatten",),
    ("resume",),
    ("why-not",),
    ("doctor",),
    ("data", "import"),
    ("data", "download"),
    ("journal", "verify"),
    ("journal", "show"),
)

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def aiagent(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a command in a home of its own, which the module's tests share."""
    home = tmp_path_factory.mktemp("home")

    def run(*arguments: object, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "vnpy_aiagent", *map(str, arguments)],
            cwd=home,
            env=environment(repo_root, home, env),
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=300,
            check=False,
        )

    return run


def environment(repo_root: Path, home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    plain = {key: value for key, value in os.environ.items() if not key.startswith("AIAGENT_")}
    own = {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "PYTHONPATH": str(repo_root),
        "AIAGENT_LANGUAGE": "en",
        "PYTHONIOENCODING": "utf-8",
        "COLUMNS": "120",
    }
    return plain | own | dict(extra or {})


@pytest.fixture(scope="module")
def demo(aiagent: Run, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo over six weeks of five real shares."""
    out = tmp_path_factory.mktemp("demo") / "run"
    done = aiagent(
        "demo", "--data", shared / "data" / "sse50", "--symbols", SYMBOLS, *WEEKS, "--out", out, "--json"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return out


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The single line of a refused command."""
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(aiagent: Run, command: tuple[str, ...]) -> None:
    done = aiagent(*command, "--help")
    assert done.returncode == 0
    assert "Example: aiagent " + " ".join(command) in done.stdout
    assert "--json" in done.stdout


def test_a_demo_writes_its_four_files_and_a_summary_of_the_agreed_shape(demo: Path) -> None:
    assert {"report.html", "report.md", "summary.json", "journal.db"} <= {
        path.name for path in demo.iterdir()
    }
    summary = json.loads((demo / "summary.json").read_text(encoding="utf-8"))
    assert summary["model"] == {"name": "offline-analyst (rules, no language model)", "is_llm": False}
    assert {"source", "symbols", "bars", "start", "end"} <= summary["data"].keys()
    assert summary["data"]["symbols"] == 5
    assert [account["name"] for account in summary["accounts"]] == ["aggressive", "conservative", "judge"]
    for account in summary["accounts"]:
        assert {
            "name",
            "style",
            "equity_start",
            "equity_end",
            "return",
            "max_drawdown",
            "sharpe",
            "orders",
            "fills",
            "rejected",
            "fees",
        } <= account.keys()
        assert account["equity_start"] == 1_000_000
    assert {"registered", "fired", "expired"} <= summary["triggers"].keys()
    assert {"scanned", "analysed", "proposed", "approved", "filled"} <= summary["funnel"].keys()
    for key in (
        "decisions",
        "proposals",
        "approved",
        "reduced",
        "rejected",
        "reanalyses",
        "reviews",
        "lessons",
    ):
        assert isinstance(summary[key], int)
    assert summary["decisions"] > 0
    assert summary["wall_seconds"] > 0
    assert summary["books_agree"] is True


def test_the_journal_of_a_demo_verifies_with_the_summarys_head(aiagent: Run, demo: Path) -> None:
    head = json.loads((demo / "summary.json").read_text(encoding="utf-8"))["journal"]
    done = aiagent("journal", "verify", demo / "journal.db", "--head", head["head"], "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert (found["ok"], found["entries"], found["head"], found["first_bad"]) == (
        True,
        head["entries"],
        head["head"],
        None,
    )


def test_hash_seed_and_language_do_not_change_the_head(
    aiagent: Run, demo: Path, shared: Path, tmp_path: Path
) -> None:
    arguments = (
        "--data",
        shared / "data" / "sse50",
        "--symbols",
        SYMBOLS,
        *WEEKS,
        "--out",
        tmp_path / "again",
    )
    done = aiagent("demo", *arguments, "--json", env={"PYTHONHASHSEED": "11", "AIAGENT_LANGUAGE": "zh"})
    first = json.loads((demo / "summary.json").read_text(encoding="utf-8"))["journal"]
    assert json.loads(done.stdout)["journal"] == first


def test_a_changed_row_is_found_and_named(aiagent: Run, demo: Path, tmp_path: Path) -> None:
    copy = tmp_path / "journal.db"
    with closing(sqlite3.connect(demo / "journal.db")) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("UPDATE journal_entry SET body = '{}' WHERE seq = 17")
        target.commit()
    done = aiagent("journal", "verify", copy, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["first_bad"] == 17


def test_a_fill_is_shown_with_the_chain_that_led_to_it(aiagent: Run, demo: Path) -> None:
    listed = aiagent("journal", "show", demo / "journal.db", "--kind", "Fill", "--limit", 1, "--json")
    fill = json.loads(listed.stdout)["entries"][0]
    shown = aiagent("journal", "show", demo / "journal.db", "--cause", fill["id"], "--json")
    kinds = [entry["kind"] for entry in json.loads(shown.stdout)["entries"]]
    assert kinds[0] in ("ScheduleFired", "TriggerSpec", "StopUpdate", "Fill")
    assert kinds[-3:] == ["ParentOrder", "Intent", "Fill"]
    assert "intent" in aiagent("journal", "show", demo / "journal.db", "--cause", fill["id"]).stdout


def test_why_not_tells_the_funnel_of_a_day(aiagent: Run, demo: Path) -> None:
    found = json.loads(aiagent("why-not", "--journal", demo / "journal.db", "--json").stdout)
    assert found["day"] == "2025-07-11"
    assert found["scanned"] == 5
    people = aiagent("why-not", "--journal", demo / "journal.db", env={"AIAGENT_LANGUAGE": "zh"})
    assert "扫描 5" in people.stdout


def test_an_analysis_shows_its_whole_reasoning(aiagent: Run, shared: Path) -> None:
    done = aiagent(
        "analyze", "贵州茅台", "--data", shared / "data" / "sse50", "--as-of", "2025-09-30", "--json"
    )
    found = json.loads(done.stdout)
    assert {"request", "findings", "debate", "proposal", "verdict", "usage"} <= found.keys()
    assert {"calls", "prompt_tokens", "completion_tokens", "cost"} <= found["usage"].keys()
    assert found["request"]["symbol"] == "600519.SSE"
    assert found["findings"][0]["evidence"]


def test_a_model_that_is_down_holds_and_says_so(aiagent: Run, shared: Path, tmp_path: Path) -> None:
    from vnpy_aiagent.testing.model_server import closed_port_url

    env = {
        "AIAGENT_LLM__BASE_URL": closed_port_url(),
        "AIAGENT_LLM__MODEL": "none",
        "AIAGENT_LLM__MAX_RETRIES": "0",
    }
    out = tmp_path / "down"
    window = ("--start", "2025-06-02", "--end", "2025-06-06")
    done = aiagent(
        "demo",
        "--data",
        shared / "data" / "sse50",
        "--symbols",
        SYMBOLS,
        *window,
        "--out",
        out,
        "--json",
        env=env,
    )
    summary = json.loads(done.stdout)
    assert done.returncode == 0
    assert summary["model"]["is_llm"] is True
    assert summary["decisions"] > 0
    assert summary["approved"] == 0
    shown = json.loads(aiagent("journal", "show", out / "journal.db", "--kind", "Proposal", "--json").stdout)
    assert all("ModelUnavailable" in entry["body"]["abstained"] for entry in shown["entries"])


def test_any_console_encoding_is_survived(aiagent: Run, demo: Path) -> None:
    for encoding in ("cp936", "ascii"):
        env = {"PYTHONIOENCODING": encoding, "AIAGENT_LANGUAGE": "zh"}
        done = aiagent("why-not", "--journal", demo / "journal.db", env=env)
        assert done.returncode == 0
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("demo", "--data", "no-such-folder"), "does not exist"),
        (("demo", "--frequency", "weekly"), "use daily or hourly"),
        (("demo", "--start", "yesterday"), "is not a date"),
        (("demo", "--cash", "-1"), "must be above 0"),
        (("demo", "--cash", "much"), "is not an amount"),
        (("demo", "--seed", "x"), "--seed"),
        (("demo", "--start", "2030-01-01"), "covers 2006-01-06 to 2025-12-31"),
        (("demo", "--nonsense"), "No such option"),
        (("analyze", "000001"), "000001.SZSE for the stock or 000001.SSE for the index"),
        (("analyze", "999999"), "600519.SSE or 000001.SZSE"),
        (("run",), "--headless"),
        (("run", "--mode", "dream", "--headless"), "use paper or live"),
        (("halt",), "reason"),
        (("journal", "verify", "no-such.db"), "no-such.db"),
        (("journal", "show", "no-such.db"), "no-such.db"),
        (("data", "import", "no-such-folder"), "does not exist"),
        (("status", "--config", "no-such.yaml"), "does not exist"),
        (("nonsense",), "No such command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_usage_is_refused_in_one_line(aiagent: Run, arguments: tuple[str, ...], said: str) -> None:
    assert said in one_line(aiagent(*arguments))


def test_a_broken_setting_is_named(aiagent: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("llm: {modle: x}\n", encoding="utf-8")
    assert "llm.modle" in one_line(aiagent("status", "--config", config))
    assert "AIAGENT_NONSENSE" in one_line(aiagent("status", env={"AIAGENT_NONSENSE": "1"}))


def test_a_row_with_high_below_low_is_refused_with_its_line(aiagent: Run, tmp_path: Path) -> None:
    rows = ["vt_symbol,date,open,high,low,close,volume", "600519.SSE,2025-01-02,10,11,9,10,1000"]
    rows.append("600519.SSE,2025-01-03,10,8,9,10,1000")
    (tmp_path / "daily.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    line = one_line(aiagent("demo", "--data", tmp_path, "--out", tmp_path / "out"))
    assert "daily.csv, line 3" in line


def test_an_output_folder_with_foreign_files_is_left_alone(aiagent: Run, demo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "journal.db").write_bytes(b"mine")
    (folder / "thesis.doc").write_bytes(b"mine")
    assert "give another folder" in one_line(aiagent("demo", "--out", folder))
    assert (folder / "journal.db").read_bytes() == b"mine"


def test_the_controls_change_a_stopped_system_and_its_journal_stays_whole(
    aiagent: Run, tmp_path: Path
) -> None:
    journal = ("--journal", tmp_path / "journal.db", "--json")
    steps = (
        (("pause",), "ACTIVE", True),
        (("halt", "--reason", "午休"), "HALTED", True),
        (("status",), "HALTED", True),
        (("flatten",), "REDUCING", True),
        (("resume",), "ACTIVE", False),
        (("status",), "ACTIVE", False),
    )
    for command, state, paused in steps:
        found = json.loads(aiagent(*command, *journal).stdout)
        assert (found["state"], found["paused"], found["running"]) == (state, paused, False)
    assert aiagent("journal", "verify", tmp_path / "journal.db").returncode == 0


def test_a_running_process_takes_commands_and_keeps_others_out(
    repo_root: Path, aiagent: Run, shared: Path, tmp_path: Path
) -> None:
    env = environment(repo_root, tmp_path)
    config = tmp_path / "config.yaml"
    config.write_text(f"store: {{journal: '{tmp_path / 'journal.db'}'}}\n", encoding="utf-8")
    command = [sys.executable, "-m", "vnpy_aiagent", "run", "--headless", "--config", str(config)]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        wait_for(lambda: running(aiagent, config), process)
        second = aiagent("run", "--headless", "--config", config, "--seconds", 1)
        assert second.returncode == 2
        assert "Traceback" not in second.stderr
        halted = json.loads(aiagent("halt", "--reason", "test", "--config", config, "--json").stdout)
        assert halted["running"] is True
        status = json.loads(aiagent("status", "--config", config, "--json").stdout)
        assert (status["state"], status["running"]) == ("HALTED", True)
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    shown = aiagent("journal", "show", tmp_path / "journal.db", "--limit", 1, "--json")
    assert json.loads(shown.stdout)["entries"][0]["kind"] == "RunEnded"
    assert json.loads(aiagent("status", "--config", config, "--json").stdout)["state"] == "HALTED"


def running(aiagent: Run, config: Path) -> bool:
    done = aiagent("status", "--config", config, "--json")
    return done.returncode == 0 and bool(json.loads(done.stdout)["running"])


def wait_for(true: Callable[[], bool], process: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        if true():
            return
        time.sleep(0.2)
    raise AssertionError("the process did not begin in time")


def test_doctor_looks_at_everything(aiagent: Run) -> None:
    found = json.loads(aiagent("doctor", "--json").stdout)
    checks = {finding["check"] for finding in found["findings"]}
    assert {
        "python",
        "vnpy",
        "locale",
        "disk",
        "settings",
        "model",
        "universe",
        "calendar",
        "journal",
    } <= checks
    assert all(finding["advice"] for finding in found["findings"] if finding["grade"] == "fail")


def test_bars_are_imported_and_seen_by_doctor(aiagent: Run, shared: Path, tmp_path: Path) -> None:
    done = json.loads(aiagent("data", "import", shared / "data" / "sse50", "--json").stdout)
    assert (done["symbols"], done["bars"]) == (50, 10_618)
    config = tmp_path / "config.yaml"
    config.write_text("universe: [600519.SSE]\n", encoding="utf-8")
    findings = json.loads(aiagent("doctor", "--config", config, "--json").stdout)["findings"]
    universe = next(finding for finding in findings if finding["check"] == "universe")
    assert universe["grade"] == "ok"


def test_strategies_are_installed_and_a_users_own_file_is_kept(aiagent: Run, tmp_path: Path) -> None:
    first = json.loads(aiagent("install-strategies", "--to", tmp_path, "--json").stdout)
    assert set(first["files"]) == {path.name for path in (ROOT / "strategies").glob("*.py")}
    assert aiagent("install-strategies", "--to", tmp_path).returncode == 0
    (tmp_path / "ai_agent_strategy.py").write_text("# mine\n", encoding="utf-8")
    assert "ai_agent_strategy.py" in one_line(aiagent("install-strategies", "--to", tmp_path))
    assert (tmp_path / "ai_agent_strategy.py").read_text(encoding="utf-8") == "# mine\n"


def test_a_table_of_ex_days_goes_into_the_apps_folder(aiagent: Run, shared: Path) -> None:
    table = shared / "data" / "long" / "600000.SSE_corporate_actions.csv"
    done = json.loads(aiagent("data", "import", table, "--json").stdout)
    expected = {"source": table.name, "symbols": 1, "ex_days": 12, "kept": 12}
    assert {key: done[key] for key in expected} == expected
    assert "12 are kept" in aiagent("data", "import", table).stdout
