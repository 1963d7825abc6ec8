"""A position that a human takes over: counted, left alone, restored, and handed back with a stop."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from vnpy.event import Event

from vnpy_aiagent.base import EVENT_AI_PROPOSAL, EVENT_AI_SIGNAL
from vnpy_aiagent.domain import (
    Action,
    Alert,
    AnalysisRequest,
    HandlerFailed,
    Outcome,
    PositionHandedBack,
    PositionTakenOver,
    PriceBasis,
    PriceRef,
    Proposal,
    Sent,
    Side,
    Signal,
    StopUpdate,
    TriggerEnd,
    TriggerEnded,
    Verdict,
    say,
)
from vnpy_aiagent.errors import ConfigError

from .small_house import BANK, STAR, SmallHouse, price_trigger

BOUGHT, NEXT = "2025-03-03 10:00:00", "2025-03-04 10:00:00"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def house(journal: Path) -> Iterator[SmallHouse]:
    """1,000 shares bought yesterday, a stop at 4.80, triggers at 5.30 and 4.90."""
    with SmallHouse(journal, BOUGHT) as house:
        hold(house)
        yield house


def hold(house: SmallHouse) -> None:
    house.buy(1000, triggers=(price_trigger("5.30"), price_trigger("5.40")))
    assert house.held == {BANK: 1000}
    house.go(NEXT)
    house.quote()


def wait_for_a_fill(house: SmallHouse, volume: int) -> None:
    """A buy at most at 5.05 while the market is at 5.30: it waits."""
    house.engine.bus.post(
        Signal,
        EVENT_AI_SIGNAL,
        cause=None,
        account="judge",
        symbol=BANK,
        side=Side.BUY,
        volume=volume,
        limit=Decimal("5.05"),
        low=Decimal("5.00"),
        high=Decimal("5.05"),
        stop=Decimal("4.80"),
        reason=say("测试"),
        valid_until=house.clock.now().replace(hour=15),
    )
    house.events.drain()
    assert len(house.engine.execution.desk.parents) == 1


def propose(house: SmallHouse, action: Action) -> Verdict:
    """What the risk agent says to a proposal of the model."""
    entry = action in (Action.BUY, Action.ADD)
    proposal = Proposal(
        id="",
        at=house.clock.now(),
        account="judge",
        request_id="",
        decision_id="",
        symbol=BANK,
        action=action,
        target_weight=0.05,
        entry=PriceRef(basis=PriceBasis.LAST) if entry else None,
        stop=PriceRef(basis=PriceBasis.LAST, offset=-5.0) if entry or action is Action.ADJUST else None,
        confidence=0.9,
        valid_until=house.clock.now().replace(hour=15),
    )
    house.events.put(Event(EVENT_AI_PROPOSAL, house.engine.bus.adopt(proposal)))
    house.events.drain()
    verdict: Verdict = house.said(Verdict)[-1]
    return verdict


def test_stop_and_triggers_end_with_a_named_reason_and_the_shares_are_returned(house: SmallHouse) -> None:
    assert house.engine.take_over("judge", BANK, by="window") == 1000
    update = house.said(StopUpdate)[-1]
    assert (update.state.name, str(update.reason), update.volume) == (
        "TAKEN_OVER",
        "人工接管，止损撤除",
        1000,
    )
    assert [ended.end for ended in house.said(TriggerEnded)] == [TriggerEnd.TAKEN_OVER] * 2
    [taken] = house.said(PositionTakenOver)
    assert (taken.account, taken.symbol, taken.volume, taken.by) == ("judge", BANK, 1000, "window")
    assert house.stop_state() == "none"


def test_afterwards_no_price_sells_fires_or_asks(house: SmallHouse) -> None:
    house.engine.take_over("judge", BANK)
    sent = len(house.said(Sent))
    for price in (5.31, 5.45, 4.60, 4.51):
        house.quote(price)
    house.go("2025-03-05 10:00:00")
    house.quote(4.60)
    assert house.held == {BANK: 1000}
    assert len(house.said(Sent)) == sent
    assert house.said(AnalysisRequest) == []
    assert house.brain.asked == []
    assert not any("缺少止损" in str(alert.text) for alert in house.said(Alert))
    assert house.said(HandlerFailed) == []


def test_it_still_counts_in_equity_and_exposure(house: SmallHouse) -> None:
    portfolio = house.engine.house.portfolio
    equity = portfolio.equity("judge")
    house.engine.take_over("judge", BANK)
    assert portfolio.equity("judge") == equity
    assert portfolio.account_view("judge", BANK, 0.1).weights[BANK] > 0
    assert portfolio.sellable("judge", BANK) == 0


def test_a_flatten_leaves_it_alone_and_names_it(house: SmallHouse) -> None:
    house.engine.take_over("judge", BANK)
    assert house.engine.flatten() == []
    house.quote(4.60)
    assert house.held == {BANK: 1000}
    assert any("不含人工接管的持仓：judge 601988.SSE" in str(a.text) for a in house.said(Alert))


def test_the_model_can_neither_sell_nor_adjust_nor_enlarge_it(house: SmallHouse) -> None:
    house.engine.take_over("judge", BANK)
    for action in (Action.CLOSE, Action.REDUCE, Action.ADJUST):
        verdict = propose(house, action)
        assert verdict.outcome is Outcome.REJECTED
        assert "人工接管" in str(verdict.lines[0].text)
    verdict = propose(house, Action.BUY)
    assert verdict.outcome is Outcome.REJECTED
    [line] = [line for line in verdict.lines if line.rule == "external_position"]
    assert (line.passed, str(line.text)) == (False, "人工接管 1000 股，系统不在其上买入")


def test_it_is_not_analysed_either(house: SmallHouse) -> None:
    house.engine.take_over("judge", BANK)
    with pytest.raises(ConfigError, match="hand it back"):
        house.engine.analyze(BANK)


def test_its_working_orders_are_cancelled(journal: Path) -> None:
    with SmallHouse(journal, BOUGHT) as house:
        hold(house)
        house.tick(5.3)
        wait_for_a_fill(house, 2000)
        assert house.engine.take_over("judge", BANK) == 1000
        house.events.drain()
        house.quote(5.0)
        assert house.held == {BANK: 1000}
        [taken] = house.said(PositionTakenOver)
        assert len(taken.orders) == 1
        assert house.engine.house.portfolio.books["judge"].reservations == {}


def test_a_late_fill_of_a_cancelled_buy_is_the_humans_too_also_after_a_restart(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SmallHouse(journal, BOUGHT) as house:
        hold(house)
        house.tick(5.3)
        wait_for_a_fill(house, 2000)
        monkeypatch.setattr(house.engine.execution, "cancel", lambda parent: None)  # it comes too late
        house.engine.take_over("judge", BANK)
        house.quote(5.0)
        assert house.held == {BANK: 3000}
        assert house.stop_state() == "none"
        assert house.engine.house.portfolio.books["judge"].external == {BANK: 3000}
    with SmallHouse(journal, "2025-03-04 11:00:00") as house:
        assert house.engine.house.portfolio.books["judge"].external == {BANK: 3000}
        assert house.stop_state() == "none"


def test_after_a_restart_it_is_still_the_humans(journal: Path) -> None:
    with SmallHouse(journal, BOUGHT) as house:
        hold(house)
        house.engine.take_over("judge", BANK)
    with SmallHouse(journal, "2025-03-04 11:00:00") as house:
        assert house.held == {BANK: 1000}
        assert house.stop_state() == "none"
        assert len(house.engine.monitoring.book) == 0
        for price in (5.45, 4.60):
            house.quote(price)
        house.go("2025-03-05 10:00:00")
        house.quote(4.60)
        assert house.held == {BANK: 1000}
        assert not any("缺少止损" in str(alert.text) for alert in house.said(Alert))
        house.engine.hand_back("judge", BANK, stop=Decimal("4.55"))
    with SmallHouse(journal, "2025-03-05 11:00:00") as house:
        assert house.stop_state() == "ARMED"
        house.quote(4.54)
        house.quote(4.54)
        assert house.held == {}


def test_after_a_crash_in_the_middle_the_stop_does_not_come_back(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process died right after the first message of the take-over."""
    with SmallHouse(journal, BOUGHT) as house:
        hold(house)
        monkeypatch.setattr(house.engine.monitoring, "release", lambda *_: None)
        house.engine.take_over("judge", BANK)
    with SmallHouse(journal, "2025-03-04 11:00:00") as house:
        assert house.engine.parts.restored.stops == {}
        assert (house.stop_state(), len(house.engine.monitoring.book)) == ("none", 0)


