"""The `aiagent` command as a process: closed pipes, poor consoles, Ctrl+C, kills, paper runs."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

FIVE = "600519.SSE,600036.SSE,601318.SSE,600900.SSE,601988.SSE"
BEGUN = "Ctrl+C stops"
Done = subprocess.CompletedProcess[bytes]


class Home:
    """A user's home folder, and commands called in it."""

    def __init__(self, folder: Path, repo_root: Path) -> None:
        self.folder = folder
        plain = {key: value for key, value in os.environ.items() if not key.startswith("AIAGENT_")}
        own = {"HOME": folder, "USERPROFILE": folder, "PYTHONPATH": repo_root}
        self.environment = plain | {name: str(path) for name, path in own.items()}
        self.environment |= {"AIAGENT_LANGUAGE": "en", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}

    def begin(self, *arguments: object, **env: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "vnpy_aiagent", *map(str, arguments)],
            cwd=self.folder,
            env=self.environment | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def call(self, *arguments: object, **env: str) -> Done:
        process = self.begin(*arguments, **env)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def facts(self, *arguments: object) -> dict[str, Any]:
        done = self.call(*arguments, "--json")
        assert done.returncode == 0, done
        loaded: dict[str, Any] = json.loads(done.stdout)
        return loaded


@pytest.fixture(scope="module")
def home(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home"), repo_root)


@pytest.fixture(scope="module")
def run(home: Home, shared: Path) -> Path:
    """A finished demo over one week."""
    done = home.call(*demo(shared), "--out", home.folder / "run")
    assert done.returncode == 0, done.stderr
    return home.folder / "run"


def demo(shared: Path, start: str = "2025-06-03", end: str = "2025-06-06") -> tuple[object, ...]:
    folder = shared / "data" / "sse50"
    return ("demo", "--data", folder, "--symbols", FIVE, "--start", start, "--end", end)


def wait_until(true: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "this did not happen in time"
        time.sleep(0.02)


def written(folder: Path) -> int:
    """Bytes of a demo's journal so far."""
    return sum(path.stat().st_size for path in folder.glob("journal.db*"))


@pytest.mark.parametrize("limit", [2, 100_000], ids=["within the buffer", "beyond the buffer"])
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["lines", "json"])
def test_standard_output_may_be_closed_early(
    home: Home, run: Path, limit: int, form: tuple[str, ...]
) -> None:
    process = home.begin("journal", "show", run / "journal.db", "--limit", limit, *form)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), errors) == (0, b"")


