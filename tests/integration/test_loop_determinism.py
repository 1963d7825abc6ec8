"""The same inputs give the same journal, byte for byte, in any process; later data never reaches back."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from vnpy_aiagent.data import BarSeries, MarketData
from vnpy_aiagent.domain import MARKET_TZ, BarInterval

from .loop_helpers import MOUTAI, TEN, Played, fresh_journal, play, settings, sse50

START, END = date(2025, 5, 6), date(2025, 7, 31)
RUN = """
import sys
from datetime import date
from pathlib import Path
from vnpy_aiagent.config import load_settings
from vnpy_aiagent.data import load_folder
from vnpy_aiagent.domain import Mode
from vnpy_aiagent.simulation import Simulation
folder, journal, *symbols = sys.argv[1:]
data = load_folder(Path(folder), symbols=symbols)
run = Simulation(data, load_settings(mode=Mode.SIMULATION, language="zh"), Path(journal),
                 start=date(2025, 5, 6), end=date(2025, 7, 31))
print(run.run().head)
"""


@pytest.fixture(scope="module")
def plain(shared: Path) -> Played:
    return play(sse50(shared).restrict(TEN), start=START, end=END)


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_another_process_with_another_hash_seed_writes_the_same_journal(
    plain: Played, shared: Path, seed: str, tmp_path: Path, repo_root: Path
) -> None:
    (tmp_path / ".vntrader").mkdir()
    environment = dict(os.environ, PYTHONHASHSEED=seed, PYTHONPATH=str(repo_root))
    folder = str(shared / "data" / "sse50")
    command = [sys.executable, "-c", RUN, folder, str(tmp_path / "run" / "journal.db"), *TEN]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == plain.result.head


def test_other_arguments_write_another_journal(plain: Played, shared: Path) -> None:
    data = sse50(shared).restrict(TEN)
    heads = {plain.result.head}
    heads.add(play(data, start=START, end=END - timedelta(days=1)).result.head)
    heads.add(play(data, start=START + timedelta(days=1), end=END).result.head)
    other = settings().model_copy(update={"brain": settings().brain.model_copy(update={"latency": 6.0})})
    heads.add(play(data, start=START, end=END, settings=other).result.head)
    heads.add(play(sse50(shared).restrict(TEN[:9]), start=START, end=END).result.head)
    assert len(heads) == 5


@pytest.mark.parametrize("day", [date(2025, 5, 30), date(2025, 6, 18), date(2025, 7, 14)])
def test_poisoning_all_data_after_a_day_changes_no_entry_up_to_that_day(
    plain: Played, shared: Path, day: date
) -> None:
    data = sse50(shared).restrict(TEN)
    poisoned = play(poison(data, day), start=START, end=END)
    moment = datetime.combine(day + timedelta(days=1), datetime.min.time(), MARKET_TZ)

    def until(run: Played) -> list[tuple[object, ...]]:
        """All entries up to the moment but the first, which holds the digest of all data."""
        return [e.content for e in run.entries[1:] if datetime.fromisoformat(e.at) < moment]

    before = until(plain)
    assert len(before) > 500
    assert until(poisoned) == before
    assert [e.content for e in poisoned.entries[1:]] != [e.content for e in plain.entries[1:]]


def test_the_poison_test_would_notice_a_look_ahead(plain: Played, shared: Path) -> None:
    """Poison that begins a day too early must change entries of that day: the comparison can fail."""
    day = date(2025, 6, 18)
    poisoned = play(poison(sse50(shared).restrict(TEN), day - timedelta(days=1)), start=START, end=END)
    mine = [e.content for e in plain.entries[1:] if datetime.fromisoformat(e.at).date() == day]
    theirs = [e.content for e in poisoned.entries[1:] if datetime.fromisoformat(e.at).date() == day]
    assert mine != theirs


def test_a_run_never_overwrites_a_journal(shared: Path) -> None:
    data = sse50(shared).restrict([MOUTAI])
    journal = fresh_journal()
    journal.write_bytes(b"mine")
    from vnpy_aiagent.errors import DataError
    from vnpy_aiagent.simulation import Simulation

    with pytest.raises(DataError, match="exists already; give another folder"):
        Simulation(data, settings(), journal)
    assert journal.read_bytes() == b"mine"


def poison(data: MarketData, after: date) -> MarketData:
    """All bars of all series after a day, changed in price and volume; indices too."""
    return replace(
        data,
        series={key: _poisoned(series, after) for key, series in data.series.items()},
        index={name: _poisoned(series, after) for name, series in data.index.items()},
    )


def _poisoned(series: BarSeries, after: date) -> BarSeries:
    assert series.interval is BarInterval.DAILY
    first = next((i for i in range(len(series)) if series.day_of(i) > after), len(series))
    changes = {}
    for number, name in enumerate(("open", "high", "low", "close")):
        values = getattr(series, name).copy()
        values[first:] = (values[first:] * 1.07 + 0.01 * number).round(2)
        changes[name] = values
    changes["low"][first:] = changes["low"][first:] - 0.05
    changes["low"] = changes["low"].round(2)
    changes["high"][first:] = (changes["high"][first:] + 0.05).round(2)
    volume = series.volume.copy()
    volume[first:] = volume[first:] * 3
    return replace(series, **changes, volume=volume)
