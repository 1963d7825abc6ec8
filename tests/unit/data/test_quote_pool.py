"""Failover between sources, back-off, and the return to the preferred one."""

from collections.abc import Callable, Mapping
from random import Random

import pytest

from vnpy_aiagent.data.quote_pool import SourcePool
from vnpy_aiagent.data.quote_sources import SINA, TENCENT, Answer, SourceFailed

SYMBOL = "000001.SZSE"
SINA_BODY = (
    'var hq_str_sz000001="平安银行,10.920,10.980,11.080,11.120,10.900,11.070,11.080,109574268,1210838024.380,'
    + "100,11.070," * 10
    + '2026-07-23,14:36:00,00";'
).encode("gbk")
TENCENT_BODY = (
    'v_sz000001="51~平安银行~000001~11.22~11.08~11.10~1000~400~600~11.21~10~11.20~20~11.19~30~11.18~40~11.17~50'
    "~11.22~11~11.23~21~11.24~31~11.25~41~11.26~51~~20260723094908~0.14~1.26~11.30~11.01~11.22/1000/1122000~"
    '1000~112~";'
).encode("gbk")

Reply = bytes | SourceFailed


class Web:
    """Two services whose replies a test sets, and a clock of its own."""

    def __init__(self) -> None:
        self.sina: Reply = SINA_BODY
        self.tencent: Reply = TENCENT_BODY
        self.asked: list[str] = []
        self.seconds = 100.0

    def fetch(self, url: str, headers: Mapping[str, str]) -> bytes:
        name = "sina" if "sinajs" in url else "tencent"
        self.asked.append(name)
        reply = self.sina if name == "sina" else self.tencent
        if isinstance(reply, SourceFailed):
            raise reply
        return reply

    def pool(self) -> SourcePool:
        return SourcePool((SINA, TENCENT), self.fetch, lambda: self.seconds, Random(7))


def never(_: Answer) -> str:
    return ""


def source_of(pool: SourcePool, doubt: Callable[[Answer], str] = never) -> str | None:
    answer = pool.poll([SYMBOL], doubt).answer
    return answer.source if answer else None


def test_one_request_goes_to_the_preferred_source() -> None:
    web = Web()
    assert source_of(web.pool()) == "sina"
    assert web.asked == ["sina"]


def test_the_second_source_answers_in_the_same_poll() -> None:
    web = Web()
    web.sina = SourceFailed("连接失败")
    polled = web.pool().poll([SYMBOL], never)
    assert polled.answer is not None
    assert polled.answer.quotes[SYMBOL].last == 11.22
    assert polled.failures == (("新浪", "连接失败"),)


def test_the_preferred_source_is_left_alone_and_then_used_again() -> None:
    web, pool = Web(), None
    web.sina = SourceFailed("连接失败")
    pool = web.pool()
    assert source_of(pool) == "tencent"
    web.sina = SINA_BODY
    web.seconds += 2.0
    assert source_of(pool) == "tencent"
    assert web.asked == ["sina", "tencent", "tencent"]
    web.seconds += 2.0
    assert source_of(pool) == "sina"


@pytest.mark.parametrize(("refused", "first", "longest"), [(False, 3.0, 60.0), (True, 15.0, 900.0)])
def test_pauses_double_up_to_a_bound_with_jitter(refused: bool, first: float, longest: float) -> None:
    web = Web()
    web.sina = web.tencent = SourceFailed("被拒绝", refused=refused)
    pool = web.pool()
    pauses = []
    for _ in range(12):
        assert source_of(pool) is None
        pauses.append(pool.seconds_blocked())
        web.seconds += 2 * longest
    assert first * 0.75 <= pauses[0] <= first * 1.25
    assert first * 1.5 <= pauses[1] <= first * 2.5
    assert all(longest * 0.75 <= pause <= longest * 1.25 for pause in pauses[-4:])
    assert len(set(pauses[-4:])) > 1


def test_a_pause_that_the_server_asks_for_is_kept() -> None:
    web = Web()
    web.sina = web.tencent = SourceFailed("被拒绝", refused=True, retry_after=300.0)
    pool = web.pool()
    assert source_of(pool) is None
    assert pool.seconds_blocked() == 300.0


def test_a_success_forgets_earlier_failures() -> None:
    web = Web()
    pool = SourcePool((SINA,), web.fetch, lambda: web.seconds, Random(7))
    for _ in range(4):
        web.sina = SourceFailed("连接失败")
        pool.poll([SYMBOL], never)
        web.seconds += 100.0
    web.sina = SINA_BODY
    pool.poll([SYMBOL], never)
    web.sina = SourceFailed("连接失败")
    pool.poll([SYMBOL], never)
    assert pool.seconds_blocked() <= 3.75


def test_while_all_pause_nobody_is_asked() -> None:
    web = Web()
    web.sina = web.tencent = SourceFailed("被拒绝", refused=True)
    pool = web.pool()
    pool.poll([SYMBOL], never)
    polled = pool.poll([SYMBOL], never)
    assert (polled.answer, polled.failures) == (None, ())
    assert web.asked == ["sina", "tencent"]


def test_an_answer_in_doubt_gives_way_to_a_better_one() -> None:
    web = Web()
    pool = web.pool()
    polled = pool.poll([SYMBOL], lambda answer: "过期" if answer.source == "sina" else "")
    assert polled.answer is not None
    assert (polled.answer.source, polled.failures) == ("tencent", (("新浪", "过期"),))
    assert source_of(pool) == "tencent"
    assert web.asked == ["sina", "tencent", "tencent"]


def test_where_all_are_in_doubt_the_preferred_answer_is_kept() -> None:
    web = Web()
    pool = web.pool()
    polled = pool.poll([SYMBOL], lambda _: "过期")
    assert polled.answer is not None
    assert (polled.answer.source, polled.failures) == ("sina", ())
    assert pool.seconds_blocked() == 0


@pytest.mark.parametrize(("symbols", "requests"), [(800, 1), (801, 2)])
def test_one_request_carries_eight_hundred_symbols(symbols: int, requests: int) -> None:
    urls: list[str] = []

    def fetch(url: str, headers: Mapping[str, str]) -> bytes:
        urls.append(url)
        codes = url.partition("list=")[2].split(",")
        return "".join(f'var hq_str_{code}="";\n' for code in codes).encode()

    wanted = [f"{600000 + n}.SSE" for n in range(symbols)]
    answer = SourcePool((SINA,), fetch).poll(wanted, never).answer
    assert answer is not None
    assert len(answer.unknown) == symbols
    assert len(urls) == requests
