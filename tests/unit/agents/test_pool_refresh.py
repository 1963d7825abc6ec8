"""The automatic pool in a running engine: chosen elsewhere, taken over on the event thread, journaled."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vnpy_aiagent.agents import AnalysisAgent, Universe
from vnpy_aiagent.config import AutoPool, BudgetSettings, Job, Settings
from vnpy_aiagent.data.active_pool import Active, Ranking
from vnpy_aiagent.data.hs300 import load_hs300
from vnpy_aiagent.domain import (
    MARKET_TZ,
    Alert,
    AnalysisRequest,
    AnalysisSkipped,
    BarInterval,
    Mode,
    PoolChosen,
    RequestKind,
    ScheduleFired,
    TimerQueue,
)
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.market import default_calendar
from vnpy_aiagent.pool_refresh import PoolRefresher
from vnpy_aiagent.report.read import read_journal
from vnpy_aiagent.report.why_not import why_not
from vnpy_aiagent.simulation import Simulation
from vnpy_aiagent.timetable import SCHEDULE_TIMER, SessionHooks, Timetable
from vnpy_aiagent.wiring import load_universe

MONDAY = datetime(2026, 6, 8, 7, 0, tzinfo=MARKET_TZ)
FIRED = ScheduleFired(id="r1-1", at=MONDAY, job="plan", due=MONDAY)
TOP = Active("600519.SSE", "贵州茅台", 9e9), Active("300750.SZSE", "宁德时代", 8e9)
RANKING = Ranking(date(2026, 6, 5), "sina", 5_000, TOP)


class Inline:
    """A thread that runs where it is started."""

    def __init__(self, target: Any, **_: Any) -> None:
        self.start = target


class House:
    """An engine as the refresher sees it."""

    def __init__(self, held: Sequence[str] = ()) -> None:
        self.posted: list[Any] = []
        self.alerts: list[str] = []
        self.logs: list[str] = []
        self.adopted: tuple[str, ...] = ()
        self.bus = SimpleNamespace(
            subscribe=self._subscribe, post=self._post, alert=self._alert, say_log=self._log
        )
        self.event_engine = SimpleNamespace(put=lambda event: self.handler(event.data))
        self.house = SimpleNamespace(
            portfolio=SimpleNamespace(books={"judge": SimpleNamespace(positions=dict.fromkeys(held))})
        )
        self.parts = SimpleNamespace(
            calendar=default_calendar(),
            clock=SimpleNamespace(now=lambda: MONDAY),
            universe=Universe(("600036.SSE",), {}, (BarInterval.DAILY,)),
            settings=Settings(universe=("600036.SSE",), auto_pool=AutoPool(size=2)),
            bars=None,
        )

    def adopt_pool(self, symbols: Sequence[str], names: Any) -> None:
        self.adopted = tuple(symbols)

    def _subscribe(self, _: str, handler: Any) -> None:
        self.handler = handler

    def _post(self, kind: Any, cause: str, **fields: Any) -> None:
        self.posted.append(kind(id="r1-2", at=MONDAY, cause=cause, **fields))

    def _alert(self, _: object, sentence: object, cause: str) -> None:
        self.alerts.append(str(sentence))

    def _log(self, sentence: object, _: object) -> None:
        self.logs.append(str(sentence))


@pytest.fixture
def refresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setattr("vnpy_aiagent.pool_refresh.Thread", Inline)
    (tmp_path / "symbol_names.json").write_text(
        json.dumps({"day": "2026-06-05", "names": {"600519.SSE": "贵州茅台"}}), encoding="utf-8"
    )

    def run(house: House, ranking: Ranking | Exception) -> list[ScheduleFired]:
        def rank(*_: object) -> Ranking:
            if isinstance(ranking, Exception):
                raise ranking
            return ranking

        monkeypatch.setattr("vnpy_aiagent.pool_refresh.most_active", rank)
        planned: list[ScheduleFired] = []
        engine: Any = house
        PoolRefresher(engine, tmp_path, 2, quotes=SimpleNamespace()).refresh(FIRED, planned.append)
        return planned

    return run


def test_the_pool_is_taken_over_journaled_and_told_and_the_plan_goes_on(refresh: Any) -> None:
    house = House(held=("601318.SSE", "600036.SSE"))
    assert refresh(house, RANKING) == [FIRED]
    assert house.adopted == ("600519.SSE", "300750.SZSE", "601318.SSE")
    (chosen,) = house.posted
    assert isinstance(chosen, PoolChosen)
    assert chosen.cause == FIRED.id
    assert [pick.vt_symbol for pick in chosen.picks] == ["600519.SSE", "300750.SZSE"]
    assert chosen.held == ("601318.SSE",)
    assert "贵州茅台 90.0" in house.logs[0]


@pytest.mark.parametrize("error", [DataError("取不到行情"), RuntimeError("driver")])
def test_the_old_pool_stays_where_the_choice_fails(refresh: Any, error: Exception) -> None:
    house = House()
    assert refresh(house, error) == [FIRED]
    assert house.adopted == ()
    assert house.posted == []
    assert str(error) in house.alerts[0]


def test_a_pool_symbol_is_loaded_with_an_empty_series_where_it_has_no_bars() -> None:
    found = load_universe(Settings(universe=("600036.SSE",)), pool=("688981.SSE",))
    assert found.symbols == ("600036.SSE", "688981.SSE")
    assert len(found.bars("688981.SSE", BarInterval.DAILY)) == 0


@pytest.fixture(scope="module")
def capped(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    """Three months in which only one analysis a day is allowed."""
    journal = tmp_path_factory.mktemp("cap") / "journal.db"
    settings = Settings(mode=Mode.SIMULATION).model_copy(
        update={"budget": Settings().budget.model_copy(update={"decisions_per_day": 1})}
    )
    simulation = Simulation(load_hs300(), settings, journal, start=date(2024, 9, 2), end=date(2024, 12, 31))
    simulation.run()
    return simulation


def test_past_the_cap_no_entry_is_looked_for_and_it_is_told_once_a_day(capped: Simulation) -> None:
    record = read_journal(capped.journal)
    skipped = record.of(AnalysisSkipped)
    assert skipped
    entries = [each for each in record.of(AnalysisRequest) if each.request is RequestKind.OPEN]
    refused = {message.at for message in skipped}
    assert not [request for request in entries if request.at in refused]
    assert entries
    told = [alert for alert in record.of(Alert) if "今日分析已达上限" in alert.text.template]
    assert len(told) == len({message.at.astimezone(UTC).date() for message in skipped})
    assert why_not(record).left_out["analyses_per_day"] == len(skipped)


def test_a_new_symbol_of_the_pool_is_announced_and_known(capped: Simulation) -> None:
    engine = capped.engine
    assert engine is not None
    contracts = [
        event.data.vt_symbol for event in list(capped.events._events) if hasattr(event.data, "pricetick")
    ]
    assert contracts == []
    engine.adopt_pool(("600519.SSE",), {"600519.SSE": "贵州茅台"})
    announced = {event.data.vt_symbol for event in capped.events._events if hasattr(event.data, "pricetick")}
    capped.events.discard()
    assert announced == {"600519.SSE"}
    assert engine.parts.universe.symbols == ("600519.SSE",)
    assert engine.parts.universe.names["600519.SSE"] == "贵州茅台"


def test_the_cap_is_told_once_a_day_however_many_symbols_it_stops() -> None:
    house = House()
    house.house.bus, house.house.today = house.bus, MONDAY.date
    house.house.settings = Settings(budget=BudgetSettings(decisions_per_day=1))
    agent: Any = AnalysisAgent(house.house, SimpleNamespace(), lambda answer: None)
    assert not agent._capped("600519.SSE", ("judge",), "r1-1")
    agent.asked_on_day[MONDAY.date()] = 1
    assert all(agent._capped(symbol, ("judge",), "r1-1") for symbol in ("600519.SSE", "600036.SSE"))
    assert [message.symbol for message in house.posted] == ["600519.SSE", "600036.SSE"]
    assert len(house.alerts) == 1


def test_a_job_that_is_switched_off_is_never_planned() -> None:
    timers = TimerQueue()
    jobs = [
        Job(name="plan", at=time(8), task="plan"),
        Job(name="note", at=time(9), task="note", enabled=False),
    ]
    clock = SimpleNamespace(now=lambda: MONDAY)
    house: Any = SimpleNamespace(
        settings=Settings(schedule=tuple(jobs)), clock=clock, calendar=default_calendar(), timers=timers
    )
    hooks = SessionHooks(lambda day: None, lambda day: None, lambda why: None)
    Timetable(house, hooks).begin()
    planned: list[Any] = [timer.payload for timer in timers if timer.name == SCHEDULE_TIMER]
    assert [job.name for job, _ in planned] == ["plan"]
