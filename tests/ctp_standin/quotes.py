"""Quotes for the stand-in exchange: a recorded day of IF2101, and an invented book of rb2105 before it."""

import csv
import gzip
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

# Invented: the recorded data holds no SHFE contract. symbol, date, time, millisecond, last, volume, turnover,
# open interest, bid, bid volume, ask, ask volume, limit up, limit down, open, high, low, previous close.
REBAR = "rb2105,20210104,09:28:00,0,4350,100,0,1000,4349,5,4350,5,4645,4120,4350,4350,4350,4380"


def write_quotes(recorded: Path, out: Path, count: int) -> Path:
    """Write one quote of rb2105 and the first `count` recorded ticks as the stand-in reads them; `out`.

    What the record does not have (turnover, previous close) is 0.
    """
    with gzip.open(recorded, "rt", encoding="utf-8", newline="") as file:
        rows = [REBAR, *islice(_rows(csv.DictReader(file)), count)]
    out.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return out


def _rows(ticks: Iterator[dict[str, str]]) -> Iterator[str]:
    """Each tick as one line, with the day's open, high and low so far."""
    first = high = low = 0.0
    for tick in ticks:
        last = float(tick["last_price"])
        first, high, low = first or last, max(high, last), min(low or last, last)
        date, time = tick["datetime"].split(" ")
        clock, _, fraction = time.partition(".")
        values = (
            "IF2101",
            date.replace("-", ""),
            clock,
            int(fraction.ljust(3, "0")),
            last,
            tick["volume"],
            0,
            tick["open_interest"],
            *(tick[name] for name in ("bid_price_1", "bid_volume_1", "ask_price_1", "ask_volume_1")),
            *(tick[name] for name in ("limit_up", "limit_down")),
            *(first, high, low, 0),
        )
        yield ",".join(str(value) for value in values)
