"""Ticks that nobody can notice are left out, and the journal is the same to the byte."""

from datetime import date
from pathlib import Path

import pytest
from vnpy.event import Event
from vnpy.trader.event import EVENT_TICK

from vnpy_aiagent.config import load_settings
from vnpy_aiagent.data import load_folder
from vnpy_aiagent.domain import BarInterval, Mode
from vnpy_aiagent.simulation import Simulation, SimulationResult

from .loop_helpers import TEN


def play(
    shared: Path, out: Path, frequency: BarInterval, *, skip: bool, listener: bool = False
) -> SimulationResult:
    data = load_folder(shared / "data" / "sse50", frequency=frequency, symbols=TEN)
    settings = load_settings(mode=Mode.SIMULATION)
    first, last = date(2025, 10, 9), date(2025, 10, 31 if frequency is BarInterval.DAILY else 20)
    simulation = Simulation(data, settings, out / "journal.db", frequency=frequency, start=first, end=last)
    simulation.skip_unnoticed = skip
    if listener:
        simulation.events.register(EVENT_TICK, lambda event: None)
    return simulation.run()


@pytest.mark.parametrize("frequency", [BarInterval.DAILY, BarInterval.HOUR])
def test_the_journal_is_the_same_with_and_without_them(
    shared: Path, tmp_path: Path, frequency: BarInterval
) -> None:
    every = play(shared, tmp_path / "every", frequency, skip=False)
    fewer = play(shared, tmp_path / "fewer", frequency, skip=True)
    assert fewer.head == every.head
    assert fewer.bars == every.bars
    assert fewer.ticks < every.ticks


def test_whoever_listens_hears_every_tick(shared: Path, tmp_path: Path) -> None:
    every = play(shared, tmp_path / "every", BarInterval.DAILY, skip=False)
    heard = play(shared, tmp_path / "heard", BarInterval.DAILY, skip=True, listener=True)
    assert heard.ticks == every.ticks


def test_one_symbols_listener_is_heard_too(shared: Path, tmp_path: Path) -> None:
    data = load_folder(shared / "data" / "sse50", frequency=BarInterval.DAILY, symbols=TEN)
    settings = load_settings(mode=Mode.SIMULATION).model_copy(update={"schedule": ()})
    simulation = Simulation(
        data, settings, tmp_path / "journal.db", start=date(2025, 9, 1), end=date(2025, 9, 5)
    )
    prices: list[float] = []

    def hear(event: Event) -> None:
        prices.append(event.data.last_price)

    simulation.events.register(EVENT_TICK + TEN[0], hear)
    result = simulation.run()
    assert len(prices) == 4 * 5
    assert result.ticks == len(prices) + result.bars - 5
