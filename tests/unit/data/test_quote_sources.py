"""Answers of the two snapshot services, in recorded shapes, read into shares, CNY and market time."""

from datetime import datetime

import pytest

from vnpy_aiagent.data.quote_sources import SINA, TENCENT, Level, Quote, QuoteSource, SourceFailed, decode
from vnpy_aiagent.domain.clock import MARKET_TZ

SINA_BANK = (
    'var hq_str_sz000001="平安银行,10.920,10.980,11.080,11.120,10.900,11.070,11.080,109574268,1210838024.380,'
    "238200,11.070,173100,11.060,441300,11.050,88100,11.040,163594,11.030,15464,11.080,689371,11.090,2364064,"
    '11.100,1244300,11.110,2108997,11.120,2026-07-23,14:36:00,00,D|21253|235483.240";'
)
SINA_STAR_AT_LIMIT = (
    'var hq_str_sh688047="龙芯中科,106.000,99.680,119.620,119.620,104.500,119.620,0.000,8256723,'
    "938310086.000,25600,119.620,7255,119.610,3033,119.600,1767,119.570,6300,119.550,0,0.000,0,0.000,0,0.000,"
    "0,0.000,0,0.000,"
    '2024-09-30,15:00:01,00,";'
)
SINA_BSE = (
    'var hq_str_bj920118="太湖远大,16.440,16.530,17.260,17.360,16.380,17.250,17.260,588716,9976849.670,75313,'
    "17.250,378,17.240,1000,17.230,500,17.150,2500,17.020,2038,17.260,7183,17.280,3002,17.290,1113,17.300,1200,"
    '17.320,2026-07-23,15:30:02,00,33.2261,0.0000,0,8300000,B,T";'
)
SINA_SUSPENDED = (
    'var hq_str_sz000029="深深房Ａ,0.000,11.170,0.000,0.000,0.000,0.000,0.000,0,0.000,'
    + "0,0.000," * 10
    + '2026-07-23,14:36:00,03";'
)
TENCENT_MAIN = (
    'v_sh600396="1~华电辽能~600396~15.47~14.92~15.30~1775070~821130~950794~15.47~212~15.46~95~15.45~64~15.44~3'
    "~15.43~375~15.49~49~15.50~2721~15.51~241~15.52~450~15.53~86~~20260723094907~0.55~3.69~15.88~14.85~"
    '15.47/1775070/2729507908~1775070~272951~";'
)
TENCENT_STAR = (
    'v_sh688256="1~寒武纪~688256~1378.10~1300.00~1292.30~16559805~9275043~7284762~1378.10~143~1378.08~102~'
    "1378.05~13~1378.04~2~1378.02~18~1378.35~2~1378.50~2~1379.88~2~1379.90~12~1379.92~2~~20260603155049~78.10"
    '~6.01~1428.01~1291.00~1378.10/16559805/22683725029~16559805~2268373~2.64~318.68~";'
)
TENCENT_BSE = (
    'v_bj920118="62~太湖远大~920118~16.91~16.53~16.44~3240~1810~1430~16.82~1~16.81~4~16.80~12~16.73~4~16.72~8~'
    "16.93~30~16.94~2~16.95~8~16.97~5~16.98~10~~20260723114602~0.38~2.30~16.99~16.38~16.91/3240/5425465~3240~"
    '542.55~";'
)
TENCENT_FUND = (
    'v_sh510300="1~沪深300ETF华泰柏瑞~510300~5.048~4.967~4.973~26406087~6844264~19561823~5.048~296~5.047~1484~'
    "5.046~338~5.045~4822~5.044~4531~5.049~215~5.050~13282~5.051~324~5.052~4375~5.053~8116~~20260625161456~"
    '0.081~1.63~5.055~4.966~5.048/26406087/13252886361~26406087~1325289~12.73";'
)


def one(source: QuoteSource, row: str, vt_symbol: str) -> Quote:
    answer = source.parse((row + "\n").encode("gbk"), [vt_symbol])
    assert not answer.bad
    return answer.quotes[vt_symbol]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MARKET_TZ)


