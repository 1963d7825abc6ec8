"""`python run_vnpy.py`: what it loads, what it says is missing, and what it leaves alone."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader import datafeed
from vnpy.trader.setting import SETTINGS

import vnpy_aiagent


@pytest.fixture
def script(repo_root: Path) -> Any:
    """run_vnpy.py as a module."""
    spec = importlib.util.spec_from_file_location("run_vnpy", repo_root / "run_vnpy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """vnpy's settings as they were, afterwards."""
    monkeypatch.setitem(SETTINGS, "datafeed.name", "")
    monkeypatch.setitem(SETTINGS, "database.timezone", "UTC")
    monkeypatch.setattr(datafeed, "datafeed", None)


def environment(home: Path, repo_root: Path) -> dict[str, str]:
    plain = {key: value for key, value in os.environ.items() if not key.startswith("AIAGENT_")}
    own = {"HOME": str(home), "USERPROFILE": str(home), "PYTHONPATH": str(repo_root)}
    return plain | own | {"PYTHONIOENCODING": "utf-8", "AIAGENT_LANGUAGE": "en"}


def test_everything_that_is_installed_is_loaded_and_the_buttons_have_a_datafeed(
    script: Any, settings: None, capsys: pytest.CaptureFixture[str]
) -> None:
    main_engine, engine = script.build()
    try:
        apps = [app.app_name for app in main_engine.get_all_apps()]
        names = main_engine.get_all_gateway_names()
        feed = main_engine.get_engine("CtaBacktester").datafeed
    finally:
        main_engine.close()
    assert apps == ["CtaStrategy", "CtaBacktester", "DataManager", "AiAgent"]
    assert names[-4:] == ["QUOTE", "SIM-AGGRESSIVE", "SIM-CONSERVATIVE", "SIM-JUDGE"]
    assert isinstance(feed, vnpy_aiagent.Datafeed)
    assert SETTINGS["database.timezone"] == "Asia/Shanghai"
    assert engine.started is False


def test_a_datafeed_that_the_user_chose_stays(script: Any, settings: None) -> None:
    SETTINGS["datafeed.name"] = "rqdata"
    script.prepare_settings()
    assert SETTINGS["datafeed.name"] == "rqdata"


def test_each_missing_gateway_is_one_line_with_its_command(
    script: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    class Engine:
        def add_gateway(self, *_: object) -> None: ...

    monkeypatch.setitem(sys.modules, "vnpy_ctp", None)
    (tmp_path / "vnpy_xtp").mkdir()
    (tmp_path / "vnpy_xtp" / "__init__.py").write_text("import importlib_metadata_is_not_here", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "vnpy_xtp", raising=False)
    script.add_gateways(Engine())
    assert capsys.readouterr().out.splitlines() == [
        "CTP 期货接口没有安装，需要时运行：pip install vnpy_ctp==6.7.11.4",
        "XTP 股票接口缺少 importlib_metadata_is_not_here：pip install importlib_metadata_is_not_here",
    ]


def test_the_commands_name_the_versions_that_go_together(script: Any, repo_root: Path) -> None:
    pins = (repo_root / "constraints.txt").read_text(encoding="ascii").splitlines()
    for broker in script.BROKERS:
        wanted = broker.command.removeprefix("pip install ").split()
        assert set(wanted) <= set(pins)


def test_the_brains_process_imports_it_without_a_trace(tmp_path: Path, repo_root: Path) -> None:
    code = (
        "import json, runpy, sys, threading\n"
        f"runpy.run_path({str(repo_root / 'run_vnpy.py')!r}, run_name='__mp_main__')\n"
        "loaded = [name for name in sys.modules if name.startswith(('vnpy', 'PySide6'))]\n"
        "print(json.dumps([loaded, threading.active_count()]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(tmp_path, repo_root),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == [[], 1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_without_a_screen_it_runs_until_it_is_interrupted(tmp_path: Path, repo_root: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, str(repo_root / "run_vnpy.py"), "--headless"],
        cwd=tmp_path,
        env=environment(tmp_path, repo_root),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:  # ends with the process, so this cannot wait for ever
        said.append(line)
        if "Ctrl+C ends it" in line:
            process.send_signal(signal.SIGINT)
    process.stdout.close()
    assert process.wait(timeout=60) == 0, "".join(said)
    folder = tmp_path / ".vntrader"
    assert json.loads((folder / "vt_setting.json").read_text(encoding="utf-8")) == {}
    assert (folder / "aiagent" / "journal.db").exists()


def test_wrong_settings_do_not_keep_the_window_shut(
    script: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text("mode: NONSENSE\n", encoding="utf-8")
    monkeypatch.setattr("vnpy_aiagent.places.default_config", lambda: tmp_path / "config.yaml")
    assert script.simulated_accounts() == ["SIM-AGGRESSIVE", "SIM-CONSERVATIVE", "SIM-JUDGE"]
    assert "设置有误" in capsys.readouterr().out
