"""The order desk: late, doubled and disordered broker messages; fills before reports; cancels with fills."""

from datetime import datetime
from decimal import Decimal

import pytest
from vnpy.trader.constant import Direction, Exchange, Offset, Status
from vnpy.trader.object import OrderData, TradeData

from vnpy_aiagent.domain import MARKET_TZ, Intent, OrderState, ParentOrder, ParentState, Side, Signal, say
from vnpy_aiagent.execution import Child, OrderDesk, Parent

AT = datetime(2024, 5, 6, 10, tzinfo=MARKET_TZ)
SYMBOL = "600036.SSE"


def order(
    status: Status, traded: float = 0, orderid: str = "1", extra: dict[str, str] | None = None
) -> OrderData:
    made = OrderData(
        symbol="600036",
        exchange=Exchange.SSE,
        orderid=orderid,
        direction=Direction.LONG,
        offset=Offset.NONE,
        price=10.0,
        volume=1000,
        traded=traded,
        status=status,
        gateway_name="SIM",
    )
    made.extra = extra
    return made


def trade(orderid: str = "1") -> TradeData:
    return TradeData(
        symbol="600036", exchange=Exchange.SSE, orderid=orderid, tradeid="t", gateway_name="SIM", volume=100
    )


def open_parent(desk: OrderDesk, number: int = 1) -> Parent:
    base = {"id": f"p{number}", "at": AT, "account": "judge"}
    signal = Signal(
        **base,
        symbol=SYMBOL,
        side=Side.BUY,
        volume=1000,
        limit=Decimal(10),
        low=Decimal(9),
        high=Decimal(11),
        reason=say("x"),
        valid_until=AT,
    )
    return desk.open(ParentOrder(**base, signal_id="s", symbol=SYMBOL, side=Side.BUY, volume=1000), signal)


def add_child(desk: OrderDesk, parent: Parent, name: str = "i1", volume: int = 1000) -> Child:
    return desk.add(
        Intent(
            id=name,
            at=AT,
            account="judge",
            parent_id=parent.order.id,
            reference=name,
            gateway="SIM",
            symbol=SYMBOL,
            side=Side.BUY,
            volume=volume,
            price=Decimal(10),
        )
    )


@pytest.fixture
def desk() -> OrderDesk:
    return OrderDesk()


@pytest.fixture
def parent(desk: OrderDesk) -> Parent:
    return open_parent(desk)


@pytest.fixture
def child(desk: OrderDesk, parent: Parent) -> Child:
    made = add_child(desk, parent)
    assert desk.sent("i1", ("SIM.1",)) == []
    return made


def test_an_order_goes_from_intent_to_filled(desk: OrderDesk, parent: Parent, child: Child) -> None:
    seen = [child.state]
    for status, traded in ((Status.NOTTRADED, 0), (Status.PARTTRADED, 400), (Status.ALLTRADED, 1000)):
        assert desk.on_order(child, order(status, traded))
        seen.append(child.state)
    assert seen == [OrderState.SENT, OrderState.ACCEPTED, OrderState.PARTIAL, OrderState.FILLED]
    assert not parent.ended  # reported, but the fills have not arrived
    desk.on_fill(child, Decimal("10.00"), 400)
    desk.on_fill(child, Decimal("9.90"), 600)
    assert parent.ended
    assert parent.average_price == Decimal("9.94")
    assert parent.closing_state() is ParentState.FILLED


def test_a_late_report_does_not_bring_a_filled_order_back(desk: OrderDesk, child: Child) -> None:
    desk.on_order(child, order(Status.ALLTRADED, 1000))
    assert not desk.on_order(child, order(Status.NOTTRADED, 0))
    assert not desk.on_order(child, order(Status.PARTTRADED, 400))
    assert (child.state, child.reported) == (OrderState.FILLED, 1000)


def test_the_same_report_twice_changes_nothing(desk: OrderDesk, child: Child) -> None:
    assert desk.on_order(child, order(Status.PARTTRADED, 400))
    assert not desk.on_order(child, order(Status.PARTTRADED, 400))
    assert desk.on_order(child, order(Status.PARTTRADED, 500))


def test_a_fill_may_come_before_its_report(desk: OrderDesk, parent: Parent, child: Child) -> None:
    desk.on_fill(child, Decimal(10), 1000)
    assert child.state is OrderState.FILLED
    assert parent.ended
    desk.on_order(child, order(Status.PARTTRADED, 400))
    assert parent.ended


def test_a_cancelled_order_waits_for_the_fills_that_were_reported(
    desk: OrderDesk, parent: Parent, child: Child
) -> None:
    desk.on_order(child, order(Status.CANCELLED, 300))
    assert not parent.ended
    desk.on_fill(child, Decimal(10), 300)
    assert parent.ended
    assert parent.closing_state() is ParentState.DONE_PARTIAL


def test_a_real_fill_after_the_cancel_is_counted_and_the_last_one_makes_it_filled(
    desk: OrderDesk, parent: Parent, child: Child
) -> None:
    desk.on_order(child, order(Status.CANCELLED, 0))
    assert parent.closing_state() is ParentState.CANCELLED
    assert not desk.on_fill(child, Decimal(10), 400)
    assert (child.state, child.filled) == (OrderState.CANCELLED, 400)
    assert parent.closing_state() is ParentState.DONE_PARTIAL
    assert desk.on_fill(child, Decimal(10), 600)
    assert child.state is OrderState.FILLED
    assert parent.closing_state() is ParentState.FILLED


