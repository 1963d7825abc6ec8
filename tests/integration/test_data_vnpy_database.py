"""Bars through vnpy's own SQLite database and back, in a process with its own vnpy folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, sys
from datetime import date, datetime
from pathlib import Path

import vnpy_sqlite
from vnpy.trader.constant import Exchange, Interval

from vnpy_aiagent.data.folder import load_folder
from vnpy_aiagent.data.vnpy_database import import_market_data, load_from_database
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import DataError

database = vnpy_sqlite.Database()
data = load_folder(sys.argv[1], symbols=["600036", "600519"], frequency=BarInterval.HOUR)
before = data.digest()
steps = []
saved = import_market_data(data, database, lambda done, total: steps.append((done, total)))
again = import_market_data(data, database)
start, end = data.span()
daily = load_from_database(["600036", "600519"], start, end, BarInterval.DAILY, database)
hourly = load_from_database(["600519"], date(2025, 10, 10), date(2025, 10, 10), BarInterval.HOUR, database)
weekly = load_from_database(["600519"], start, end, BarInterval.WEEKLY, database)
try:
    load_from_database(["600000"], start, end, BarInterval.DAILY, database)
    refusal = ""
except DataError as error:
    refusal = str(error)
overview = {(o.symbol, o.interval.name): o.count for o in database.get_bar_overview()}


def times(source, interval):
    bars = source.bars("600519.SSE", interval)
    return bars.start.tolist()


records = data.bars("600519.SSE", BarInterval.HOUR).records()
day = [bar for bar in records if bar["start"] >= "2025-10-10"][:4]
result = {
    "unchanged": data.digest() == before,
    "saved": saved,
    "again": again,
    "steps": steps,
    "overview": sorted([*key, count] for key, count in overview.items()),
    "daily_equal": times(data, BarInterval.DAILY) == times(daily, BarInterval.DAILY),
    "closes_equal": (
        data.bars("600036.SSE", BarInterval.DAILY).close.tolist()
        == daily.bars("600036.SSE", BarInterval.DAILY).close.tolist()
    ),
    "turnover_first": daily.bars("600519.SSE", BarInterval.DAILY).records()[0]["turnover"],
    "hourly": [r["start"] for r in hourly.bars("600519.SSE", BarInterval.HOUR).records()],
    "hourly_expected": [r["start"] for r in day],
    "weeks": len(weekly.bars("600519.SSE", BarInterval.WEEKLY)),
    "weeks_expected": len(data.bars("600519.SSE", BarInterval.WEEKLY)),
    "refusal": refusal,
}
database.db.close()
print(json.dumps(result))
"""


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC"])
def test_bars_come_back_as_they_went_in(tmp_path: Path, shared: Path, zone: str) -> None:
    """The machine's zone and the database's may differ: vnpy's drivers shift times there."""
    folder = tmp_path / ".vntrader"
    folder.mkdir()
    (folder / "vt_setting.json").write_text(json.dumps({"database.timezone": zone}), encoding="utf-8")
    root = Path(__file__).resolve().parents[2]
    paths = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONUTF8": "1"}
    if os.name == "posix":
        environment["TZ"] = "America/New_York"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(shared / "data" / "sse50")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    count = dict.fromkeys(("DAILY", "HOUR"), 0)
    for _, interval, bars in result["overview"]:
        count[interval] += bars
    assert result["saved"] == result["again"] == sum(count.values())
    assert result["steps"][-1] == [result["saved"], result["saved"]]
    assert result["unchanged"]
    assert count["HOUR"] == 240
    assert result["daily_equal"]
    assert result["closes_equal"]
    assert result["turnover_first"] is None
    assert result["hourly"] == result["hourly_expected"]
    assert len(result["hourly"]) == 4
    assert result["weeks"] == result["weeks_expected"] > 40
    assert "vnpy's database has no DAILY bars of 600000.SSE" in result["refusal"]
