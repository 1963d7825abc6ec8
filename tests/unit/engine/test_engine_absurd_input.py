"""Absurd ticks, prices and texts of people: none moves the market, stops a halt or stays unanswered."""

import json
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.config import Job
from vnpy_aiagent.domain import Side, Signal, StateChanged, TradingState, say
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.market.sessions import session_close
from vnpy_aiagent.store.inbox import Command

from .small_house import BANK, SmallHouse

DAY, NEXT = "2025-07-10", "2025-07-11"
BYTES = "券商\udcff故障"


@pytest.fixture
def house(tmp_path: Path) -> SmallHouse:
    """Shares bought yesterday, with a stop at 4.80."""
    with SmallHouse(tmp_path / "journal.db", f"{DAY}T10:00") as before:
        before.buy(1000)
    return SmallHouse(tmp_path / "journal.db", f"{NEXT}T10:00")


@pytest.mark.parametrize(
    ("price", "stamp"),
    [(4.49, ""), (5.51, ""), (1e300, ""), (float("inf"), ""), (-1.0, ""), (4.79, "2026-07-11T10:00")],
)
def test_an_absurd_tick_moves_nothing_and_is_told_once(house: SmallHouse, price: float, stamp: str) -> None:
    with house:
        house.quote(5.0)
        for _ in range(2):
            house.tick(price, stamp=stamp)
        assert house.engine.house.portfolio.quotes.last_prices[BANK] == 5
        assert (house.stop_state(), list(house.engine.tick_gate.absurd.values())) == ("ARMED", [2])
        assert len([text for text in house.engine._alerts if "不合理" in text.render()]) == 1
        house.tick(4.79)
        assert house.stop_state() != "ARMED"


def test_a_halt_with_a_reason_that_is_no_text_cancels_and_is_known_after_a_restart(house: SmallHouse) -> None:
    with house:
        waiting_buy(house)
        house.engine.halt(BYTES)
        house.events.drain()
        assert not house.engine.parts.exchange.account("judge").orders  # type: ignore[union-attr]
        assert house.said(StateChanged)[-1].reason == "券商\ufffd故障"
    with SmallHouse(house.journal, f"{NEXT}T11:00") as after:
        assert after.engine.control.state is TradingState.HALTED


def test_a_halt_that_cannot_be_journaled_cancels_all_the_same(
    house: SmallHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ValueError("no journal")

    with house:
        waiting_buy(house)
        with monkeypatch.context() as broken:
            broken.setattr(house.engine, "_take", fail)
            with pytest.raises(ValueError, match="no journal"):
                house.engine.halt("trouble")
        house.events.drain()
        assert not house.engine.parts.exchange.account("judge").orders  # type: ignore[union-attr]


@pytest.mark.parametrize("price", ["1e30", "1e7", "NaN", "Infinity", "-1", "0"])
def test_an_absurd_price_of_a_person_is_refused(house: SmallHouse, price: str) -> None:
    with house:
        house.quote(5.0)
        with pytest.raises(ConfigError, match="is no price"):
            house.engine.move_stop("judge", BANK, Decimal(price))
        house.engine.take_over("judge", BANK)
        answers: list[str] = []
        house.engine._answer = lambda _, result: answers.append(result)  # type: ignore[method-assign]
        args = {"account": "judge", "symbol": BANK, "stop": price}
        house.engine._on_command(Command(1, "hand_back", args, "aiagent", ""))
        assert "is no price" in json.loads(answers[0])["error"]


def test_a_job_at_a_time_with_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        Job(name="a", at=time.fromisoformat("01:35Z"), task="note")


def waiting_buy(house: SmallHouse) -> None:
    """An order that works in the market."""
    house.quote(5.0)
    house.engine.bus.post(
        Signal,
        EVENT_AI_SIGNAL,
        cause=None,
        account="judge",
        symbol=BANK,
        side=Side.BUY,
        volume=1000,
        limit=Decimal("4.90"),
        low=Decimal("4.85"),
        high=Decimal("4.90"),
        stop=Decimal("4.70"),
        triggers=(),
        reason=say("测试"),
        valid_until=session_close(house.clock.now().date()),
    )
    house.events.drain()
    assert house.engine.parts.exchange.account("judge").orders  # type: ignore[union-attr]
