"""Lessons: counted outcomes, smoothed, bounded, in quarantine until confirmed."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from vnpy_aiagent.domain import MARKET_TZ, Lesson, TradeRecord, say
from vnpy_aiagent.memory import LessonBook

AT = datetime(2024, 5, 6, 16, tzinfo=MARKET_TZ)
DAY = date(2024, 5, 6)


def trade(
    ratio: float, *, number: int = 0, account: str = "judge", setup: str = "trend", symbol: str = "600036.SSE"
) -> TradeRecord:
    day = DAY + timedelta(days=number)
    return TradeRecord(
        id=f"t{number}-{account}",
        at=AT,
        account=account,
        symbol=symbol,
        opened=day,
        closed=day + timedelta(days=3),
        volume=100,
        buy_price=Decimal(10),
        sell_price=Decimal(11),
        fees=Decimal(10),
        pnl=Decimal(90),
        return_ratio=ratio,
        sessions=3,
        setup=setup,
        regime="UP",
        confidence=0.7,
        proposal_id=None,
        exit_reason=say("止损"),
    )


def lesson(setup: str, regime: str, outcomes: int) -> Lesson:
    return Lesson(
        id=f"l-{setup}-{regime}",
        at=AT,
        setup=setup,
        regime=regime,
        wins=outcomes,
        losses=0,
        mean_return=0.01,
        adjustment=0.0,
        confirmed=False,
        trades=(),
        text=say("x"),
    )


@pytest.mark.parametrize(
    ("wins", "losses", "adjustment"),
    [
        (1, 0, 0.0833),  # (2/3 - 1/2) x 0.5
        (0, 1, -0.0833),
        (1, 1, 0.0),
        (2, 1, 0.05),  # (3/5 - 1/2) x 0.5
        (9, 0, 0.10),  # (10/11 - 1/2) x 0.5 = 0.2045, bounded
        (0, 9, -0.20),  # -0.2045, bounded
        (0, 2, -0.125),
    ],
)
def test_the_adjustment_is_the_smoothed_win_rate_within_bounds(
    wins: int, losses: int, adjustment: float
) -> None:
    book = LessonBook()
    for number in range(wins + losses):
        book.add_trade(trade(0.05 if number < wins else -0.02, number=number))
    (draft,) = book.drafts()
    assert (draft.wins, draft.losses, draft.adjustment) == (wins, losses, adjustment)
    assert draft.mean_return == pytest.approx((0.05 * wins - 0.02 * losses) / (wins + losses), abs=1e-6)


def test_a_lesson_is_confirmed_from_three_samples_on() -> None:
    book, confirmed = LessonBook(), []
    for number in range(4):
        book.add_trade(trade(0.01, number=number))
        confirmed.append(book.drafts()[0].confirmed)
    assert confirmed == [False, False, True, True]


def test_the_same_idea_by_three_accounts_counts_once_by_its_mean() -> None:
    book = LessonBook()
    for account, ratio in (("aggressive", 0.09), ("conservative", -0.03), ("judge", 0.0)):
        book.add_trade(trade(ratio, account=account))
    (draft,) = book.drafts()
    assert (draft.wins, draft.losses, draft.mean_return) == (1, 0, 0.02)
    assert not draft.confirmed
    assert len(draft.trades) == 3


def test_other_symbols_and_other_days_are_other_samples() -> None:
    book = LessonBook()
    book.add_trade(trade(0.01))
    book.add_trade(trade(0.01, symbol="600519.SSE"))
    book.add_trade(trade(0.01, number=1))
    assert book.drafts()[0].wins == 3


def test_a_trade_without_gain_is_no_win() -> None:
    book = LessonBook()
    book.add_trade(trade(0.0))
    assert book.drafts()[0].losses == 1


def test_drafts_come_only_for_groups_that_gained_trades() -> None:
    book = LessonBook()
    assert book.drafts() == []
    book.add_trade(trade(0.01))
    book.add_trade(trade(0.01, setup="breakout"))
    assert [draft.setup for draft in book.drafts()] == ["breakout", "trend"]
    assert book.drafts() == []
    book.add_trade(trade(0.01, number=1))
    assert [(draft.setup, draft.wins) for draft in book.drafts()] == [("trend", 2)]


def test_the_sentence_shows_its_figures() -> None:
    book = LessonBook()
    book.add_trade(trade(-0.02))
    text = str(book.drafts()[0].text)
    assert text == "trend 形态在 UP 行情：0 胜 1 负，平均收益 -2.00%，把握调整 -0.083"


def test_recent_lessons_begin_with_the_regime_then_the_most_outcomes() -> None:
    book = LessonBook()
    for setup, regime, outcomes in (("a", "DOWN", 9), ("b", "UP", 1), ("c", "UP", 5), ("a", "DOWN", 8)):
        book.add_lesson(lesson(setup, regime, outcomes))
    assert [(x.setup, x.wins) for x in book.recent("UP")] == [("c", 5), ("b", 1), ("a", 8)]
    assert [x.setup for x in book.recent("UP", limit=1)] == ["c"]
