"""Broker messages in any order and any repetition lead to the same end."""

from datetime import datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from vnpy.trader.constant import Exchange, Status
from vnpy.trader.object import OrderData

from vnpy_aiagent.domain import MARKET_TZ, Intent, OrderState, ParentOrder, ParentState, Side, Signal, say
from vnpy_aiagent.execution import TERMINAL, Child, OrderDesk, Parent

AT = datetime(2024, 5, 6, 10, tzinfo=MARKET_TZ)
VOLUME = 1000


def working() -> tuple[OrderDesk, Parent, Child]:
    desk = OrderDesk()
    base = {"at": AT, "account": "a", "symbol": "600036.SSE", "side": Side.BUY, "volume": VOLUME}
    price = Decimal(10)
    signal = Signal(id="s", **base, limit=price, low=price, high=price, reason=say("x"), valid_until=AT)
    parent = desk.open(ParentOrder(id="p", signal_id="s", **base), signal)
    child = desk.add(Intent(id="i", parent_id="p", reference="i", gateway="SIM", price=price, **base))
    desk.sent("i", ("SIM.1",))
    return desk, parent, child


def report(status: Status, traded: int) -> OrderData:
    return OrderData(
        symbol="600036", exchange=Exchange.SSE, orderid="1", traded=traded, status=status, gateway_name="SIM"
    )


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[OrderData | int], Status]:
    """All messages of one order's life, fills as volumes, shuffled, reports repeated."""
    parts = draw(st.lists(st.integers(1, 5), max_size=4))
    fills = [part * 50 for part in parts]
    end = draw(st.sampled_from([Status.ALLTRADED, Status.CANCELLED]))
    if end is Status.ALLTRADED:
        fills.append(VOLUME - sum(fills))
    messages: list[OrderData | int] = [report(Status.SUBMITTING, 0), report(Status.NOTTRADED, 0), *fills]
    messages += [report(Status.PARTTRADED, sum(fills[: n + 1])) for n in range(len(fills) - 1)]
    messages.append(report(end, sum(fills)))
    reports = [message for message in messages if isinstance(message, OrderData)]
    messages += draw(st.lists(st.sampled_from(reports), max_size=4))
    return draw(st.permutations(messages)), end


@given(stories())
def test_any_order_of_messages_ends_the_same(story: tuple[list[OrderData | int], Status]) -> None:
    messages, end = story
    desk, parent, child = working()
    total, terminal = sum(m for m in messages if isinstance(m, int)), None
    for message in messages:
        if isinstance(message, int):
            desk.on_fill(child, Decimal(10), message)
        else:
            desk.on_order(child, message)
        if terminal is not None:
            assert child.state is terminal
        if child.state in TERMINAL:
            terminal = child.state
    assert child.filled == child.reported == total
    assert parent.ended
    assert child.state is (OrderState.FILLED if end is Status.ALLTRADED else OrderState.CANCELLED)
    expected = ParentState.FILLED if total == VOLUME else ParentState.DONE_PARTIAL if total else None
    assert parent.closing_state() is (expected or ParentState.CANCELLED)


@given(st.lists(st.tuples(st.sampled_from(Status), st.integers(0, 3000)), max_size=12))
def test_whatever_a_gateway_says_terminal_stays_terminal(reports: list[tuple[Status, int]]) -> None:
    desk, _, child = working()
    for status, traded in reports:
        before, reported = child.state, child.reported
        desk.on_order(child, report(status, traded))
        if before in TERMINAL:
            assert child.state is before
        assert reported <= child.reported <= VOLUME
