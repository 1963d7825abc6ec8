"""Whatever a service sends, it is read as sound quotes or refused; nothing else happens."""

from hypothesis import given
from hypothesis import strategies as st

from vnpy_aiagent.data.quote_sources import SINA, TENCENT, QuoteSource, SourceFailed

SYMBOLS = ["600000.SSE", "000001.SZSE"]
SINA_BODY = "".join(
    f'var hq_str_{code}="{name},10.0,9.95,10.0,10.1,9.8,9.99,10.01,123400,1234000.5,{"100,9.99," * 10}'
    '2025-11-19,10:00:00,00";\n'
    for code, name in (("sh600000", "浦发银行"), ("sz000001", "平安银行"))
).encode("gbk")
TENCENT_BODY = "".join(
    f'v_{code}="1~{name}~{code[2:]}~10.0~9.95~10.0~1234~0~0~{"9.99~1~" * 10}~20251119100000~0~0~10.1~9.8'
    '~10.0/1234/1234000~1234~123.4~";\n'
    for code, name in (("sh600000", "浦发银行"), ("sz000001", "平安银行"))
).encode("gbk")

SERVICES = st.sampled_from([(SINA, SINA_BODY), (TENCENT, TENCENT_BODY)])


def read(source: QuoteSource, body: bytes) -> int:
    """Read an answer and check every quote in it; how many there are."""
    try:
        answer = source.parse(body, SYMBOLS)
    except SourceFailed:
        return 0
    for quote in answer.quotes.values():
        assert quote.prev_close > 0
        assert quote.volume >= 0
        assert quote.turnover >= 0
        assert quote.at.tzinfo is not None
        assert not (quote.last > 0 and quote.volume > 0) or quote.low <= quote.last <= quote.high
    return len(answer.quotes)


def test_the_undamaged_answers_hold_both_symbols() -> None:
    assert read(SINA, SINA_BODY) == read(TENCENT, TENCENT_BODY) == 2


@given(SERVICES, st.integers(0, 400), st.binary(max_size=12), st.integers(0, 40))
def test_a_damaged_answer_gives_sound_quotes_or_none(
    service: tuple[QuoteSource, bytes], start: int, put: bytes, cut: int
) -> None:
    source, body = service
    read(source, body[:start] + put + body[start + cut :])


@given(SERVICES, st.integers(0, 600))
def test_a_cut_answer_gives_no_more_than_its_whole_rows(
    service: tuple[QuoteSource, bytes], length: int
) -> None:
    source, body = service
    assert read(source, body[:length]) <= body[:length].count(b'";')


@given(st.sampled_from([SINA, TENCENT]), st.binary(max_size=300))
def test_any_bytes_are_refused_without_fuss(source: QuoteSource, body: bytes) -> None:
    assert read(source, body) == 0
