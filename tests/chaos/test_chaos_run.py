"""The bounded chaos run: thirty kills. The long one, with its table, is `python -m tests.chaos.chaos_run`."""

import os
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif(
        os.environ.get("AIAGENT_TEST_CHAOS") != "1",
        reason="set AIAGENT_TEST_CHAOS=1 to kill the trading process thirty times (some minutes)",
    ),
    pytest.mark.skipif(sys.platform == "win32", reason="the run forks and sends SIGKILL: POSIX only"),
]

KILLS, SEED = 30, 7


def test_thirty_kills_lose_no_fill_and_double_no_order(tmp_path: Path, shared: Path) -> None:
    from tests.chaos.chaos_run import ChaosRun, table
    from tests.chaos.kill_points import BOUNDARIES

    result = ChaosRun(tmp_path / "run", shared, KILLS, SEED).run()
    print()
    print(table(result, SEED))
    assert result.problems == []
    assert result.missed == []
    assert result.kills == KILLS
    assert all(result.rows[name].kills >= 1 for name in BOUNDARIES)
    assert result.live >= KILLS // 2
