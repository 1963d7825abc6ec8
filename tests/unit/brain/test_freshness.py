"""What counts as fresh, by tool, to the minute and to the session."""

from datetime import date, datetime, timedelta

import pytest
from decision_world import NOW

from vnpy_aiagent.brain.freshness import LONGEST_AGE, SESSIONS_BACK, is_fresh, newest, sessions_before
from vnpy_aiagent.brain.roles import ROLES, SHARED_TOOLS
from vnpy_aiagent.domain import MARKET_TZ, Evidence
from vnpy_aiagent.tools import ALL_TOOLS

MINUTE = timedelta(minutes=1)


def evidence(tool: str, at: datetime | None) -> Evidence:
    return Evidence(id="e1", tool=tool, arguments="{}", available_at=at, result="{}")


def close_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 15, tzinfo=MARKET_TZ)


@pytest.mark.parametrize("tool", LONGEST_AGE)
def test_data_of_an_age_is_fresh_up_to_that_age_and_not_longer(tool: str) -> None:
    edge = NOW - LONGEST_AGE[tool]
    assert is_fresh(evidence(tool, edge), NOW)
    assert not is_fresh(evidence(tool, edge - MINUTE), NOW)


@pytest.mark.parametrize("tool", SESSIONS_BACK)
def test_bars_are_fresh_from_the_last_closed_sessions_on(tool: str) -> None:
    """6 May 2024 follows five closed days: the session before is 30 April."""
    first = {1: date(2024, 4, 30), 3: date(2024, 4, 26)}[SESSIONS_BACK[tool]]
    assert is_fresh(evidence(tool, close_of(first)), NOW)
    assert not is_fresh(evidence(tool, close_of(first) - timedelta(days=1)), NOW)


@pytest.mark.parametrize("tool", [*LONGEST_AGE, *SESSIONS_BACK])
def test_nothing_undated_and_nothing_from_the_future_is_fresh(tool: str) -> None:
    assert not is_fresh(evidence(tool, None), NOW)
    assert not is_fresh(evidence(tool, NOW + MINUTE), NOW)


def test_accounts_portfolio_and_learnings_make_nothing_fresh() -> None:
    assert not any(is_fresh(evidence(tool, NOW), NOW) for tool in (*SHARED_TOOLS, "read_texts"))


def test_every_tool_of_a_role_has_an_age_and_every_age_a_tool() -> None:
    known = {*LONGEST_AGE, *SESSIONS_BACK}
    assert known == {tool for role in ROLES for tool in role.family}
    assert known | SHARED_TOOLS == set(ALL_TOOLS)


def test_a_night_after_midnight_still_has_its_quote_and_the_last_close() -> None:
    night = datetime(2024, 5, 11, 0, 30, tzinfo=MARKET_TZ)  # a Saturday, in Friday's night session
    assert is_fresh(evidence("get_quote", night - timedelta(hours=3)), night)
    assert is_fresh(evidence("get_bars", close_of(date(2024, 5, 10))), night)


def test_beyond_the_calendar_weekdays_are_counted() -> None:
    monday = date(2090, 1, 2)
    assert monday.weekday() == 0
    assert sessions_before(monday, 1) == date(2089, 12, 30)
    assert sessions_before(monday, 3) == date(2089, 12, 28)


def test_the_newest_of_several_is_told() -> None:
    found = [evidence("get_bars", NOW - MINUTE), evidence("get_quote", None), evidence("get_quote", NOW)]
    assert newest(found) == NOW
    assert newest(found[1:2]) is None
