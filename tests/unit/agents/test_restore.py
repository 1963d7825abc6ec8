"""What a journal says about the present: closes, triggers without an answer, and rows that do not fit."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from vnpy_aiagent.agents.restore import KINDS, Restored, Restorer
from vnpy_aiagent.domain import (
    AccountOpened,
    AnalysisRequest,
    EquityMark,
    JobSkipped,
    Message,
    RequestKind,
    Sent,
    Side,
    Style,
    TriggerFired,
    TriggerKind,
    TriggerSpec,
    say,
)
from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.store.chain import Entry

from .risk_world import FRIDAY, MONDAY, SYMBOL, a_fill, a_proposal, moment

OPENED = AccountOpened(
    id="o1",
    at=moment(9, day=FRIDAY),
    account="judge",
    gateway="SIM",
    style=Style.JUDGE,
    cash=Decimal(1_000_000),
)
SPEC = TriggerSpec(
    id="t1",
    at=moment(10),
    account="judge",
    symbol=SYMBOL,
    trigger=TriggerKind.PRICE_AT_OR_ABOVE,
    price=Decimal(21),
)
FIRED = TriggerFired(
    id="f1", at=moment(11), account="judge", trigger_id="t1", symbol=SYMBOL, price=Decimal(21)
)
ASKED = AnalysisRequest(
    id="q1",
    at=moment(11),
    cause="f1",
    account="judge",
    request=RequestKind.REPLAN,
    symbol=SYMBOL,
    accounts=("judge",),
    reason=say("x"),
    trigger_id="t1",
    deadline=moment(15),
)
ANSWER = a_proposal(request_id="q1")
SKIPPED = JobSkipped(id="s1", at=moment(11), cause="q1", job="q1", reason=say("x"))
BOUGHT = a_fill(1000, "20.00")


def entry(seq: int, kind: str, body: str) -> Entry:
    return Entry(
        seq=seq,
        id=f"e{seq}",
        at="",
        kind=kind,
        account="",
        cause=None,
        body=body,
        prev="",
        hash="",
        wall=None,
    )


def fold(*messages: Message) -> Restored:
    return Restorer().fold(rows(messages))


def rows(messages: Iterable[Message]) -> list[Entry]:
    assert all(message.kind in KINDS for message in messages)
    return [entry(n, message.kind, message.model_dump_json()) for n, message in enumerate(messages, 1)]


def mark(day: date, equity: int) -> EquityMark:
    return EquityMark(
        id=f"m{day}",
        at=moment(15, day=day),
        account="judge",
        day=day,
        cash=Decimal(equity),
        market_value=Decimal(0),
        positions={},
    )


def test_the_last_two_closes_are_kept() -> None:
    days = [MONDAY - timedelta(days=n) for n in (5, 4, 3, 0)]
    restored = fold(OPENED, *(mark(day, 1000 + n) for n, day in enumerate(days)))
    assert restored.closes == {"judge": {days[2]: Decimal(1002), days[3]: Decimal(1003)}}
    assert restored.peaks == {"judge": Decimal(1003)}


def test_a_trigger_that_fired_is_unanswered_until_its_proposal() -> None:
    assert list(fold(OPENED, BOUGHT, SPEC, FIRED).unanswered) == ["t1"]
    assert list(fold(OPENED, BOUGHT, SPEC, FIRED, ASKED).unanswered) == ["t1"]
    assert list(fold(OPENED, BOUGHT, SPEC, FIRED, ASKED, ANSWER).unanswered) == []
    assert list(fold(OPENED, BOUGHT, SPEC, FIRED, ASKED, SKIPPED).unanswered) == []


def test_one_that_was_asked_again_is_answered_once() -> None:
    again = ASKED.model_copy(update={"id": "q2"})
    assert list(fold(OPENED, BOUGHT, SPEC, FIRED, ASKED, again).unanswered) == ["t1"]
    answer = a_proposal(request_id="q2")
    assert list(fold(OPENED, BOUGHT, SPEC, FIRED, ASKED, again, answer).unanswered) == []


def test_a_trigger_without_a_position_asks_nothing() -> None:
    assert fold(OPENED, SPEC, FIRED).unanswered == {}
    sold = a_fill(1000, "20.50", MONDAY, Side.SELL)
    assert fold(OPENED, BOUGHT, sold, SPEC, FIRED).unanswered == {}


def test_a_position_that_is_sold_leaves_no_question_for_the_next_one() -> None:
    sold, again = a_fill(1000, "20.50", MONDAY, Side.SELL), a_fill(500, "20.60", MONDAY)
    assert fold(OPENED, BOUGHT, SPEC, FIRED, sold, again).unanswered == {}


def test_a_trigger_that_fired_is_gone_though_the_process_ended_before_it_said_so() -> None:
    assert list(fold(OPENED, BOUGHT, SPEC).triggers) == ["t1"]
    assert fold(OPENED, BOUGHT, SPEC, FIRED).triggers == {}


def test_reanalyses_of_the_latest_day_are_kept_without_those_that_were_skipped() -> None:
    early = ASKED.model_copy(update={"id": "q0", "at": moment(11, day=FRIDAY)})
    other = ASKED.model_copy(update={"id": "q2", "at": moment(12), "trigger_id": "t2"})
    assert fold(OPENED, BOUGHT, early).replans == [("judge", SYMBOL, moment(11, day=FRIDAY))]
    assert fold(OPENED, BOUGHT, early, ASKED, other).replans == [
        ("judge", SYMBOL, moment(11)),
        ("judge", SYMBOL, moment(12)),
    ]
    assert fold(OPENED, BOUGHT, early, ASKED, SKIPPED, other).replans == [("judge", SYMBOL, moment(12))]


def test_counts_are_those_of_the_latest_day() -> None:
    sent = [
        Sent(id=f"x{n}", at=moment(10, n, day), account="judge", intent_id="i", vt_orderids=("SIM.1",))
        for n, day in enumerate((FRIDAY, MONDAY, MONDAY))
    ]
    assert dict(fold(OPENED, *sent).sent) == {("judge", MONDAY): 2}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("Fill", '{"id": "x"}'),
        ("Fill", "no json"),
        ("AccountOpened", '{"id": "a", "at": "2025-03-03T10:00:00+08:00", "colour": "red"}'),
        ("Fill", a_fill(5000, "20.00", MONDAY, Side.SELL).model_dump_json()),
    ],
)
def test_a_row_that_cannot_be_understood_or_does_not_fit_is_one_sentence(kind: str, body: str) -> None:
    with pytest.raises(JournalError) as caught:
        Restorer().fold([*rows([OPENED, BOUGHT]), entry(3, kind, body)])
    sentence = str(caught.value)
    assert sentence.startswith(f"entry 3 ({kind}) cannot be restored: ")
    assert "\n" not in sentence


def test_kinds_that_say_nothing_about_the_present_are_passed_over() -> None:
    assert Restorer().fold([entry(1, "Unheard", "{}"), entry(2, "Note", "{}")]).runs == 0
