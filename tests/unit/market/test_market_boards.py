"""Which board a symbol belongs to, and what a short name says."""

import pytest

from vnpy_aiagent.errors import UnknownSymbol
from vnpy_aiagent.market import Board, board_of
from vnpy_aiagent.market.names import NameFacts, name_facts


@pytest.mark.parametrize(
    ("vt_symbol", "board"),
    [
        ("600519.SSE", Board.SSE_MAIN),
        ("601398.SSE", Board.SSE_MAIN),
        ("603288.SSE", Board.SSE_MAIN),
        ("605499.SSE", Board.SSE_MAIN),
        ("688981.SSE", Board.STAR),
        ("689009.SSE", Board.STAR),
        ("510300.SSE", Board.ETF),
        ("501018.SSE", Board.ETF),
        ("520500.SSE", Board.ETF),
        ("551030.SSE", Board.ETF),
        ("560050.SSE", Board.ETF),
        ("588000.SSE", Board.ETF),
        ("530300.SSE", Board.ETF),
        ("113050.SSE", Board.CONVERTIBLE_BOND),
        ("000001.SSE", Board.INDEX),
        ("000001.SZSE", Board.SZSE_MAIN),
        ("001979.SZSE", Board.SZSE_MAIN),
        ("002415.SZSE", Board.SZSE_MAIN),
        ("003816.SZSE", Board.SZSE_MAIN),
        ("300750.SZSE", Board.CHINEXT),
        ("301269.SZSE", Board.CHINEXT),
        ("302132.SZSE", Board.CHINEXT),
        ("159915.SZSE", Board.ETF),
        ("161725.SZSE", Board.ETF),
        ("184801.SZSE", Board.ETF),
        ("123456.SZSE", Board.CONVERTIBLE_BOND),
        ("399006.SZSE", Board.INDEX),
        ("920799.BSE", Board.BSE),
        ("430047.BSE", Board.BSE),
        ("835185.BSE", Board.BSE),
        ("873223.BSE", Board.BSE),
        ("899050.BSE", Board.INDEX),
        ("IF2101.CFFEX", Board.FUTURES),
        ("rb2510.SHFE", Board.FUTURES),
        ("SR501.CZCE", Board.FUTURES),
    ],
)
def test_a_code_belongs_to_the_board_of_its_prefix(vt_symbol: str, board: Board) -> None:
    assert board_of(vt_symbol) is board


@pytest.mark.parametrize(
    ("vt_symbol", "hint"),
    [
        ("000001", "suffix"),
        (".SSE", "suffix"),
        ("600519.NYSE", "use one of SSE"),
        ("700000.SSE", "check code"),
        ("60051.SSE", "check code"),
        ("6005190.SSE", "check code"),
        ("６00519.SSE", "check code"),
        ("300750.SSE", "check code"),
        ("CSI300.SSE", "name the board"),
        ("IO2101-C-5000.CFFEX", "delivery month"),
    ],
)
def test_an_unknown_symbol_is_refused_with_what_to_do(vt_symbol: str, hint: str) -> None:
    with pytest.raises(UnknownSymbol, match=hint):
        board_of(vt_symbol)


def test_a_board_equals_its_name() -> None:
    assert all(board.value == board.name for board in Board)


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("", NameFacts(False, None)),
        ("贵州茅台", NameFacts(False, None)),
        ("ST八菱", NameFacts(True, None)),
        ("*ST海润", NameFacts(True, None)),
        ("＊ＳＴ海润", NameFacts(True, None)),
        ("*ST TCL", NameFacts(True, None)),
        ("SST前锋", NameFacts(True, None)),
        ("S*ST前锋", NameFacts(True, None)),
        ("XD贵州茅", NameFacts(False, None)),
        ("XDST八菱", NameFacts(True, None)),
        ("DR*ST海润", NameFacts(True, None)),
        ("XR平安银", NameFacts(False, None)),
        ("U奇安信", NameFacts(False, None)),
        ("N中芯", NameFacts(False, 0)),
        ("C中芯", NameFacts(False, 1)),
        ("NST八菱", NameFacts(True, 0)),
        ("TCL科技", NameFacts(False, None)),
        ("STAR Holdings", NameFacts(False, None)),
        ("China Bank", NameFacts(False, None)),
        ("Nanjing Bank", NameFacts(False, None)),
    ],
)
def test_a_short_name_tells_special_treatment_and_first_days(name: str, facts: NameFacts) -> None:
    assert name_facts(name) == facts
