"""A share that is listed in the middle of a simulation."""

from datetime import date
from pathlib import Path

from vnpy.event import Event
from vnpy.trader.event import EVENT_TICK

from vnpy_aiagent.data import load_folder
from vnpy_aiagent.market import default_calendar
from vnpy_aiagent.simulation import Simulation

from .loop_helpers import play

OLD, NEW = "600000.SSE", "688981.SSE"


def test_a_simulation_runs_over_a_listing_day_and_tells_no_limits_for_five_days(tmp_path: Path) -> None:
    days = default_calendar().sessions(date(2024, 1, 2), date(2024, 1, 19))
    first = days[5]
    rows = [f"{OLD},{day},10,10,10,10,1000000,10\n" for day in days]
    rows += [f"{NEW},{day},20,20,20,20,1000000,20\n" for day in days[5:]]
    columns = "vt_symbol,date,open,high,low,close,volume,pre_close\n"
    (tmp_path / "daily.csv").write_text(columns + "".join(rows), encoding="utf-8")
    members = f"vt_symbol,listed\n{OLD},1999-11-10\n{NEW},{first}\n"
    (tmp_path / "members.csv").write_text(members, encoding="utf-8")
    limits: dict[str, dict[date, tuple[float, float]]] = {OLD: {}, NEW: {}}

    def prepare(simulation: Simulation) -> None:
        def on_tick(event: Event) -> None:
            tick = event.data
            limits[tick.vt_symbol][tick.datetime.date()] = (tick.limit_down, tick.limit_up)

        simulation.events.register(EVENT_TICK, on_tick)

    played = play(load_folder(tmp_path), prepare=prepare)
    assert played.result.bars == len(rows)
    assert limits[OLD] == dict.fromkeys(days, (9, 11))
    assert limits[NEW] == dict.fromkeys(days[5:10], (0, 0)) | dict.fromkeys(days[10:], (16, 24))