def test_handed_back_it_is_guarded_8_percent_below_cost_and_sold_there(house: SmallHouse) -> None:
    house.engine.take_over("judge", BANK)
    cost = house.engine.house.portfolio.books["judge"].positions[BANK].cost
    assert house.engine.hand_back("judge", BANK, by="window") == 1000
    stop = house.engine.monitoring.stops.get("judge", BANK)
    assert stop is not None
    assert cost * Decimal("0.92") <= stop.price < cost * Decimal("0.92") + Decimal("0.01")
    [back] = house.said(PositionHandedBack)
    assert (back.stop, back.volume, back.by) == (stop.price, 1000, "window")
    house.quote(4.60)
    house.quote(4.60)
    assert house.held == {}


def test_a_stop_may_be_named_below_the_last_price_on_the_tick(house: SmallHouse) -> None:
    house.engine.take_over("judge", BANK)
    for wrong in ("5.00", "4.805", "-1", "NaN"):
        with pytest.raises(ConfigError):
            house.engine.hand_back("judge", BANK, stop=Decimal(wrong))
    assert house.stop_state() == "none"
    house.engine.hand_back("judge", BANK, stop=Decimal("4.90"))
    assert house.engine.monitoring.stops.get("judge", BANK).price == Decimal("4.90")  # type: ignore[union-attr]


