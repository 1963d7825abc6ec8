"""A folder of its own for a benchmark, removed at the end; and where the real data lies."""

import atexit
import json
import os
import shutil
import tempfile
from pathlib import Path

SHARED = Path(os.environ.get("AIAGENT_SHARED", "../shared")).resolve()
SETTINGS = {"log.console": False, "log.file": False, "database.timezone": "Asia/Shanghai"}


def enter() -> Path:
    """Make the folder and go there. Must come before vnpy is imported, which decides its folder then."""
    folder = Path(tempfile.mkdtemp(prefix="aiagent-bench-")).resolve()
    (folder / ".vntrader").mkdir()
    (folder / ".vntrader" / "vt_setting.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    before = Path.cwd()
    os.chdir(folder)
    atexit.register(_leave, folder, before)
    return folder


def _leave(folder: Path, before: Path) -> None:
    os.chdir(before)
    shutil.rmtree(folder, ignore_errors=True)