@pytest.mark.parametrize("encoding", ["cp936", "ascii", "cp1252"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_console_that_lacks_characters_gets_the_whole_result(
    home: Home, shared: Path, tmp_path: Path, encoding: str, language: str
) -> None:
    done = home.call(
        *demo(shared), "--out", tmp_path / "run", PYTHONIOENCODING=encoding, AIAGENT_LANGUAGE=language
    )
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode(encoding)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert summary["journal"]["head"] in shown
    assert ("离线分析员" in shown) is (encoding == "cp936" and language == "zh")


def test_logs_and_progress_stay_off_standard_output(home: Home, shared: Path, tmp_path: Path) -> None:
    done = home.call(*demo(shared), "--out", tmp_path / "run", "--json")
    assert done.stdout.count(b"\n") == 1
    assert json.loads(done.stdout)["data"]["symbols"] == 5


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl+C", "kill"])
def test_a_demo_that_was_stopped_can_be_played_again_in_the_same_folder(
    home: Home, shared: Path, tmp_path: Path, how: signal.Signals
) -> None:
    out = tmp_path / "run"
    process = home.begin(*demo(shared, "2025-01-02", "2025-11-19"), "--out", out)
    wait_until(lambda: written(out) > 500_000, process)
    process.send_signal(how)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (130 if how is signal.SIGINT else -how)
    assert errors == (b"error: stopped by the user\n" if how is signal.SIGINT else b"")
    assert home.call(*demo(shared), "--out", out).returncode == 0
    assert json.loads((out / "summary.json").read_text(encoding="utf-8"))["data"]["end"] == "2025-06-06"


def test_an_analysis_on_a_day_without_trading_is_refused_with_the_span(home: Home, shared: Path) -> None:
    folder = shared / "data" / "sse50"
    done = home.call("analyze", "600519", "--data", folder, "--as-of", "2025-05-10")
    assert done.returncode == 2
    assert done.stderr.decode() == (
        "error: 600519.SSE has no bar on 2025-05-10; its data runs from 2025-01-02 to 2025-11-19\n"
    )


def test_an_analysis_reads_as_text_from_the_findings_to_the_verdict(home: Home, shared: Path) -> None:
    folder = shared / "data" / "sse50"
    done = home.call("analyze", "600519", "--data", folder, "--as-of", "2025-09-30")
    shown = done.stdout.decode()
    assert shown.splitlines()[0] == "600519.SSE 2025-09-30 09:35"
    assert shown.splitlines()[1] in (
        "离线分析员：规则，不是语言模型",
        "Offline analyst: fixed rules, not a language model",
    )
    assert all(f"\n{account}: " in shown for account in ("aggressive", "conservative", "judge"))
    assert any(word in shown.splitlines()[-1] for word in ("调用模型 ", "calls of the model, "))


class Paper:
    """A paper run over imported bars, in a home of its own."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.process = home.begin("run", "--headless", "--mode", "paper", "--json")
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if BEGUN.encode() in line:
                return
        raise AssertionError("the run did not begin")

    def end(self) -> dict[str, Any]:
        """Ctrl+C; its last status."""
        self.process.send_signal(signal.SIGINT)
        out, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors
        assert b"Traceback" not in errors
        loaded: dict[str, Any] = json.loads(out)
        return loaded


@pytest.fixture
def paper(repo_root: Path, shared: Path, tmp_path: Path) -> Iterator[Paper]:
    home = Home(tmp_path, repo_root)
    imported = home.facts("data", "import", shared / "data" / "sse50")
    assert imported["symbols"] == 50
    home.environment["AIAGENT_UNIVERSE"] = '["600519.SSE", "601988.SSE"]'
    running = Paper(home)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.communicate()


def test_all_controls_reach_a_paper_run_and_outlive_it(paper: Paper) -> None:
    home = paper.home
    assert home.facts("status")["running"] is True
    universe = next(f for f in home.facts("doctor", "--no-online")["findings"] if f["check"] == "universe")
    assert universe["found"] == "2 symbols with history"
    for command in (("pause",), ("halt", "--reason", "test"), ("resume",), ("flatten",)):
        assert home.facts(*command)["running"] is True
    status = home.facts("status")
    assert (status["state"], status["paused"], status["running"]) == ("REDUCING", True, True)
    second = home.call("run", "--headless", "--seconds", "1")
    assert second.returncode == 2
    assert second.stderr.decode().splitlines()[-1].startswith("error: the journal ")
    assert "Traceback" not in second.stderr.decode()
    assert paper.end()["state"] == "REDUCING"
    journal = home.folder / ".vntrader" / "aiagent" / "journal.db"
    assert home.facts("journal", "verify", journal)["ok"] is True
    entries = home.facts("journal", "show", journal, "--limit", 1_000)["entries"]
    states = [e["body"]["state"] for e in entries if e["kind"] == "StateChanged"]
    assert (states, entries[-1]["kind"]) == (["ACTIVE", "HALTED", "ACTIVE", "REDUCING"], "RunEnded")
    status = home.facts("status")
    assert (status["state"], status["running"], len(status["accounts"])) == ("REDUCING", False, 3)


def test_a_run_ends_by_itself_after_the_seconds_given(home: Home) -> None:
    done = home.call("run", "--headless", "--seconds", "0.5", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["running"] is True
    assert "the universe is empty" in done.stderr.decode()
    journal = home.folder / ".vntrader" / "aiagent" / "journal.db"
    assert home.facts("journal", "show", journal, "--limit", 1)["entries"][0]["kind"] == "RunEnded"


def test_a_run_over_symbols_without_bars_starts_and_names_the_command_that_gets_them(home: Home) -> None:
    done = home.call("run", "--headless", "--seconds", "5", AIAGENT_UNIVERSE='["688981.SSE"]')
    assert done.returncode == 0
    said = done.stderr.decode()
    assert "688981.SSE" in said
    assert "aiagent data download 688981.SSE" in said


def test_shims_are_written_where_the_traders_folder_is(home: Home) -> None:
    for _ in range(2):
        files = home.facts("install-strategies")["files"]
        assert set(files) == {path.name for path in (ROOT / "strategies").glob("*.py")}
    shim = home.folder / "strategies" / "ai_agent_strategy.py"
    shim.write_text("# mine\n", encoding="utf-8")
    assert home.call("install-strategies").returncode == 2
    assert shim.read_text(encoding="utf-8") == "# mine\n"
    home.facts("install-strategies", "--overwrite")
    assert "from vnpy_aiagent.cta import" in shim.read_text(encoding="utf-8")
