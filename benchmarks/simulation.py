"""How fast the machinery runs, in one process and one run; prints a table. Nothing here is asserted.

    AIAGENT_SHARED=../shared python benchmarks/simulation.py

Needs the real data beside the project (AIAGENT_SHARED). docs/benchmarks.md holds a measured table.
"""

import time
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

from scratch import SHARED, enter

ROOT = enter()

from vnpy.trader.constant import Direction, Exchange, Offset, Status  # noqa: E402
from vnpy.trader.object import OrderData  # noqa: E402

from vnpy_aiagent.config import Settings, load_settings  # noqa: E402
from vnpy_aiagent.data import load_folder  # noqa: E402
from vnpy_aiagent.domain import (  # noqa: E402
    MARKET_TZ,
    BarInterval,
    Intent,
    Mode,
    ParentOrder,
    Side,
    Signal,
    TriggerKind,
    TriggerSpec,
    say,
)
from vnpy_aiagent.execution import OrderDesk  # noqa: E402
from vnpy_aiagent.simulation import Simulation, SimulationResult  # noqa: E402
from vnpy_aiagent.store.journal import JournalReader, verify  # noqa: E402
from vnpy_aiagent.triggers import TriggerBook  # noqa: E402

Row = tuple[str, float, str]


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Seconds of process time, and the result."""
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def replay(settings: Settings, name: str, start: date | None = None) -> tuple[float, SimulationResult]:
    """One simulation over the 50 daily symbols."""
    data = load_folder(SHARED / "data" / "sse50", frequency=BarInterval.DAILY)
    simulation = Simulation(data, settings, ROOT / name / "journal.db", start=start)
    seconds, result = timed(simulation.run)
    assert isinstance(result, SimulationResult)
    return seconds, result


def trigger_book(count: int, ticks: int) -> float:
    """Ticks a second on one symbol with `count` triggers of which none fires."""
    book = TriggerBook()
    at = datetime(2025, 1, 2, 10, tzinfo=MARKET_TZ)
    for number in range(count):
        above = number % 2 == 0
        kind = TriggerKind.PRICE_AT_OR_ABOVE if above else TriggerKind.PRICE_AT_OR_BELOW
        price = Decimal(200 + number) if above else Decimal("0.01") * (number + 1)
        book.add(TriggerSpec(id=f"t{number}", at=at, symbol="600519.SSE", trigger=kind, price=price))
    began = time.process_time()
    for _ in range(ticks):
        book.on_price("600519.SSE", 150.0)
    return ticks / (time.process_time() - began)


def order_fold(orders: int) -> float:
    """Broker reports a second folded into orders: accepted, partly filled, filled, and a late one."""
    desk, at, symbol = OrderDesk(), datetime(2025, 1, 2, 10, tzinfo=MARKET_TZ), "600519.SSE"
    low, limit, high = Decimal(9), Decimal(10), Decimal(11)
    steps = ((Status.NOTTRADED, 0), (Status.PARTTRADED, 300), (Status.ALLTRADED, 1000), (Status.NOTTRADED, 0))
    reports: list[OrderData] = []
    for number in range(orders):
        name, orderid = f"p{number}", str(number)
        signal = Signal(
            id=f"s{number}", at=at, account="judge", symbol=symbol, side=Side.BUY, volume=1000,
            limit=limit, low=low, high=high, reason=say("x"), valid_until=at,
        )  # fmt: skip
        parent = ParentOrder(
            id=name, at=at, account="judge", signal_id=signal.id, symbol=symbol, side=Side.BUY, volume=1000
        )
        intent = Intent(
            id=f"i{number}", at=at, account="judge", parent_id=name, symbol=symbol, side=Side.BUY,
            volume=1000, price=limit, gateway="SIM", reference=orderid,
        )  # fmt: skip
        desk.open(parent, signal)
        desk.add(intent)
        desk.sent(intent.id, (f"SIM.{orderid}",))
        reports += [
            OrderData(
                "SIM", "600519", Exchange.SSE, orderid, direction=Direction.LONG, offset=Offset.NONE,
                price=10.0, volume=1000, traded=traded, status=status,
            )
            for status, traded in steps
        ]  # fmt: skip
    began = time.process_time()
    for report in reports:
        child = desk.owner(report.vt_orderid)
        assert child is not None
        desk.on_order(child, report)
    return len(reports) / (time.process_time() - began)


def decisions(result: SimulationResult) -> int:
    """Decisions in a run's journal."""
    with JournalReader.open(result.journal) as reader:
        return sum(1 for _ in reader.read(kinds=("Decision",)))


def main() -> None:
    """Measure and print."""
    settings = load_settings(mode=Mode.SIMULATION)
    idle = settings.model_copy(update={"schedule": ()})
    replay(idle, "warm-up", date(2025, 10, 9))
    quiet_seconds, quiet = replay(idle, "quiet")
    full_seconds, full = replay(settings, "full")
    began = time.process_time()
    checked = verify(full.journal)
    check_seconds = time.process_time() - began
    rows: list[Row] = [
        ("replay, no decisions due", quiet.bars / quiet_seconds, "bars/s"),
        ("replay with three accounts deciding", full.bars / full_seconds, "bars/s"),
        ("ratio of the two", quiet_seconds / full_seconds, ""),
        ("decisions in the full run", decisions(full) / full_seconds, "decisions/s"),
        ("journal written in the full run", full.entries / full_seconds, "rows/s"),
        ("journal verified", full.entries / check_seconds, "rows/s"),
        ("trigger book, 10,000 triggers, none firing", trigger_book(10_000, 1_000_000), "ticks/s"),
        ("order reports folded", order_fold(20_000), "reports/s"),
    ]
    for name, value, unit in rows:
        print(f"{name:<46} {value:>14,.2f} {unit}")
    print(
        f"whole full run: {full_seconds:.1f} s of process time, {full.entries} journal rows, ok {checked.ok}"
    )


if __name__ == "__main__":
    main()
