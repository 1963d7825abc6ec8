"""The table of order states: complete, and every edge of it as written here a second time."""

from itertools import product

import pytest
from vnpy.trader.constant import Status

from vnpy_aiagent.domain import OrderState
from vnpy_aiagent.execution import STATUS_REPORTS, TERMINAL, TRANSITIONS, Report, next_state

ENDS = {Report.FILLED, Report.CANCELLED, Report.REJECTED, Report.LAST_FILL}

ENDINGS = "FILLED CANCELLED REJECTED"
EDGES = {
    OrderState.INTENDED: f"SENT ACCEPTED PARTIAL {ENDINGS} UNKNOWN CANCELLED PARTIAL FILLED",
    OrderState.SENT: f"SENT ACCEPTED PARTIAL {ENDINGS} UNKNOWN SENT PARTIAL FILLED",
    OrderState.ACCEPTED: "ACCEPTED " * 2 + f"PARTIAL {ENDINGS} UNKNOWN ACCEPTED PARTIAL FILLED",
    OrderState.PARTIAL: f"PARTIAL PARTIAL PARTIAL {ENDINGS} UNKNOWN PARTIAL PARTIAL FILLED",
    OrderState.UNKNOWN: f"SENT ACCEPTED PARTIAL {ENDINGS} UNKNOWN UNKNOWN PARTIAL FILLED",
    OrderState.FILLED: "FILLED " * 10,
    OrderState.CANCELLED: "CANCELLED " * 9 + "FILLED",
    OrderState.REJECTED: "REJECTED " * 9 + "FILLED",
}
ALL_EDGES = [
    (state, report, OrderState[after])
    for state, row in EDGES.items()
    for report, after in zip(Report, row.split(), strict=True)
]


def test_no_pair_of_a_state_and_a_report_is_missing() -> None:
    assert set(TRANSITIONS) == set(product(OrderState, Report))
    assert len(ALL_EDGES) == len(TRANSITIONS) == 80


@pytest.mark.parametrize(("state", "report", "after"), ALL_EDGES)
def test_an_edge_leads_where_it_should(state: OrderState, report: Report, after: OrderState) -> None:
    assert next_state(state, report) is after


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_only_a_real_fill_changes_a_terminal_state(state: OrderState) -> None:
    changing = {report for report in Report if next_state(state, report) is not state}
    assert changing == (set() if state is OrderState.FILLED else {Report.LAST_FILL})


@pytest.mark.parametrize("report", Report)
def test_the_same_report_twice_is_as_good_as_once(report: Report) -> None:
    for state in OrderState:
        once = next_state(state, report)
        assert next_state(once, report) is once


@pytest.mark.parametrize("state", sorted(set(OrderState) - TERMINAL))
def test_a_working_order_ends_by_whatever_ends_it_and_by_nothing_else(state: OrderState) -> None:
    ending = {report for report in Report if next_state(state, report) in TERMINAL}
    assert ending == (ENDS | {Report.WITHHELD} if state is OrderState.INTENDED else ENDS)


def test_a_late_report_never_brings_an_order_back() -> None:
    rank = [OrderState.INTENDED, OrderState.SENT, OrderState.ACCEPTED, OrderState.PARTIAL]
    for state in rank[1:]:
        for report in (Report.SENT, Report.ACCEPTED, Report.PARTIAL, Report.SOME_FILL):
            assert rank.index(next_state(state, report)) >= rank.index(state)


def test_what_may_have_left_is_never_taken_for_withheld() -> None:
    for state in set(OrderState) - {OrderState.INTENDED}:
        assert next_state(state, Report.WITHHELD) is state


def test_every_status_of_vnpy_is_a_report_by_its_name() -> None:
    assert set(STATUS_REPORTS) == {status.name for status in Status}
