"""vnpy's XTP gateway: it loads, and doctor sees it. docs/gateways.md says what could not be tried."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("AIAGENT_TEST_CTP") != "1",
        reason='set AIAGENT_TEST_CTP=1 and pip install "vnpy_aiagent[gateways]" (Linux)',
    ),
]
LOAD = """
import json
from pathlib import Path
from vnpy.event import EventEngine
from vnpy.trader.engine import MainEngine
from vnpy_xtp import XtpGateway
main = MainEngine(EventEngine())
main.add_gateway(XtpGateway)
loaded = {Path(line.split()[-1]).name for line in open("/proc/self/maps", encoding="utf-8") if "xtp" in line}
found = {"gateways": main.get_all_gateway_names(), "exchanges": [e.name for e in main.get_all_exchanges()]}
main.close()
print(json.dumps({**found, "libraries": sorted(name for name in loaded if name.startswith("lib"))}))
"""


def start(command: list[str], folder: Path, repo_root: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder prepared for vnpy."""
    (folder / ".vntrader").mkdir()
    settings = {"log.console": False, "log.file": False}
    (folder / ".vntrader" / "vt_setting.json").write_text(json.dumps(settings), encoding="utf-8")
    path = os.pathsep.join(filter(None, (str(repo_root), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_the_xtp_gateway_loads_with_its_own_libraries(tmp_path: Path, repo_root: Path) -> None:
    done = start(["-c", LOAD], tmp_path, repo_root)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["gateways"] == ["XTP"]
    assert {"SSE", "SZSE"} <= set(found["exchanges"])
    assert found["libraries"] == ["libxtpquoteapi.so", "libxtptraderapi.so"]


def test_doctor_sees_the_xtp_gateway(tmp_path: Path, repo_root: Path) -> None:
    done = start(["-m", "vnpy_aiagent", "doctor", "--no-online", "--json"], tmp_path, repo_root)
    findings = {each["check"]: each for each in json.loads(done.stdout)["findings"]}
    assert (findings["vnpy_xtp"]["grade"], findings["vnpy_xtp"]["found"]) == ("ok", "installed")
