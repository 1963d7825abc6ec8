"""How many broker messages a second the order desk takes.

    python benchmarks/order_fold.py [--orders 20000] [--json]

Three figures, in one thread: the transition table alone; the desk's fold of order reports (four an order);
and the whole `on_order` path of the execution agent, journal (SQLite, no disk sync) and events included. Runs
in a folder that is removed afterwards.
"""

import argparse
import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench_house import GATEWAY_NAME, SYMBOL, a_moment, build
from scratch import enter

VOLUME = 1_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=20_000, help="orders of each case, four reports each")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    given = parser.parse_args()
    folder = enter()
    found = {
        "transitions": transitions(given.orders * 40),
        "desk": desk(given.orders),
        "on_order": on_order(folder, max(1, given.orders // 10)),
    }
    if given.json:
        print(json.dumps(found))
        return
    for case, rate in found.items():
        print(f"{case:12s} {rate:12,.0f} messages/s")


def transitions(count: int) -> float:
    """Look-ups in the table a second."""
    from vnpy_aiagent.domain import OrderState
    from vnpy_aiagent.execution import TRANSITIONS, next_state

    pairs = list(TRANSITIONS)
    pairs *= count // len(pairs) + 1
    state = OrderState.SENT
    start = time.perf_counter()
    for before, report in pairs:
        state = next_state(before, report)
    return len(pairs) / (time.perf_counter() - start) if state else 0.0


def desk(orders: int) -> float:
    """Order reports a second, folded into children of one desk."""
    from vnpy_aiagent.domain import Intent, ParentOrder, Side, Signal, say
    from vnpy_aiagent.execution import OrderDesk

    at = a_moment()
    price = Decimal(10)
    base: dict[str, Any] = {"at": at, "account": "a", "symbol": SYMBOL, "side": Side.BUY, "volume": VOLUME}
    signal = Signal(id="s", **base, limit=price, low=price, high=price, reason=say("x"), valid_until=at)
    held = OrderDesk()
    held.open(ParentOrder(id="p", signal_id="s", **base), signal)
    messages = []
    for number in range(orders):
        intent = Intent(
            id=f"i{number}", parent_id="p", reference=f"i{number}", gateway="SIM", price=price, **base
        )
        held.add(intent)
        held.sent(intent.id, (f"SIM.{number}",))
        messages += _reports(str(number), "SIM")
    start = time.perf_counter()
    for message in messages:
        child = held.owner(message.vt_orderid)
        if child is not None:
            held.on_order(child, message)
    return len(messages) / (time.perf_counter() - start)


def on_order(folder: Path, orders: int) -> float:
    """Order reports a second through the engine's execution agent, what it journals included."""
    from vnpy_aiagent.domain import Intent, ParentOrder, Side, Signal, say
    from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
    from vnpy_aiagent.store.journal import Journal
    from vnpy_aiagent.store.writer import InlineWriter

    events = DeterministicEventEngine()
    engine = build(InlineWriter(Journal.open(folder / "journal.db", owner="benchmark", sync="OFF")), events)
    engine.start()
    events.drain()
    at, price = a_moment(), Decimal(10)
    base: dict[str, Any] = {"at": at, "account": "judge", "symbol": SYMBOL, "side": Side.BUY}
    base["volume"] = VOLUME
    held, gateway = engine.execution.desk, GATEWAY_NAME
    signal = Signal(id="s", **base, limit=price, low=price, high=price, reason=say("x"), valid_until=at)
    messages = []
    for number in range(orders):
        held.open(ParentOrder(id=f"p{number}", signal_id="s", **base), signal)
        held.add(
            Intent(
                id=f"i{number}",
                parent_id=f"p{number}",
                reference=f"i{number}",
                gateway=gateway,
                price=price,
                **base,
            )
        )
        held.sent(f"i{number}", (f"{gateway}.{number}",))
        messages += _reports(str(number), gateway)
    start = time.perf_counter()
    for message in messages:
        engine.execution.on_order(message)
        events.drain()
    rate = len(messages) / (time.perf_counter() - start)
    engine.main_engine.close()
    return rate


def _reports(orderid: str, gateway: str) -> list[Any]:
    """Accepted, partly traded, the same once more, and cancelled."""
    from vnpy.trader.constant import Direction, Exchange, Status
    from vnpy.trader.object import OrderData

    story = (Status.NOTTRADED, 0), (Status.PARTTRADED, 400), (Status.PARTTRADED, 400), (Status.CANCELLED, 400)
    return [
        OrderData(
            symbol=SYMBOL[:6],
            exchange=Exchange.SSE,
            orderid=orderid,
            direction=Direction.LONG,
            price=10.0,
            volume=VOLUME,
            traded=traded,
            status=status,
            gateway_name=gateway,
        )
        for status, traded in story
    ]


if __name__ == "__main__":
    main()