def test_sina_counts_shares_and_cny() -> None:
    quote = one(SINA, SINA_BANK, "000001.SZSE")
    assert (quote.name, quote.source, quote.at) == ("平安银行", "sina", moment("2026-07-23 14:36:00"))
    assert (quote.open, quote.high, quote.low, quote.last) == (10.92, 11.12, 10.9, 11.08)
    assert (quote.prev_close, quote.volume, quote.turnover) == (10.98, 109_574_268, 1_210_838_024.38)
    assert quote.bids == tuple(
        Level(price, volume)
        for price, volume in (
            (11.07, 238_200),
            (11.06, 173_100),
            (11.05, 441_300),
            (11.04, 88_100),
            (11.03, 163_594),
        )
    )
    assert quote.asks[0] == Level(11.08, 15_464)
    assert quote.asks[4] == Level(11.12, 2_108_997)


def test_an_empty_side_of_the_book_stays_empty() -> None:
    quote = one(SINA, SINA_STAR_AT_LIMIT, "688047.SSE")
    assert quote.asks == (Level(0, 0),) * 5
    assert quote.volume == 8_256_723


def test_a_suspended_share_has_a_name_and_no_price() -> None:
    quote = one(SINA, SINA_SUSPENDED, "000029.SZSE")
    assert (quote.name, quote.last, quote.volume, quote.prev_close) == ("深深房A", 0, 0, 11.17)


def test_tencent_hands_become_shares_and_its_exact_turnover_is_used() -> None:
    quote = one(TENCENT, TENCENT_MAIN, "600396.SSE")
    assert (quote.name, quote.source, quote.at) == ("华电辽能", "tencent", moment("2026-07-23 09:49:07"))
    assert (quote.last, quote.prev_close, quote.open) == (15.47, 14.92, 15.30)
    assert (quote.high, quote.low) == (15.88, 14.85)
    assert (quote.volume, quote.turnover) == (177_507_000, 2_729_507_908)
    assert (quote.bids[0], quote.bids[4]) == (Level(15.47, 21_200), Level(15.43, 37_500))
    assert (quote.asks[0], quote.asks[4]) == (Level(15.49, 4_900), Level(15.53, 8_600))


def test_tencent_counts_the_volume_of_star_in_shares_already() -> None:
    quote = one(TENCENT, TENCENT_STAR, "688256.SSE")
    assert quote.volume == 16_559_805
    assert quote.low <= quote.turnover / quote.volume <= quote.high
    assert quote.asks[0] == Level(1378.35, 200)


def test_turnover_decides_the_unit_of_a_volume_on_any_board() -> None:
    in_shares = TENCENT_MAIN.replace("1775070~272951", "177507000~272951")
    assert one(TENCENT, in_shares, "600396.SSE").volume == 177_507_000


@pytest.mark.parametrize(
    ("row", "vt_symbol", "volume"),
    [(TENCENT_BSE, "920118.BSE", 324_000), (TENCENT_FUND, "510300.SSE", 2_640_608_700)],
)
def test_tencent_counts_hands_on_bse_and_for_funds(row: str, vt_symbol: str, volume: int) -> None:
    assert one(TENCENT, row, vt_symbol).volume == volume


def test_both_sources_know_bse() -> None:
    assert one(SINA, SINA_BSE, "920118.BSE").volume == 588_716


@pytest.mark.parametrize(
    ("turnover", "expected"),
    [("15.47/1775070/2729507908~1775070~999", 9_990_000), ("~1775070~272951", 2_729_510_000)],
)
def test_an_exact_turnover_that_contradicts_the_rounded_one_is_not_used(
    turnover: str, expected: float
) -> None:
    row = TENCENT_MAIN.replace("15.47/1775070/2729507908~1775070~272951", turnover)
    assert one(TENCENT, row, "600396.SSE").turnover == expected


@pytest.mark.parametrize(("symbol", "unit"), [("600396.SSE", 100), ("688047.SSE", 1)])
def test_a_volume_that_fits_no_price_is_read_in_the_units_of_the_board(symbol: str, unit: int) -> None:
    row = TENCENT_MAIN.replace("600396", symbol[:6]).replace("2729507908", "7").replace("~272951~", "~0~")
    assert one(TENCENT, row, symbol).volume == 1_775_070 * unit