def test_a_position_below_its_default_stop_needs_one_named(house: SmallHouse) -> None:
    house.engine.take_over("judge", BANK)
    house.quote(4.55)
    with pytest.raises(ConfigError, match="give a lower one"):
        house.engine.hand_back("judge", BANK)
    house.engine.hand_back("judge", BANK, stop=Decimal("4.50"))


def test_nothing_is_handed_back_into_a_flatten(house: SmallHouse) -> None:
    house.engine.take_over("judge", BANK)
    house.engine.flatten()
    with pytest.raises(ConfigError, match="resume first"):
        house.engine.hand_back("judge", BANK)


def test_mistakes_are_one_sentence(house: SmallHouse) -> None:
    for account, symbol, what in (
        ("nobody", BANK, "no account 'nobody'; accounts: judge"),
        ("judge", STAR, "no position in 688981.SSE; it holds 601988.SSE"),
    ):
        for act in (house.engine.take_over, house.engine.hand_back):
            with pytest.raises(ConfigError, match=what):
                act(account, symbol)
    with pytest.raises(ConfigError, match="was not taken over"):
        house.engine.hand_back("judge", BANK)
    house.engine.take_over("judge", BANK)
    with pytest.raises(ConfigError, match="taken over already"):
        house.engine.take_over("judge", BANK)


def test_what_waits_for_approval_there_lapses(journal: Path) -> None:
    with SmallHouse(journal, BOUGHT, approvals="entries") as house:
        house.buy(1000)
        [asked] = house.engine.pending_approvals()
        house.engine.approve(asked.id)
        house.events.drain()
        house.quote()
        house.buy(500)
        house.engine.take_over("judge", BANK)
        assert house.engine.pending_approvals() == []


def test_beside_it_the_app_trades_only_its_own_shares_where_that_is_allowed(journal: Path) -> None:
    execution = {"beside_external": True}
    with SmallHouse(journal, BOUGHT, execution=execution) as house:
        hold(house)
        house.engine.take_over("judge", BANK)
        lines = [line for line in propose(house, Action.BUY).lines if line.rule == "external_position"]
        assert [line.passed for line in lines] == [True]
        house.buy(500)
        assert house.held == {BANK: 1500}
        assert house.stop_state() == "ARMED"
        house.go("2025-03-05 10:00:00")
        house.quote(4.79)
        house.quote(4.79)
        assert house.held == {BANK: 1000}
        assert house.stop_state() == "none"
        assert house.engine.house.portfolio.books["judge"].external == {BANK: 1000}
