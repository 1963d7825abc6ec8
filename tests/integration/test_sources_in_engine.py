"""A paper engine at work: its bars come through the sources, and the hourly check notes how they stand."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from vnpy.event import Event, EventEngine
from vnpy.trader.database import get_database
from vnpy.trader.engine import MainEngine

from vnpy_aiagent.app import AiAgentApp
from vnpy_aiagent.base import EVENT_AI_TIMER
from vnpy_aiagent.brain.runner import ProcessRunner
from vnpy_aiagent.config import load_settings
from vnpy_aiagent.data.sources.notebook import SourceNotebook
from vnpy_aiagent.data.vnpy_database import release
from vnpy_aiagent.domain import MARKET_TZ, Mode, Timer, VirtualClock
from vnpy_aiagent.engine import AiAgentEngine
from vnpy_aiagent.places import user_folder
from vnpy_aiagent.source_checks import SOURCES_TIMER

from .test_live_parts import NoProcess

NOW = datetime(2025, 11, 20, 20, tzinfo=MARKET_TZ)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, repo_root: Path, tmp_path: Path) -> Iterator[AiAgentEngine]:
    """A started engine without a brain process, akshare's stand-in on the path, its clock still."""
    monkeypatch.syspath_prepend(repo_root / "tests" / "akshare_standin")
    monkeypatch.delitem(sys.modules, "akshare", raising=False)
    monkeypatch.setattr(ProcessRunner, "_launch", lambda *_: (NoProcess(), NoProcess()))
    (user_folder() / "sources.db").unlink(missing_ok=True)
    main_engine = MainEngine(EventEngine())
    engine = main_engine.add_app(AiAgentApp)
    assert isinstance(engine, AiAgentEngine)
    settings = load_settings(
        mode=Mode.PAPER, universe=("600519.SSE",), store={"journal": str(tmp_path / "journal.db")}
    )
    engine.start(settings, VirtualClock(NOW))
    yield engine
    for thread in threading.enumerate():
        if thread.name in ("aiagent-bars", "aiagent-sources"):
            thread.join(60)
    main_engine.close()
    sys.modules.pop("akshare", None)
    (user_folder() / "sources.db").unlink(missing_ok=True)
    database = get_database()
    for row in database.get_bar_overview():
        database.delete_bar_data(row.symbol, row.exchange, row.interval)
    release(database)


def until(happened: Callable[[], object]) -> None:
    """Wait for another thread."""
    give_up = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_bars_come_through_the_sources_and_the_hourly_check_notes_them(engine: AiAgentEngine) -> None:
    parts, notebook = engine.parts, SourceNotebook(user_folder() / "sources.db")
    assert parts.sources is not None
    assert parts.sources.names == ("database", "akshare", "tushare", "baostock", "gateway")
    until(lambda: {row.vt_symbol for row in notebook.origins()} >= {"600519.SSE", "000300.SSE"})
    assert {row.source for row in notebook.origins()} == {"akshare"}
    due = [timer.when for timer in parts.timers if timer.name == SOURCES_TIMER]
    assert due == [NOW + timedelta(hours=1)]
    engine.event_engine.put(Event(EVENT_AI_TIMER, Timer(due[0], 0, SOURCES_TIMER)))
    until(notebook.health)
    notes = {note.source: note.healthy for note in notebook.health()}
    assert notes["akshare"]
    assert notes["database"]