def test_an_order_of_unknown_fate_is_known_again_by_its_own_reference(
    desk: OrderDesk, parent: Parent
) -> None:
    made = add_child(desk, parent)
    desk.unknown(made)
    stranger, own = order(Status.NOTTRADED), order(Status.NOTTRADED, orderid="2")
    stranger.reference, own.reference = "r9-0000001/1", "i1"
    assert desk.waiting_for(stranger) is None
    assert desk.waiting_for(own) is made
    desk.sent("i1", ("SIM.2",))
    assert (made.state, desk.waiting_for(own), desk.owner("SIM.2")) == (OrderState.SENT, None, made)


def test_a_gateway_that_counts_fills_twice_does_not_keep_the_order_open(
    desk: OrderDesk, parent: Parent, child: Child
) -> None:
    desk.on_order(child, order(Status.ALLTRADED, 2000))
    desk.on_fill(child, Decimal(10), 1000)
    assert child.reported == 1000
    assert parent.ended


def test_a_rejection_keeps_the_brokers_reason(desk: OrderDesk, parent: Parent, child: Child) -> None:
    desk.on_order(child, order(Status.REJECTED, extra={"reason": "资金不足"}))
    assert child.reason == "资金不足"
    assert parent.ended
    assert parent.closing_state() is ParentState.REJECTED
    assert parent.average_price is None


def test_a_withheld_intent_ends_without_a_fill(desk: OrderDesk, parent: Parent) -> None:
    made = add_child(desk, parent)
    assert not parent.ended
    desk.withheld("i1")
    assert made.state is OrderState.CANCELLED
    assert parent.ended
    assert parent.closing_state() is ParentState.CANCELLED


def test_messages_that_come_before_the_order_is_known_are_handed_back_once(
    desk: OrderDesk, parent: Parent
) -> None:
    add_child(desk, parent)
    assert desk.owner("SIM.1") is None
    early: list[OrderData | TradeData] = [
        order(Status.NOTTRADED),
        trade(),
        order(Status.NOTTRADED, orderid="2"),
    ]
    for message in early:
        desk.park(message)
    assert desk.sent("i1", ("SIM.1",)) == early[:2]
    assert desk.sent("i1", ("SIM.1",)) == []


def test_a_thousand_strange_orders_leave_room_for_our_own_early_message(
    desk: OrderDesk, parent: Parent
) -> None:
    add_child(desk, parent)
    for number in range(1, 1500):
        desk.park(order(Status.NOTTRADED, orderid=f"strange{number}"))
    mine = trade("1")
    desk.park(mine)
    assert desk.sent("i1", ("SIM.1",)) == [mine]


def test_a_split_order_belongs_to_one_child(desk: OrderDesk, parent: Parent) -> None:
    made = add_child(desk, parent)
    desk.sent("i1", ("SIM.1", "SIM.2"))
    assert desk.owner("SIM.1") is desk.owner("SIM.2") is made
    assert desk.owner("SIM.3") is None


def test_a_split_order_ends_when_all_its_parts_have(desk: OrderDesk, parent: Parent) -> None:
    made = add_child(desk, parent)
    desk.sent("i1", ("SIM.1", "SIM.2"))
    desk.on_order(made, order(Status.ALLTRADED, 300, "1"))
    desk.on_fill(made, Decimal(10), 300)
    assert (made.state, made.reported) == (OrderState.PARTIAL, 300)
    assert not parent.ended
    desk.on_order(made, order(Status.PARTTRADED, 200, "2"))
    assert made.reported == 500
    desk.on_order(made, order(Status.CANCELLED, 200, "2"))
    desk.on_fill(made, Decimal(10), 200)
    assert made.state is OrderState.CANCELLED
    assert parent.ended
    assert parent.closing_state() is ParentState.DONE_PARTIAL


def test_one_rejected_part_does_not_reject_what_still_works(desk: OrderDesk, parent: Parent) -> None:
    made = add_child(desk, parent)
    desk.sent("i1", ("SIM.1", "SIM.2"))
    desk.on_order(made, order(Status.REJECTED, 0, "1"))
    seen = [made.state]
    desk.on_order(made, order(Status.REJECTED, 0, "2"))
    assert [*seen, made.state] == [OrderState.ACCEPTED, OrderState.REJECTED]


def test_working_lists_what_has_not_ended(desk: OrderDesk, parent: Parent, child: Child) -> None:
    second = add_child(desk, parent, "i2", 500)
    assert list(desk.working()) == [(parent, child), (parent, second)]
    desk.withheld("i2")
    assert list(desk.working()) == [(parent, child)]


def test_a_closed_parent_is_gone_and_its_orders_are_still_known(
    desk: OrderDesk, parent: Parent, child: Child
) -> None:
    desk.on_fill(child, Decimal(10), 1000)
    assert desk.parent_of(child) is parent
    desk.close(parent)
    assert parent.state is ParentState.FILLED
    assert desk.parents == {}
    assert desk.child("i1") is None
    assert desk.owner("SIM.1") is child