def test_one_request_asks_for_every_symbol_in_the_services_own_form() -> None:
    symbols = ["600519.SSE", "000001.SZSE", "920118.BSE"]
    assert SINA.url(symbols) == "https://hq.sinajs.cn/list=sh600519,sz000001,bj920118"
    assert TENCENT.at("http://127.0.0.1:8/").url(symbols[:1]) == "http://127.0.0.1:8/q=sh600519"


def test_sina_wants_a_referer() -> None:
    assert "sina.com.cn" in SINA.headers["Referer"]


def test_a_symbol_that_sina_does_not_know_is_named() -> None:
    body = f'{SINA_BANK}\nvar hq_str_sh688801="";\n'.encode("gbk")
    answer = SINA.parse(body, ["000001.SZSE", "688801.SSE"])
    assert set(answer.quotes) == {"000001.SZSE"}
    assert answer.unknown == {"688801.SSE"}


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (SINA_BANK.replace("11.120,10.900", "oops,10.900"), "'oops'不是数字"),
        (SINA_BANK.replace("10.980,11.080", "10.980,-1"), "'-1'不是可用的数字"),
        (SINA_BANK.replace("10.980,11.080", "10.980,nan"), "'nan'不是可用的数字"),
        (SINA_BANK.replace("10.980,11.080", "10.980,99.000"), "最新价99不在当日10.9至11.12之内"),
        (SINA_BANK.replace("10.920,10.980", "10.920,0.000"), "没有昨收价"),
        (SINA_BANK.replace("2026-07-23", "2026-02-30"), "'2026-02-30 14:36:00'不是时间"),
        ('var hq_str_sz000001="平安银行,10.920";', "只有2个字段"),
        ("", "没有返回"),
    ],
)
def test_a_broken_row_is_named_and_the_others_are_used(broken: str, reason: str) -> None:
    body = f"{broken}\n{SINA_STAR_AT_LIMIT}\n".encode("gbk")
    answer = SINA.parse(body, ["688047.SSE", "000001.SZSE"])
    assert set(answer.quotes) == {"688047.SSE"}
    assert answer.bad == {"000001.SZSE": reason}


def test_a_row_of_another_code_is_refused() -> None:
    body = TENCENT_MAIN.replace("~600396~", "~600397~").encode("gbk")
    with pytest.raises(SourceFailed, match="代码是600397"):
        TENCENT.parse(body, ["600396.SSE"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>502 Bad Gateway</body></html>",
        b'v_pv_none_match="1";',
        SINA_BANK.encode("gbk")[:-40],
        b"\xff\xfe\x00\x01" * 50,
    ],
)
def test_garbage_and_a_cut_answer_fail_the_source(body: bytes) -> None:
    with pytest.raises(SourceFailed, match="新浪"):
        SINA.parse(body, ["000001.SZSE"])


def test_an_answer_of_which_most_is_broken_fails_the_source() -> None:
    with pytest.raises(SourceFailed, match="3只中有2只不可用"):
        SINA.parse(SINA_BANK.encode("gbk"), ["000001.SZSE", "600519.SSE", "600396.SSE"])


def test_an_answer_in_utf8_is_read_as_such() -> None:
    answer = SINA.parse(SINA_BANK.encode("utf-8"), ["000001.SZSE"])
    assert answer.quotes["000001.SZSE"].name == "平安银行"


def test_gbk_that_happens_to_be_utf8_is_read_as_gbk() -> None:
    body = "陕国投".encode("gbk")  # C9 C2 B9 FA ... is no UTF-8; the pairs below are
    lucky = "拢".encode("gbk")
    assert lucky.decode("utf-8") == "£"
    assert (decode(body), decode(lucky)) == ("陕国投", "拢")


def test_a_name_with_bytes_that_cannot_be_decoded_fails_its_row_alone() -> None:
    rows = f"{SINA_BANK}\n{SINA_STAR_AT_LIMIT}\n".encode("gbk").replace("平".encode("gbk"), b"\xff\xff")
    answer = SINA.parse(rows, ["000001.SZSE", "688047.SSE"])
    assert answer.bad == {"000001.SZSE": "名称无法解码"}
