"""A collection in another process: its facts are stored, a family that ends it is absent, the others come."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

import pytest

from vnpy_aiagent.collecting import Collecting
from vnpy_aiagent.config import Settings, load_settings
from vnpy_aiagent.config.facts import RecorderSettings
from vnpy_aiagent.data.fact_sources.apart import ApartCollector, Collection, MakeProviders
from vnpy_aiagent.data.fact_sources.catalogue import FAMILIES
from vnpy_aiagent.data.facts import Fact, ValueFact
from vnpy_aiagent.data.facts_store import FILE_NAME, FactReader
from vnpy_aiagent.data.sources.apart import FetchLost, FetchProcess
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock
from vnpy_aiagent.market import default_calendar

from . import apart_jobs as jobs

NOW = datetime(2025, 11, 3, 17, 45, tzinfo=MARKET_TZ)
SHARE = "600519.SSE"
UNHURRIED = load_settings(data={"limits": {"akshare": 6_000, "tushare": 6_000}})


@pytest.fixture(autouse=True)
def _jobs_can_be_found(repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process looks for modules where this one does."""
    monkeypatch.syspath_prepend(repo_root)


@pytest.fixture
def process() -> Iterator[FetchProcess]:
    made = FetchProcess("tests")
    yield made
    made.close()


def wanted(folder: Path, providers: MakeProviders) -> Collection:
    return Collection(UNHURRIED, folder, VirtualClock(NOW), (SHARE,), providers=providers)


def lpr(folder: Path) -> list[str]:
    market = FactReader(folder / FILE_NAME, 7).view(SHARE, NOW).market
    return [f"{fact.metric} {fact.value}" for fact in market]


def test_facts_of_the_other_process_are_stored_and_told_here(tmp_path: Path, process: FetchProcess) -> None:
    told: list[Fact] = []
    reports = ApartCollector(process, Event(), told.extend).collect(wanted(tmp_path, jobs.fake))
    assert [report.name for report in reports] == [family.name for family in FAMILIES]
    assert [report.name for report in reports if report.new] == ["lpr"]
    assert lpr(tmp_path) == ["lpr_1y 0.03", "lpr_5y 0.035"]
    assert sum(isinstance(fact, ValueFact) for fact in told) == 2
    assert "akshare" not in sys.modules


def test_a_family_that_ends_the_process_is_absent_and_the_others_come(
    tmp_path: Path, process: FetchProcess
) -> None:
    reports = ApartCollector(process, Event(), lambda _: None).collect(wanted(tmp_path, jobs.deadly))
    assert len(reports) == len(FAMILIES)
    lost = {report.name: report for report in reports}["valuation"]
    assert lost.failed
    assert "取数进程中断了" in str(lost.why)
    assert lpr(tmp_path) == ["lpr_1y 0.03", "lpr_5y 0.035"]
    absences = FactReader(tmp_path / FILE_NAME, 7).view(SHARE, NOW).absences
    assert {each.dataset: each.reason for each in absences}["pe_ttm"] == "failed"


def test_a_process_that_never_gets_far_leaves_absences_alone(
    tmp_path: Path, process: FetchProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> None:
        raise FetchLost("no memory")

    monkeypatch.setattr(process, "call", lost)
    reports = ApartCollector(process, Event(), lambda _: None).collect(wanted(tmp_path, jobs.fake))
    assert {report.failed for report in reports if report.absent} == {True}
    assert lpr(tmp_path) == []
    absences = FactReader(tmp_path / FILE_NAME, 7).view(SHARE, NOW).absences
    assert {each.dataset: each.reason for each in absences}["lpr_1y"] == "failed"


def test_a_hung_collection_ends_when_the_program_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "asked"
    monkeypatch.setenv("AIAGENT_TEST_MARK", str(mark))
    told: list[object] = []
    settings = Settings(recorder=RecorderSettings(enabled=False))
    parts = Collecting(
        settings,
        VirtualClock(NOW),
        default_calendar(),
        tmp_path,
        lambda: [SHARE],
        lambda *sentence: told.append(sentence),
        jobs.hanging,
    )
    assert parts.collector is not None
    thread = Thread(target=parts.collector.collect)
    thread.start()
    for _ in range(1_200):
        if mark.exists():
            break
        thread.join(0.1)
    assert mark.exists()
    parts.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert parts._process.pid is None
    assert told == []


def test_heavy_packages_are_never_loaded_in_the_trading_process(repo_root: Path, tmp_path: Path) -> None:
    """akshare's stand-in is found, asked for facts and bars, and loaded elsewhere."""
    script = f"""
import sys
from datetime import date, datetime
from pathlib import Path
from threading import Event


def main():
    sys.path.insert(0, {str(repo_root / "tests" / "akshare_standin")!r})
    import vnpy_aiagent.wiring
    from vnpy_aiagent.config import load_settings
    from vnpy_aiagent.data.fact_sources.apart import ApartCollector, Collection
    from vnpy_aiagent.data.sources.apart import FetchProcess
    from vnpy_aiagent.data.sources.build import build_router
    from vnpy_aiagent.data.sources.port import BarRequest
    from vnpy_aiagent.domain import MARKET_TZ, BarInterval, VirtualClock

    folder = Path({str(tmp_path)!r})
    clock = VirtualClock(datetime(2025, 11, 20, 20, tzinfo=MARKET_TZ))
    limits = {{"akshare": 6_000}}
    settings = load_settings(facts={{"policies": False}}, data={{"order": ("akshare",), "limits": limits}})
    process = FetchProcess("x")
    try:
        router = build_router(settings, folder, clock, process=process)
        request = BarRequest("600519.SSE", BarInterval.DAILY, date(2025, 11, 17), date(2025, 11, 20))
        assert len(router.ask("akshare", request)) == 4
        apart = ApartCollector(process, Event(), lambda _: None)
        assert apart.collect(Collection(settings, folder, clock, ("600519.SSE",)))
    finally:
        process.close()
    loaded = [name for name in ("akshare", "baostock", "tushare") if name in sys.modules]
    print("loaded:", loaded)


if __name__ == "__main__":
    main()
"""
    path = tmp_path / "trading.py"
    path.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, timeout=240, check=False, cwd=tmp_path
    )
    assert done.stdout.strip() == "loaded: []", done.stderr
