"""Milliseconds of one view of facts on the event thread: read from the file, and held ready.

    python benchmarks/facts_view.py [--events 700] [--symbols 50]

Both answers are compared byte by byte before anything is timed. Figures: docs/benchmarks.md.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter

from vnpy_aiagent.data.facts import (
    EVENTS,
    MARKET_SUBJECT,
    METRICS,
    EventFact,
    Fact,
    FactView,
    TextFact,
    ValueFact,
    metrics_of,
)
from vnpy_aiagent.data.facts_held import HeldFacts
from vnpy_aiagent.data.facts_store import FILE_NAME, FactReader, store_facts
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock

NOW = datetime(2025, 5, 6, 9, 35, tzinfo=MARKET_TZ)
INDUSTRY = "801120.SWS"


def values(subject: str) -> Iterator[ValueFact]:
    """Eight periods of each metric."""
    for metric in metrics_of(subject):
        for back in range(8):
            known = NOW - timedelta(days=1 + 10 * back)
            amount = Decimal(INDUSTRY[:6] if metric == "sw_industry" else back)
            yield ValueFact(
                vt_symbol=subject,
                source="eastmoney",
                available_at=known,
                metric=metric,
                period=known.date(),
                value=amount,
                unit=METRICS[metric],
            )


def happenings(subject: str, count: int) -> Iterator[EventFact | TextFact]:
    """Events of all kinds and twenty texts."""
    for number in range(count):
        yield EventFact(
            vt_symbol=subject,
            source="eastmoney",
            available_at=NOW - timedelta(days=2),
            event=list(EVENTS)[number % len(EVENTS)],
            on=NOW.date() + timedelta(days=number // len(EVENTS)),
        )
    for number in range(20):
        yield TextFact(
            vt_symbol=subject,
            source="wire",
            available_at=NOW - timedelta(hours=number + 1),
            text_kind="news",
            title=f"公告 {number}",
            body="公司发布年度报告。" * 50,
        )


def timed(name: str, view: Callable[[], FactView], rounds: int) -> None:
    """Print p50, p99 and the longest, in milliseconds."""
    took = []
    for _ in range(rounds):
        began = perf_counter()
        view()
        took.append((perf_counter() - began) * 1e3)
    cuts = quantiles(took, n=100)
    figures = f"p50 {cuts[49]:.4f} ms, p99 {cuts[98]:.4f} ms, longest {max(took):.3f} ms"
    print(f"{name}: {figures} ({rounds} views)")


def main() -> None:
    """Measure."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--events", type=int, default=14, help="events of each symbol")
    arguments.add_argument("--symbols", type=int, default=50)
    wanted = arguments.parse_args()
    symbols = [f"{600_000 + number}.SSE" for number in range(wanted.symbols)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / FILE_NAME
        facts: list[Fact] = [*values(MARKET_SUBJECT), *values(INDUSTRY)]
        for symbol in symbols:
            facts += [*values(symbol), *happenings(symbol, wanted.events)]
        store_facts(path, list(enumerate(facts)))
        reader = FactReader(path, 7)
        held = HeldFacts(reader, VirtualClock(NOW), lambda: symbols, lambda: 0.0)
        began = perf_counter()
        held.refresh()
        prepared = (perf_counter() - began) * 1e3
        assert all(repr(held.view(s, NOW)) == repr(reader.view(s, NOW)) for s in symbols)
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
        print(f"{len(facts)} facts, {len(symbols)} symbols, {wanted.events} events each, load {load:.1f}")
        timed("read from the file", lambda: reader.view(symbols[0], NOW), 300)
        timed("held", lambda: held.view(symbols[0], NOW), 20_000)
        print(f"all prepared in the background: {prepared:.0f} ms")
        began = perf_counter()
        for _ in range(100):
            held.refresh()
        print(f"a look that finds no change: {(perf_counter() - began) * 10:.3f} ms")
        held.close()


if __name__ == "__main__":
    main()
