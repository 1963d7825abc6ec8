"""Signals that wait for a human: answered once, never after their time, lost with the process."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vnpy_aiagent.config import LiveSettings, load_settings
from vnpy_aiagent.domain import (
    Action,
    Alert,
    ApprovalAnswered,
    ApprovalAsked,
    HandlerFailed,
    Mode,
    ParentOrder,
    Proposal,
    Sent,
    Side,
)
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.store.inbox import Command

from .small_house import BANK, SmallHouse, at

OPEN = "2025-03-03 10:00:00"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def house(journal: Path) -> Iterator[SmallHouse]:
    with SmallHouse(journal, OPEN, approvals="all") as house:
        yield house


def the_one(house: SmallHouse) -> ApprovalAsked:
    [asked] = house.engine.pending_approvals()
    return asked


def answers(house: SmallHouse) -> list[tuple[bool, str, str]]:
    return [(each.approved, each.by, str(each.reason)) for each in house.said(ApprovalAnswered)]


def test_an_entry_waits_with_its_price_size_and_reason_and_nothing_is_ordered(house: SmallHouse) -> None:
    house.buy(1000)
    asked = the_one(house)
    assert (asked.account, asked.symbol, asked.side, asked.volume) == ("judge", BANK, Side.BUY, 1000)
    assert (str(asked.price), str(asked.stop), str(asked.reason)) == ("5.05", "4.80", "测试")
    assert (asked.lapses_at - asked.at).total_seconds() == 60
    assert house.said(ParentOrder) == []
    house.quote()
    assert house.held == {}


def test_an_approved_entry_is_ordered_once_and_its_chain_leads_through_the_answer(house: SmallHouse) -> None:
    house.buy(1000)
    asked = the_one(house)
    assert house.engine.approve(asked.id, by="window")
    house.events.drain()
    house.quote()
    assert house.held == {BANK: 1000}
    assert house.stop_state() == "ARMED"
    [parent] = house.said(ParentOrder)
    [answered] = house.said(ApprovalAnswered)
    assert (parent.cause, answered.cause, asked.cause) == (answered.id, asked.id, asked.signal_id)
    assert (answered.approved, answered.by) == (True, "window")


def test_only_the_first_answer_counts(house: SmallHouse) -> None:
    house.buy(1000)
    asked = the_one(house)
    assert house.engine.approve(asked.id)
    assert not house.engine.approve(asked.id)
    assert not house.engine.refuse(asked.id)
    house.events.drain()
    assert len(house.said(ParentOrder)) == len(house.said(ApprovalAnswered)) == 1
    assert not house.engine.approve("r9-0000001")


def test_a_refusal_says_why_and_frees_the_cash(house: SmallHouse) -> None:
    house.buy(1000)
    book = house.engine.house.portfolio.books["judge"]
    assert book.available < book.cash
    assert house.engine.refuse(the_one(house).id, "今晚出财报", by="window")
    assert answers(house) == [(False, "window", "人工拒绝：今晚出财报")]
    assert book.available == book.cash
    assert not house.engine.approve(house.said(ApprovalAsked)[0].id)
    house.events.drain()
    assert house.said(ParentOrder) == []
    assert house.engine.monitoring.plans.signals == {}  # no plan is left behind


def test_unanswered_it_lapses_after_a_minute(house: SmallHouse) -> None:
    house.buy(1000)
    asked = the_one(house)
    house.go("2025-03-03 10:00:59")
    assert house.engine.pending_approvals() == [asked]
    house.go("2025-03-03 10:01:00")
    assert house.engine.pending_approvals() == []
    assert answers(house) == [(False, "timeout", "到时未批准，已作废")]
    assert not house.engine.approve(asked.id)
    assert house.said(ParentOrder) == []


def test_an_answer_that_overtakes_the_lapse_timer_comes_too_late(house: SmallHouse) -> None:
    house.buy(1000)
    asked = the_one(house)
    house.clock.moment = asked.lapses_at  # the timer has not been handled yet
    assert not house.engine.approve(asked.id)
    assert answers(house) == [(False, "timeout", "到时未批准，已作废")]
    house.go("2025-03-03 10:02:00")
    assert len(answers(house)) == 1
    assert house.said(ParentOrder) == []


def test_the_lapse_is_a_setting_and_never_outlives_the_signal(journal: Path) -> None:
    with SmallHouse(journal, "2025-03-03 14:59:30", approvals="all", approval_lapse=120) as house:
        house.buy(1000)
        asked = the_one(house)
        assert (asked.lapses_at - asked.at).total_seconds() == 30


@pytest.mark.parametrize(("price", "why"), [(4.80, "已到止损价"), (4.70, "已到止损价")])
def test_an_entry_whose_stop_is_reached_meanwhile_is_not_sent(
    house: SmallHouse, price: float, why: str
) -> None:
    house.buy(1000)
    house.tick(price)
    assert not house.engine.approve(the_one(house).id, by="window")
    [(approved, by, reason)] = answers(house)
    assert (approved, by) == (False, "window")
    assert why in reason
    house.events.drain()
    assert house.said(ParentOrder) == []


def test_a_halt_ends_the_wait(house: SmallHouse) -> None:
    house.buy(1000)
    asked = the_one(house)
    house.engine.halt("test")
    assert house.engine.pending_approvals() == []
    assert answers(house) == [(False, "halt", "交易已停止（HALTED），委托未发送")]
    house.engine.resume()
    assert not house.engine.approve(asked.id)


def test_a_flatten_ends_the_wait_of_entries(house: SmallHouse) -> None:
    house.buy(1000)
    house.engine.flatten()
    assert [each[1] for each in answers(house)] == ["flatten"]


def test_closing_ends_the_wait_in_the_journal(journal: Path) -> None:
    with SmallHouse(journal, OPEN, approvals="all") as house:
        house.buy(1000)
    with SmallHouse(journal, "2025-03-03 10:00:10", approvals="all") as house:
        assert answers(house) == [(False, "close", "程序关闭，已作废")]
        assert house.engine.pending_approvals() == []


@pytest.mark.parametrize("approved", [False, True])
def test_after_a_crash_it_has_lapsed_and_a_human_is_told(
    journal: Path, monkeypatch: pytest.MonkeyPatch, *, approved: bool
) -> None:
    """Also where the process died between the approval and the order."""
    with SmallHouse(journal, OPEN, approvals="all") as house:
        house.buy(1000)
        asked = the_one(house)
        if approved:
            monkeypatch.setattr(house.engine.execution.approvals, "_go_on", lambda *_: None)
            assert house.engine.approve(asked.id)
        monkeypatch.setattr(house.engine.execution.approvals, "lapse", lambda *_: 0)
    monkeypatch.undo()
    with SmallHouse(journal, "2025-03-03 10:00:10", approvals="all") as house:
        assert house.engine.pending_approvals() == []
        assert answers(house)[-1] == (False, "restart", "重启前没有送出，已作废")
        assert any("重启前等待批准" in str(alert.text) for alert in house.said(Alert))
        assert not house.engine.approve(asked.id)
        house.go("2025-03-03 10:05:00")
        house.quote()
        assert house.said(ParentOrder) == []
        before = len(house.said(ApprovalAnswered))
    with SmallHouse(journal, "2025-03-03 10:10:00", approvals="all") as house:
        assert len(house.said(ApprovalAnswered)) == before  # told once


def test_what_was_ordered_before_a_restart_is_not_told_as_lapsed(journal: Path) -> None:
    with SmallHouse(journal, OPEN, approvals="all") as house:
        house.buy(1000)
        house.engine.approve(the_one(house).id)
        house.events.drain()
    with SmallHouse(journal, "2025-03-03 10:00:10", approvals="all") as house:
        assert [each[:2] for each in answers(house)] == [(True, "python")]


def test_a_protective_stop_waits_for_nobody(house: SmallHouse) -> None:
    house.buy(1000)
    house.engine.approve(the_one(house).id)
    house.events.drain()
    house.quote()
    house.go("2025-03-04 09:35:00")
    house.tick(4.79)
    assert house.engine.pending_approvals() == []
    house.quote(4.79)
    assert house.held == {}
    assert house.said(HandlerFailed) == []


def test_without_the_setting_nothing_is_asked(journal: Path) -> None:
    with SmallHouse(journal, OPEN) as house:
        house.buy(1000)
        assert house.said(ApprovalAsked) == []
        assert len(house.said(Sent)) == 1


def test_status_lists_what_waits(house: SmallHouse) -> None:
    house.buy(1000)
    shown: Any = house.engine.status()["approvals"]
    assert [(each["id"], each["symbol"], each["price"]) for each in shown] == [
        (the_one(house).id, BANK, "5.05")
    ]


def test_live_asks_for_everything_unless_its_own_section_says_otherwise() -> None:
    live = LiveSettings(capital_limit=100_000, allowlist=(BANK,))
    assert load_settings(mode=Mode.LIVE, live=live, approvals="none").asks_for == "all"
    less = live.model_copy(update={"approvals": "entries"})
    assert load_settings(mode=Mode.LIVE, live=less).asks_for == "entries"
    assert load_settings(mode=Mode.PAPER, live=less).asks_for == "none"
    assert load_settings(mode=Mode.PAPER, approvals="entries").asks_for == "entries"


def test_commands_of_other_processes_do_the_same(journal: Path) -> None:
    with SmallHouse(journal, OPEN, approvals="all") as house:

        def command(name: str, **args: str) -> Any:
            result = house.engine._carry_out(Command(1, name, args, "aiagent", OPEN))
            house.events.drain()
            return result

        house.buy(1000)
        house.buy(500)
        first, second = house.engine.pending_approvals()
        assert command("refuse", approval=second.id, reason="x") == {"refused": True}
        assert command("approve", approval=first.id) == {"approved": True}
        assert command("approve", approval=first.id) == {"approved": False}
        house.quote()
        assert command("take_over", account="judge", symbol=BANK) == {"volume": 1000}
        assert command("flatten") == {"locked": [], "external": [f"judge {BANK}"]}
        command("resume")
        with pytest.raises(ConfigError, match="is no price"):
            command("hand_back", account="judge", symbol=BANK, stop="cheap")
        assert command("hand_back", account="judge", symbol=BANK, stop="4.50") == {"volume": 1000}
        assert command("status")["accounts"][0]["external"] == {}


def test_an_approval_on_an_old_quote_is_not_sent(journal: Path) -> None:
    with SmallHouse(journal, OPEN, approvals="all", approval_lapse=300) as house:
        house.buy(1000)
        house.go("2025-03-03 10:03:01")
        assert not house.engine.approve(the_one(house).id, by="window")
        assert answers(house) == [(False, "window", "行情已过期 181 秒，上限 180 秒")]
        house.events.drain()
        assert house.said(ParentOrder) == []


def test_an_approval_asks_the_rules_again_and_frees_the_cash_of_what_they_refuse(house: SmallHouse) -> None:
    house.buy(1000)
    book = house.engine.house.portfolio.books["judge"]
    book.day_start_equity *= 2
    assert not house.engine.approve(the_one(house).id)
    [(approved, _, reason)] = answers(house)
    assert (approved, reason) == (False, "当日亏损 50.0% 达到上限 3.0%，今日不再开仓")
    assert book.available == book.cash


def test_an_approval_of_more_than_the_rules_now_allow_is_refused_with_their_sentence(
    house: SmallHouse,
) -> None:
    house.buy(19_900)  # 10.05 % of the equity at its limit
    assert not house.engine.approve(the_one(house).id)
    assert answers(house)[0][2] == "单票仓位 10.0%，上限 10.0%"


def test_a_sale_that_waits_is_not_asked_for_again(journal: Path) -> None:
    with SmallHouse(journal, OPEN) as house:
        house.buy(10_000)
    with SmallHouse(journal, "2025-03-04 10:00:00", approvals="all") as house:
        house.quote()
        for _ in range(2):
            weight = 5_000 * 5.0 / float(house.engine.house.portfolio.equity("judge"))
            reduce = Proposal(
                id="p",
                at=house.clock.now(),
                account="judge",
                request_id="q",
                decision_id="d",
                symbol=BANK,
                action=Action.REDUCE,
                target_weight=weight * 1.0001,
                confidence=0.9,
                valid_until=at("2025-03-04 15:00:00"),
            )
            house.engine.risk.judge(reduce)
            house.events.drain()
        assert the_one(house).volume == 5_000
        assert house.engine.approve(the_one(house).id)
        house.events.drain()
        house.quote()
        assert house.held == {BANK: 5_000}


def test_a_stop_does_not_wait_behind_a_sale_that_waits(journal: Path) -> None:
    with SmallHouse(journal, OPEN) as house:
        house.buy(1000)
    with SmallHouse(journal, "2025-03-04 10:00:00", approvals="all") as house:
        house.quote()
        close = Proposal(
            id="p",
            at=house.clock.now(),
            account="judge",
            request_id="q",
            decision_id="d",
            symbol=BANK,
            action=Action.CLOSE,
            confidence=0.9,
            valid_until=at("2025-03-04 15:00:00"),
        )
        house.engine.risk.judge(close)
        house.events.drain()
        waiting = the_one(house)
        house.quote(4.79)
        house.quote(4.79)
        assert house.held == {}
        assert not house.engine.approve(waiting.id)


def test_nobody_may_have_an_order_wait_longer_than_five_minutes() -> None:
    assert load_settings(approval_lapse=300).approval_lapse == 300
    with pytest.raises(ConfigError, match="approval_lapse"):
        load_settings(approval_lapse=301)
