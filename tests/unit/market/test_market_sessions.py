"""Phases of the day by board and date."""

from datetime import UTC, date, datetime, timedelta

import pytest

from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.errors import RuleUnknown
from vnpy_aiagent.market import (
    Board,
    Phase,
    default_calendar,
    is_continuous,
    next_continuous,
    phase_at,
    session_close,
    session_open,
)

CALENDAR = default_calendar()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MARKET_TZ)


@pytest.mark.parametrize(
    ("clock", "phase"),
    [
        ("00:00", Phase.PRE_OPEN),
        ("09:14:59", Phase.PRE_OPEN),
        ("09:15", Phase.OPENING_AUCTION),
        ("09:25", Phase.OPENING_PAUSE),
        ("09:30", Phase.CONTINUOUS_AM),
        ("11:29:59", Phase.CONTINUOUS_AM),
        ("11:30", Phase.LUNCH),
        ("13:00", Phase.CONTINUOUS_PM),
        ("14:56:59", Phase.CONTINUOUS_PM),
        ("14:57", Phase.CLOSING_AUCTION),
        ("15:00", Phase.CLOSED),
        ("15:05", Phase.CLOSED),
        ("23:59", Phase.CLOSED),
    ],
)
def test_the_phases_of_an_ordinary_day(clock: str, phase: Phase) -> None:
    assert phase_at(CALENDAR, Board.SSE_MAIN, at(f"2024-01-02T{clock}")) is phase


@pytest.mark.parametrize(
    ("board", "exchange", "day", "auction"),
    [
        (Board.SSE_MAIN, "SSE", "2018-08-17", False),
        (Board.SSE_MAIN, "SSE", "2018-08-20", True),
        (Board.SZSE_MAIN, "SZSE", "2006-06-30", False),
        (Board.SZSE_MAIN, "SZSE", "2006-07-03", True),
        (Board.CHINEXT, "SZSE", "2010-01-04", True),
        (Board.STAR, "SSE", "2019-07-22", True),
        (Board.BSE, "BSE", "2021-11-15", True),
        (Board.ETF, "SSE", "2026-07-03", False),
        (Board.ETF, "SSE", "2026-07-06", True),
        (Board.ETF, "SZSE", "2024-01-02", True),
    ],
)
def test_the_closing_auction_begins_by_board_and_day(
    board: Board, exchange: str, day: str, auction: bool
) -> None:
    expected = Phase.CLOSING_AUCTION if auction else Phase.CONTINUOUS_PM
    assert phase_at(CALENDAR, board, at(f"{day}T14:58"), exchange) is expected


@pytest.mark.parametrize(
    ("board", "day", "open_"),
    [
        (Board.STAR, "2019-07-22", True),
        (Board.CHINEXT, "2020-08-21", False),
        (Board.CHINEXT, "2020-08-24", True),
        (Board.SSE_MAIN, "2026-07-03", False),
        (Board.SSE_MAIN, "2026-07-06", True),
        (Board.SZSE_MAIN, "2026-07-06", True),
        (Board.ETF, "2026-07-03", False),
        (Board.ETF, "2026-07-06", True),
    ],
)
def test_fixed_price_trading_after_hours_begins_by_board_and_day(board: Board, day: str, open_: bool) -> None:
    phases = [
        phase_at(CALENDAR, board, at(f"{day}T{clock}")) for clock in ("15:04", "15:05", "15:29", "15:30")
    ]
    during = Phase.AFTER_HOURS if open_ else Phase.CLOSED
    assert phases == [Phase.CLOSED, during, during, Phase.CLOSED]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2024-01-02T10:00", "2024-01-02T10:00"),
        ("2024-01-02T08:00", "2024-01-02T09:30"),
        ("2024-01-02T09:20", "2024-01-02T09:30"),
        ("2024-01-02T09:26", "2024-01-02T09:30"),
        ("2024-01-02T11:35", "2024-01-02T13:00"),
        ("2024-01-02T14:58", "2024-01-03T09:30"),
        ("2024-01-02T15:05", "2024-01-03T09:30"),
        ("2024-02-08T15:05", "2024-02-19T09:30"),
        ("2024-02-10T10:00", "2024-02-19T09:30"),
    ],
)
def test_an_order_waits_for_the_next_continuous_trading(when: str, expected: str) -> None:
    assert next_continuous(CALENDAR, Board.SSE_MAIN, at(when)) == at(expected)


def test_continuous_trading_runs_in_the_morning_and_the_afternoon_alone() -> None:
    moments = [session_open(date(2024, 1, 2)) + timedelta(minutes=30 * n) for n in range(12)]
    running = [is_continuous(CALENDAR, Board.STAR, moment) for moment in moments]
    assert running == [True] * 4 + [False] * 3 + [True] * 4 + [False]


def test_a_moment_in_another_zone_is_read_in_market_time() -> None:
    assert phase_at(CALENDAR, Board.STAR, datetime(2024, 1, 2, 2, 0, tzinfo=UTC)) is Phase.CONTINUOUS_AM
    with pytest.raises(ValueError, match="time zone"):
        phase_at(CALENDAR, Board.STAR, at("2024-01-02T10:00").replace(tzinfo=None))


def test_hours_that_are_not_known_are_refused() -> None:
    for board, hint in ((Board.FUTURES, "by its product"), (Board.CONVERTIBLE_BOND, "not confirmed")):
        with pytest.raises(RuleUnknown, match=hint):
            phase_at(CALENDAR, board, at("2024-01-02T10:00"))


def test_a_session_opens_and_closes_in_market_time() -> None:
    assert session_open(date(2024, 1, 2)) == at("2024-01-02T09:30")
    assert session_close(date(2024, 1, 2)) == at("2024-01-02T15:00")
