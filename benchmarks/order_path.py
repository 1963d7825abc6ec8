"""From an approved verdict to the gateway, with the durable write between; and how long a restart reads.

    python benchmarks/order_path.py [--orders 300] [--rows 100000] [--json]

`path`: milliseconds from the moment at which the risk check's approved verdict is handed to the journal to
the gateway's `send_order`, with vnpy's own EventEngine thread and the journal's thread syncing to the disk
(SQLite, FULL), one order at a time. `bare`: the journal's own share, one durable entry written and called
back. `restart`: seconds to verify and fold a journal of so many rows: orders with their fills, fifty a day.
Runs in a folder that is removed afterwards.
"""

import argparse
import json
import time
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from threading import Event as Flag
from typing import Any

from bench_house import GATEWAY_NAME, SYMBOL, a_moment, build, percentile, timed
from scratch import enter

ORDERS_A_DAY = 50


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--orders", type=int, default=300, help="orders sent one after the other, 1,000 at most"
    )
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the journal that is read")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    given = parser.parse_args()
    folder = enter()
    bare, path = durable_writes(folder, given.orders), verdict_to_gateway(folder, given.orders)
    found: dict[str, float] = {
        "bare_p50_ms": percentile(bare, 0.5),
        "bare_p99_ms": percentile(bare, 0.99),
        "path_p50_ms": percentile(path, 0.5),
        "path_p99_ms": percentile(path, 0.99),
        **restart(folder, given.rows),
    }
    if given.json:
        print(json.dumps(found))
        return
    for case, figure in found.items():
        print(f"{case:16s} {figure:12,.3f}")


def durable_writes(folder: Path, count: int) -> list[float]:
    """Milliseconds of single durable entries."""
    from vnpy_aiagent.store.journal import Draft, Journal
    from vnpy_aiagent.store.writer import JournalWriter

    writer = JournalWriter(Journal.open(folder / "bare.db", owner="benchmark"))
    taken = []
    for number in range(count):
        done, begun = Flag(), time.perf_counter()
        writer.submit(
            Draft(f"e{number}", a_moment().isoformat(), "Alert", "", None, "{}"), partial(_set, done)
        )
        done.wait()
        taken.append((time.perf_counter() - begun) * 1e3)
    writer.close()
    return taken


def _set(done: Flag, _: object) -> None:
    done.set()


def verdict_to_gateway(folder: Path, orders: int) -> list[float]:
    """Milliseconds from each approved verdict to `send_order`."""
    from vnpy.event import Event, EventEngine
    from vnpy.trader.constant import Exchange
    from vnpy.trader.event import EVENT_TICK
    from vnpy.trader.object import TickData

    from vnpy_aiagent.base import EVENT_AI_PROPOSAL
    from vnpy_aiagent.config import AccountSettings, ExecutionSettings, RiskLimits
    from vnpy_aiagent.domain import Action, PriceBasis, PriceRef, Proposal, Style
    from vnpy_aiagent.store.journal import Journal
    from vnpy_aiagent.store.writer import JournalWriter

    journal = JournalWriter(Journal.open(folder / "path.db", owner="benchmark"))
    events = EventEngine()
    wide = RiskLimits(
        max_weight_share=1.0,
        max_exposure=1.0,
        max_positions=1_000,
        risk_per_trade=1.0,
        max_entries_per_day=1_000_000,
        max_volume_share=1.0,
    )
    account = AccountSettings(name="judge", style=Style.JUDGE, cash=Decimal(10**10), limits=wide)
    fast = ExecutionSettings(max_orders_per_second=299, max_orders_per_day=19_999)
    symbols = [f"{600000 + number}.SSE" for number in range(orders)]  # a symbol has one entry at a time
    engine = build(journal, events, accounts=(account,), execution=fast, universe=symbols)
    engine.start()
    gateway = engine.main_engine.get_gateway(GATEWAY_NAME)
    begun, taken, arrived = [0.0], [], Flag()
    submit, send = journal.submit, gateway.send_order

    def watched_submit(draft: Any, on_durable: Any = None) -> None:
        if draft.kind == "Verdict":
            begun[0] = time.perf_counter()
        submit(draft, on_durable)

    def watched_send(request: Any) -> str:
        taken.append((time.perf_counter() - begun[0]) * 1e3)
        arrived.set()
        return str(send(request))

    journal.submit, gateway.send_order = watched_submit, watched_send  # type: ignore[method-assign]
    at = a_moment()
    for number, symbol in enumerate(symbols):
        engine.parts.clock.set(at + timedelta(seconds=number))
        tick = TickData(
            GATEWAY_NAME,
            symbol[:6],
            Exchange.SSE,
            engine.parts.clock.now(),
            volume=1e6 * (number + 1),
            last_price=10.0,
            pre_close=10.0,
            limit_up=11.0,
            limit_down=9.0,
            bid_price_1=9.99,
            ask_price_1=10.01,
        )
        events.put(Event(EVENT_TICK, tick))
        arrived.clear()
        last = PriceRef(basis=PriceBasis.LAST, offset=0.0)
        proposal = Proposal(
            id=f"bench-{number}",
            at=engine.parts.clock.now(),
            account="judge",
            request_id="q",
            decision_id="d",
            symbol=symbol,
            action=Action.BUY,
            target_weight=1e-6,
            entry=last,
            stop=PriceRef(basis=PriceBasis.LAST, offset=-5.0),
            confidence=0.9,
            valid_until=at + timedelta(hours=1),
        )
        events.put(Event(EVENT_AI_PROPOSAL, proposal))
        if not arrived.wait(10):
            engine.main_engine.close()
            raise SystemExit(f"order {number} did not reach the gateway")
    engine.main_engine.close()
    return taken


