"""`aiagent data recorded`: what paper and live runs saw, listed, or as a data folder for simulations."""

from pathlib import Path
from typing import Annotated

import typer

from vnpy_aiagent.cli.common import JsonOption, absolute, parse_day, print_json, print_line, quiet_vnpy
from vnpy_aiagent.cli.data import data_app
from vnpy_aiagent.errors import DataError


def register(_: typer.Typer) -> None:
    """Add the command to `aiagent data`."""
    data_app.command("recorded")(recorded_)


def recorded_(
    out: Annotated[
        Path | None, typer.Option("--out", help="Write daily.csv.gz, hourly.csv.gz and facts.jsonl here.")
    ] = None,
    start: Annotated[str | None, typer.Option(help="First day, YYYY-MM-DD.")] = None,
    end: Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the recorded days; with --out write them as a folder for `aiagent demo --data` and `data import`.

    Example: aiagent data recorded --out recorded
    """
    quiet_vnpy()
    from vnpy_aiagent.data.recorded import recordings, summary, write_folder
    from vnpy_aiagent.data.recorder import FOLDER, MEGABYTE, SUFFIX
    from vnpy_aiagent.wiring import app_folder

    first, last = parse_day(start, "--start"), parse_day(end, "--end")
    paths = [
        path
        for path in recordings(app_folder() / FOLDER)
        if (first is None or path.name.removesuffix(SUFFIX) >= first.isoformat())
        and (last is None or path.name.removesuffix(SUFFIX) <= last.isoformat())
    ]
    if not paths:
        raise DataError("nothing is recorded for these days; a paper or live run records while it goes on")
    if out is not None:
        written = write_folder(paths, absolute(out))
        if as_json:
            print_json({"folder": str(out), "days": len(paths), **written})
        else:
            print_line(f"{out}: {written['daily']} daily and {written['hourly']} hourly bars")
        return
    days = [summary(path) for path in paths]
    rows = [
        {
            "day": day.day.isoformat(),
            "ticks": day.ticks,
            "symbols": len(day.symbols),
            "facts": day.facts,
            "lost": day.lost,
            "damaged": day.damaged,
            "megabytes": round(day.path.stat().st_size / MEGABYTE, 3),
        }
        for day in days
    ]
    if as_json:
        print_json({"days": rows})
        return
    for row in rows:
        cut = "; its end is cut off" if row["damaged"] else ""
        print_line(
            f"{row['day']}: {row['ticks']} ticks of {row['symbols']} symbols, {row['facts']} facts, "
            f"{row['lost']} lost, {row['megabytes']} MB{cut}"
        )
