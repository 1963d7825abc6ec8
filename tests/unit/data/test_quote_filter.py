"""Which quotes become ticks, and at which hours they are asked for."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from vnpy_aiagent.data.quote_filter import QuoteFilter, Session, Verdict
from vnpy_aiagent.data.quote_hours import QuoteHours
from vnpy_aiagent.data.quote_sources import Level, Quote
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.market import default_calendar

DAY = "2025-11-19"  # a Wednesday
EMPTY = (Level(0, 0),) * 5


def moment(text: str, day: str = DAY) -> datetime:
    return datetime.fromisoformat(f"{day} {text}").replace(tzinfo=MARKET_TZ)


def quote(at: datetime, source: str = "sina", last: float = 10.0, volume: int = 1_000) -> Quote:
    return Quote(
        vt_symbol="600000.SSE",
        source=source,
        name="浦发银行",
        at=at,
        last=last,
        open=10.0,
        high=10.1,
        low=9.9,
        prev_close=10.0,
        volume=volume,
        turnover=10_000.0,
        bids=EMPTY,
        asks=EMPTY,
    )


def at(text: str) -> Session:
    session = QuoteHours(default_calendar()).session(moment(text))
    assert session is not None
    return session


def make_filter() -> QuoteFilter:
    return QuoteFilter(timedelta(seconds=60))


def verdict(judge: QuoteFilter, a_quote: Quote, session: Session) -> Verdict:
    found = judge.sort([a_quote], session)
    return next(name for name, quotes in found.items() if quotes)


@pytest.mark.parametrize(
    ("quoted", "now", "expected"),
    [
        ("10:00:00", "10:00:02", Verdict.FRESH),
        ("10:00:00", "10:01:00", Verdict.FRESH),
        ("10:00:00", "10:01:01", Verdict.STALE),
        ("10:02:01", "10:01:00", Verdict.AHEAD),
        ("11:29:59", "13:00:30", Verdict.FRESH),  # the pause is not held against it
        ("11:29:59", "13:01:01", Verdict.STALE),
        ("14:56:30", "14:59:00", Verdict.FRESH),  # no trades in the closing auction
        ("09:25:00", "09:29:00", Verdict.FRESH),
    ],
)
def test_the_age_of_a_quote_is_judged_in_continuous_trading(quoted: str, now: str, expected: Verdict) -> None:
    assert verdict(make_filter(), quote(moment(quoted)), at(now)) is expected


def test_a_quote_is_published_once() -> None:
    judge, same = make_filter(), quote(moment("10:00:00"))
    assert verdict(judge, same, at("10:00:01")) is Verdict.FRESH
    assert verdict(judge, same, at("10:00:04")) is Verdict.SAME
    assert verdict(judge, quote(moment("10:00:03")), at("10:00:07")) is Verdict.FRESH


def test_time_that_goes_backwards_is_no_new_price() -> None:
    judge = make_filter()
    assert verdict(judge, quote(moment("10:00:10")), at("10:00:11")) is Verdict.FRESH
    assert verdict(judge, quote(moment("10:00:07")), at("10:00:14")) is Verdict.BACKWARDS
    assert verdict(judge, quote(moment("10:00:07"), source="tencent"), at("10:00:14")) is Verdict.SAME
    assert verdict(judge, quote(moment("10:00:13")), at("10:00:17")) is Verdict.FRESH


@pytest.mark.parametrize(("last", "volume"), [(0.0, 0), (10.0, 0), (0.0, 100)])
def test_without_a_trade_today_there_is_no_price(last: float, volume: int) -> None:
    silent = quote(moment("10:00:00"), last=last, volume=volume)
    assert verdict(make_filter(), silent, at("10:00:01")) is Verdict.UNTRADED


def test_a_quote_of_an_earlier_day_is_not_published_in_session() -> None:
    yesterday = quote(moment("15:00:00", "2025-11-18"))
    assert verdict(make_filter(), yesterday, at("09:20:00")) is Verdict.OLD_DAY
    assert verdict(make_filter(), yesterday, at("10:00:00")) is Verdict.STALE


def test_outside_the_session_the_last_price_keeps_its_own_time() -> None:
    session = QuoteHours(default_calendar(), always=True).session(moment("10:00:00", "2025-11-22"))
    assert session is not None
    assert session.continuous_since is None
    assert verdict(make_filter(), quote(moment("15:00:00", "2025-11-21")), session) is Verdict.FRESH


def test_a_source_is_stale_where_no_traded_quote_is_recent() -> None:
    judge, session = make_filter(), at("10:05:00")
    old, new = quote(moment("10:00:00")), quote(moment("10:04:59"))
    untraded = replace(old, volume=0)
    assert judge.all_stale([old, untraded], session)
    assert not judge.all_stale([old, new], session)
    assert not judge.all_stale([untraded], session)


@pytest.mark.parametrize(
    ("now", "polls"),
    [
        ("09:09:59", False),
        ("09:10:00", True),
        ("11:35:00", True),
        ("11:35:01", False),
        ("12:54:59", False),
        ("12:55:00", True),
        ("15:05:00", True),
        ("15:05:01", False),
    ],
)
def test_quotes_are_asked_for_around_the_sessions(now: str, polls: bool) -> None:
    assert (QuoteHours(default_calendar()).session(moment(now)) is not None) is polls


@pytest.mark.parametrize("day", ["2025-10-01", "2025-11-22"])
def test_no_quotes_are_asked_for_on_closed_days(day: str) -> None:
    assert QuoteHours(default_calendar()).session(moment("10:00:00", day)) is None


@pytest.mark.parametrize(("day", "polls"), [("2031-03-03", True), ("2031-03-01", False)])
def test_past_the_known_calendar_weekdays_count(day: str, polls: bool) -> None:
    hours = QuoteHours(default_calendar())
    now = moment("10:00:00", day)
    assert not hours.knows(now)
    assert (hours.session(now) is not None) is polls
