"""Symbols as users write them."""

import pytest

from vnpy_aiagent.data.symbols import is_fund, parse_symbol
from vnpy_aiagent.errors import UnknownSymbol

NAMES = {"贵州茅台": "600519.SSE", "万 科Ａ": "000002.SZSE"}


@pytest.mark.parametrize(
    "text",
    [
        "600519.SSE",
        "600519.sse",
        "600519.SH",
        "600519SH",
        "sh600519",
        "SH.600519",
        "600519.XSHG",
        " 600519 ",
        "６００５１９．ＳＨ",
        "600519",
        "贵州茅台",
        "贵州 茅台",
    ],
)
def test_every_spelling_means_the_same_share(text: str) -> None:
    assert parse_symbol(text, NAMES) == "600519.SSE"


@pytest.mark.parametrize(
    ("text", "vt_symbol"),
    [
        ("000001.SZ", "000001.SZSE"),
        ("000001.SH", "000001.SSE"),
        ("300750", "300750.SZSE"),
        ("688981", "688981.SSE"),
        ("920002", "920002.BSE"),
        ("bj430047", "430047.BSE"),
        ("510300", "510300.SSE"),
        ("159915", "159915.SZSE"),
        ("399006", "399006.SZSE"),
        ("万科A", "000002.SZSE"),
        ("IF2101.CFFEX", "IF2101.CFFEX"),
        ("rb2405.shfe", "rb2405.SHFE"),
        ("CSI300.SSE", "CSI300.SSE"),
    ],
)
def test_codes_find_their_exchange(text: str, vt_symbol: str) -> None:
    assert parse_symbol(text, NAMES) == vt_symbol


def test_a_code_of_two_exchanges_lists_both_choices() -> None:
    with pytest.raises(UnknownSymbol, match=r"000001.SZSE for the stock or 000001.SSE for the index"):
        parse_symbol("000001")


def test_a_code_on_the_wrong_exchange_names_the_right_one() -> None:
    with pytest.raises(UnknownSymbol, match=r"600519 is not a code of SZSE; did you mean 600519.SSE"):
        parse_symbol("600519.SZ")


def test_part_of_a_name_suggests_the_whole() -> None:
    with pytest.raises(UnknownSymbol, match="did you mean 贵州茅台"):
        parse_symbol("茅台", NAMES)


@pytest.mark.parametrize("text", ["", "不知道", "999999", "600519.NOWHERE", "12345", "AAPL", "600519.XX"])
def test_anything_else_gets_a_hint(text: str) -> None:
    with pytest.raises(UnknownSymbol, match=r"600519\.SSE"):
        parse_symbol(text, NAMES)


def test_funds_are_told_from_shares() -> None:
    assert is_fund("510300.SSE")
    assert is_fund("159915.SZSE")
    assert not is_fund("600519.SSE")
    assert not is_fund("150001.SSE")
    assert not is_fund("IF2101.CFFEX")