def restart(folder: Path, rows: int) -> dict[str, float]:
    """Seconds to verify and fold a journal, and to verify alone."""
    from vnpy_aiagent.agents.restore import restore
    from vnpy_aiagent.store.journal import Journal, verify
    from vnpy_aiagent.store.writer import InlineWriter

    target = folder / "long.db"
    writer = InlineWriter(Journal.open(target, owner="benchmark", sync="OFF"))
    for draft in a_history(rows):
        writer.submit(draft)
    writer.close()
    alone = timed(lambda: verify(target))
    both = timed(lambda: restore(target))
    return {"journal_rows": rows, "verify_s": alone, "restart_s": both}


def a_history(rows: int) -> list[Any]:
    """Drafts of so many messages: signals, orders, their reports and fills, buys and sales in turn."""
    from vnpy_aiagent.domain import (
        AccountOpened,
        Fill,
        Intent,
        OrderState,
        OrderUpdate,
        ParentDone,
        ParentOrder,
        ParentState,
        Sent,
        Side,
        Signal,
        Style,
        say,
    )
    from vnpy_aiagent.store.journal import Draft

    price, volume, none = Decimal("10.00"), 100, Decimal(0)
    drafts: list[Any] = []

    def add(kind: Any, **fields: Any) -> str:
        number = f"r1-{len(drafts):07d}"
        message = kind(id=number, at=at, account="judge", **fields)
        drafts.append(Draft(number, at.isoformat(), kind.__name__, "judge", None, message.model_dump_json()))
        return number

    at = a_moment()
    add(AccountOpened, gateway=GATEWAY_NAME, style=Style.JUDGE, cash=Decimal(10**6))
    story = 8
    while len(drafts) + story <= rows:
        at = a_moment() + timedelta(days=len(drafts) // (story * ORDERS_A_DAY))
        side = Side.SELL if (len(drafts) // story) % 2 else Side.BUY
        order: dict[str, Any] = {"symbol": SYMBOL, "side": side, "volume": volume}
        signal = add(
            Signal, **order, limit=price, low=price, high=price, reason=say("x"), stop=None, valid_until=at
        )
        parent = add(ParentOrder, **order, signal_id=signal)
        reference = f"{parent}/1"
        intent = add(
            Intent, **order, parent_id=parent, reference=reference, gateway=GATEWAY_NAME, price=price
        )
        name = f"{GATEWAY_NAME}.{len(drafts)}"
        add(Sent, intent_id=intent, vt_orderids=(name,))
        report: dict[str, Any] = {"intent_id": intent, "vt_orderid": name}
        add(OrderUpdate, **report, state=OrderState.ACCEPTED, traded=0)
        add(
            Fill,
            **order,
            trading_day=at.date(),
            exchange="SSE",
            orderid=name,
            tradeid=str(len(drafts)),
            intent_id=intent,
            parent_id=parent,
            signal_id=signal,
            price=price,
            commission=Decimal(5),
            stamp_duty=none,
            transfer_fee=none,
        )
        add(OrderUpdate, **report, state=OrderState.FILLED, traded=volume)
        add(
            ParentDone,
            parent_id=parent,
            symbol=SYMBOL,
            side=side,
            state=ParentState.FILLED,
            filled=volume,
            average_price=price,
        )
    while len(drafts) < rows:
        add(OrderUpdate, intent_id="none", vt_orderid="none", state=OrderState.ACCEPTED, traded=0)
    return drafts


if __name__ == "__main__":
    main()
