"""Chinese Windows consoles (cp936) and plain ASCII: commands end well, lost glyphs become question marks."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ENCODINGS = ("cp936", "ascii")
FIVE = "600519.SSE,600036.SSE,601318.SSE,600900.SSE,601988.SSE"
HELPS = (
    "", "demo", "analyze", "audit", "run", "install-strategies", "status", "pause", "halt", "flatten",
    "resume", "why-not", "doctor", "data", "data import", "data download", "journal", "journal verify",
    "journal show",
)  # fmt: skip
EVERY_HELP = """
import sys
from vnpy_aiagent.cli import main
for words in {helps!r}:
    sys.argv = ["aiagent", *words.split(), "--help"]
    try:
        main()
    except SystemExit as ending:
        assert not ending.code, words
"""


def environment(home: Path, repo_root: Path, encoding: str) -> dict[str, str]:
    plain = {key: value for key, value in os.environ.items() if not key.startswith("AIAGENT_")}
    own = {"HOME": str(home), "USERPROFILE": str(home), "PYTHONPATH": str(repo_root)}
    console = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "COLUMNS": "100", "AIAGENT_LANGUAGE": "zh"}
    return plain | own | console


def call(home: Path, repo_root: Path, encoding: str, *arguments: object) -> tuple[int, str]:
    """Exit code and both streams, which must be pure text of the encoding."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=home,
        env=environment(home, repo_root, encoding),
        capture_output=True,
        timeout=300,
        check=False,
    )
    shown = done.stdout.decode(encoding) + done.stderr.decode(encoding)
    assert "Traceback" not in shown, shown
    return done.returncode, shown


def seen(text: str, encoding: str) -> str:
    """What a console of this encoding shows of a text."""
    return text.encode(encoding, "replace").decode(encoding)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, repo_root: Path, shared: Path) -> Path:
    """A home with a finished demo in `run`."""
    folder = tmp_path_factory.mktemp("home")
    span = ("--symbols", FIVE, "--start", "2025-06-03", "--end", "2025-06-20")
    demo = ("-m", "vnpy_aiagent", "demo", "--data", shared / "data" / "sse50", *span, "--out", "run")
    code, _ = call(folder, repo_root, "utf-8", *demo)
    assert code == 0
    return folder


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_help_of_every_command(tmp_path: Path, repo_root: Path, encoding: str) -> None:
    code, shown = call(tmp_path, repo_root, encoding, "-c", EVERY_HELP.format(helps=HELPS))
    assert code == 0
    assert shown.count("Usage: aiagent") == len(HELPS)


def test_the_funnel_differs_from_its_utf8_form_in_lost_glyphs_alone(home: Path, repo_root: Path) -> None:
    command = ("-m", "vnpy_aiagent", "why-not", "--journal", "run/journal.db")
    code, full = call(home, repo_root, "utf-8", *command)
    assert re.search("[一-龥]", full)
    for encoding in ENCODINGS:
        assert call(home, repo_root, encoding, *command) == (code, seen(full, encoding))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(("command", "codes"), [("status", (0, 1)), ("doctor", (0, 1))])
def test_status_and_doctor(
    tmp_path: Path, repo_root: Path, encoding: str, command: str, codes: tuple[int, ...]
) -> None:
    code, shown = call(tmp_path, repo_root, encoding, "-m", "vnpy_aiagent", command)
    assert code in codes
    assert shown.strip()


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal")
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_progress_bars_and_tables_on_a_terminal(
    home: Path, tmp_path: Path, shared: Path, repo_root: Path, encoding: str
) -> None:
    import pty

    parent, child = pty.openpty()
    span = ("--symbols", FIVE, "--start", "2025-06-03", "--end", "2025-06-06")
    out = tmp_path / "run"
    demo = ["demo", "--data", str(shared / "data" / "sse50"), *span, "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "vnpy_aiagent", *demo],
        cwd=tmp_path,
        env=environment(tmp_path, repo_root, encoding) | {"TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=child,
        stderr=child,
    )
    os.close(child)
    shown = b""
    while True:
        try:
            piece = os.read(parent, 65_536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(parent)
    assert process.wait(timeout=60) == 0
    text = shown.decode(encoding)
    assert "\x1b[" in text, "rich saw a terminal"
    assert "100%" in text
    assert json.loads((out / "summary.json").read_text(encoding="utf-8"))["journal"]["head"] in text
