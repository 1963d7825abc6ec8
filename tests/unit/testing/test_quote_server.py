"""The stand-in of the quote services: what it says of a recorded day, in both services' words."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Event

import pytest

from vnpy_aiagent.data.quote_http import fetch_within
from vnpy_aiagent.data.quote_sources import SINA, TENCENT, Answer, QuoteSource, SourceFailed
from vnpy_aiagent.domain import MARKET_TZ, VirtualClock
from vnpy_aiagent.testing.quote_server import (
    DayTape,
    HourBar,
    QuoteDay,
    QuoteFault,
    QuoteServer,
    even_times,
    garbage,
    timed_out,
)

TEN = datetime(2025, 10, 30, 10, 0, tzinfo=MARKET_TZ)
SYMBOLS = ["600036.SSE", "688981.SSE"]


def bar(hour: int, minute: int, prices: tuple[float, float, float, float], volume: int) -> HourBar:
    start = TEN.replace(hour=hour, minute=minute)
    return HourBar(start, start + timedelta(hours=1), *prices, volume)


BARS = (bar(9, 30, (10.0, 10.6, 9.7, 10.3), 360_000), bar(10, 30, (10.4, 10.4, 10.2, 10.2), 36_000))
DAY = QuoteDay([DayTape(symbol, "招商银行", 9.9, BARS) for symbol in SYMBOLS])


@pytest.fixture(params=[SINA, TENCENT], ids=["sina", "tencent"])
def source(request: pytest.FixtureRequest) -> QuoteSource:
    found: QuoteSource = request.param
    return found


@pytest.fixture
def server(source: QuoteSource, monkeypatch: pytest.MonkeyPatch) -> Iterator[QuoteServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    kind = "sina" if source is SINA else "tencent"
    with QuoteServer(kind, DAY, VirtualClock(TEN)) as server:
        yield server


def ask(server: QuoteServer, source: QuoteSource, timeout: float = 5.0) -> Answer:
    url = source.at(server.url).url(SYMBOLS)
    return source.parse(fetch_within(url, source.headers, timeout, Event()), SYMBOLS)


def set_clock(server: QuoteServer, when: datetime) -> None:
    server.clock = VirtualClock(when)


def test_a_snapshot_is_what_the_recorded_hour_says(server: QuoteServer, source: QuoteSource) -> None:
    quotes = ask(server, source).quotes
    main, star = quotes["600036.SSE"], quotes["688981.SSE"]
    assert (main.name, main.at, main.prev_close, main.open) == ("招商银行", TEN, 9.9, 10.0)
    assert (main.low, main.high) == (9.7, 10.15), "half an hour in: past the low, half way up to the high"
    assert main.last == 10.15
    assert main.volume == star.volume == 180_000
    assert main.low <= main.turnover / main.volume <= main.high
    assert {level.price for level in (*main.bids, *main.asks)} == {0.0}, "no book was recorded"


def test_the_day_goes_on_over_its_hours(server: QuoteServer, source: QuoteSource) -> None:
    set_clock(server, TEN.replace(hour=14))
    quote = ask(server, source).quotes["600036.SSE"]
    assert (quote.last, quote.high, quote.low, quote.volume) == (10.2, 10.6, 9.7, 396_000)


def test_before_the_first_trade_there_is_no_volume(server: QuoteServer, source: QuoteSource) -> None:
    set_clock(server, TEN.replace(hour=9, minute=20))
    assert ask(server, source).quotes["600036.SSE"].volume == 0


def test_snapshots_move_every_three_seconds_and_stand_over_lunch() -> None:
    times = even_times(TEN)
    assert len(times) == 2 * (7200 // 3 + 1)
    found = DAY.snapshot("sh600036", TEN + timedelta(seconds=2))
    assert found is not None
    assert found[1].at == TEN
    noon = DAY.snapshot("sh600036", TEN.replace(hour=12))
    assert noon is not None
    assert noon[1].at == TEN.replace(hour=11, minute=30)


def test_a_price_follows_open_low_high_close() -> None:
    tape = DAY.tapes["sh600036"]
    legs = [tape.at(TEN.replace(hour=9, minute=30) + timedelta(minutes=n)).last for n in (2, 20, 40, 60)]
    assert legs == [9.97, 9.7, 10.6, 10.3]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (QuoteFault(status=403), "被拒绝（HTTP 403）"),
        (QuoteFault(status=429, retry_after=7), "被拒绝（HTTP 429）"),
        (garbage(), "不是行情"),
        (timed_out(), "没有答复"),
    ],
)
def test_a_fault_is_a_failed_source(
    server: QuoteServer, source: QuoteSource, fault: QuoteFault, reason: str
) -> None:
    server.fault = fault
    with pytest.raises(SourceFailed, match=reason) as failed:
        ask(server, source, timeout=0.5 if fault.delay else 5.0)
    assert failed.value.retry_after == fault.retry_after


def test_lag_half_a_list_and_a_slow_answer(server: QuoteServer, source: QuoteSource) -> None:
    server.fault = QuoteFault(lag=timedelta(minutes=10), half=True, delay=0.05)
    began = time.monotonic()
    answer = ask(server, source)
    assert time.monotonic() - began >= 0.05
    assert answer.quotes["600036.SSE"].at == TEN - timedelta(minutes=10)
    assert answer.bad == {"688981.SSE": "没有返回"}


def test_it_refuses_connections_and_comes_back_at_the_same_address(
    server: QuoteServer, source: QuoteSource
) -> None:
    address = server.url
    server.disconnect()
    with pytest.raises(SourceFailed, match="连接失败"):
        ask(server, source)
    server.reconnect()
    assert server.url == address
    assert len(ask(server, source).quotes) == 2
