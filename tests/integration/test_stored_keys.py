"""The key that the window stored reaches what runs without a window, and never what is written or shown."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vnpy_aiagent.keys import KeyStore
from vnpy_aiagent.testing.model_server import Fault, ModelServer

SECRET = "sk-stored-by-the-window"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with vnpy's own folder in it."""
    (tmp_path / ".vntrader" / "aiagent").mkdir(parents=True)
    return tmp_path


def call(home: Path, repo_root: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    plain = {key: value for key, value in os.environ.items() if not key.startswith("AIAGENT_")}
    own = {"HOME": str(home), "USERPROFILE": str(home), "PYTHONPATH": str(repo_root)}
    backend = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "AIAGENT_LANGUAGE": "en"}
    return subprocess.run(
        [sys.executable, "-m", "vnpy_aiagent", *map(str, arguments)],
        cwd=home,
        env=plain | own | backend,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=120,
        check=False,
    )


def store(home: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the window does where there is no keyring: the key to its file, the address to the settings."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    folder = home / ".vntrader" / "aiagent"
    KeyStore(folder).put(url, SECRET)
    (folder / "config.yaml").write_text(
        f"llm: {{base_url: '{url}', model: test-model, max_retries: 0}}\n", encoding="utf-8"
    )


def test_the_doctor_and_an_analysis_use_the_stored_key(
    home: Path, repo_root: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer(lambda body: Fault(status=401, message="invalid api key")) as server:
        store(home, server.base_url, monkeypatch)
        checked = call(home, repo_root, "doctor", "--json")
        asked = len(server.requests)
        data = shared / "data" / "sse50"
        analysed = call(
            home, repo_root, "analyze", "600519.SSE", "--data", data, "--as-of", "2025-06-05", "--json"
        )
        sent = {request.headers["authorization"] for request in server.requests}
    assert 0 < asked < len(server.requests)
    assert sent == {f"Bearer {SECRET}"}
    assert checked.returncode == 1
    assert json.loads(analysed.stdout)["model"]["is_llm"] is True
    assert SECRET not in checked.stdout + checked.stderr + analysed.stdout + analysed.stderr


def test_a_paper_run_uses_the_stored_key_and_writes_it_nowhere(
    home: Path, repo_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(home, "http://127.0.0.1:9/v1", monkeypatch)
    done = call(home, repo_root, "run", "--headless", "--seconds", "1", "--json")
    assert json.loads(done.stdout)["model"] == "test-model"
    written = [path for path in home.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert [path.name for path in written] == ["keys.json"]
    assert SECRET not in done.stdout + done.stderr
