"""Boards, and which board a symbol belongs to by its exchange and code."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from vnpy_aiagent.errors import UnknownSymbol
from vnpy_aiagent.market.dated import DatedRow


class Board(StrEnum):
    """Part of the market with rules of its own. ETF stands for all exchange-traded funds."""

    SSE_MAIN = "SSE_MAIN"
    STAR = "STAR"
    SZSE_MAIN = "SZSE_MAIN"
    CHINEXT = "CHINEXT"
    BSE = "BSE"
    ETF = "ETF"
    CONVERTIBLE_BOND = "CONVERTIBLE_BOND"
    INDEX = "INDEX"
    FUTURES = "FUTURES"


MAIN_BOARDS = (Board.SSE_MAIN, Board.SZSE_MAIN)
SHARE_BOARDS = (Board.SSE_MAIN, Board.STAR, Board.SZSE_MAIN, Board.CHINEXT, Board.BSE)
FUTURES_EXCHANGES = ("CFFEX", "SHFE", "INE", "DCE", "CZCE", "GFEX")
STOCK_EXCHANGES = ("SSE", "SZSE", "BSE")

_STOCK_CODE = re.compile(r"[0-9]{6}")
_FUTURES_CODE = re.compile(r"[A-Za-z]{1,2}[0-9]{2,4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRow(DatedRow):
    """Code prefixes of one exchange that belong to a board; `effective` is the board's first day."""

    exchange: str
    prefixes: tuple[str, ...]
    board: Board


_CODES_SSE = "SSE code assignment guide"
_CODES_SZSE = "SZSE code assignment guide"
_CODES_BSE = "BSE code assignment notice"

CODES: tuple[CodeRow, ...] = (
    CodeRow(
        effective=date(1990, 12, 19),
        source=_CODES_SSE,
        exchange="SSE",
        prefixes=("600", "601", "603", "605"),
        board=Board.SSE_MAIN,
    ),
    CodeRow(
        effective=date(2019, 7, 22),
        source=f"{_CODES_SSE}; 689 are depositary receipts",
        exchange="SSE",
        prefixes=("688", "689"),
        board=Board.STAR,
    ),
    CodeRow(
        effective=date(1998, 4, 7),
        source=_CODES_SSE,
        exchange="SSE",
        prefixes=("50", "51", "52", "55", "56", "58"),
        board=Board.ETF,
    ),
    CodeRow(
        effective=date(2024, 1, 1),
        source=f"{_CODES_SSE}; the block 53 is unconfirmed",
        confirmed=False,
        exchange="SSE",
        prefixes=("53",),
        board=Board.ETF,
    ),
    CodeRow(
        effective=date(1992, 1, 1),
        source=_CODES_SSE,
        exchange="SSE",
        prefixes=("11",),
        board=Board.CONVERTIBLE_BOND,
    ),
    CodeRow(
        effective=date(1990, 12, 19),
        source=_CODES_SSE,
        exchange="SSE",
        prefixes=("000",),
        board=Board.INDEX,
    ),
    CodeRow(
        effective=date(1990, 12, 1),
        source=_CODES_SZSE,
        exchange="SZSE",
        prefixes=("000", "001", "002", "003"),
        board=Board.SZSE_MAIN,
    ),
    CodeRow(
        effective=date(2009, 10, 30),
        source=_CODES_SZSE,
        exchange="SZSE",
        prefixes=("300", "301", "302"),
        board=Board.CHINEXT,
    ),
    CodeRow(
        effective=date(1998, 4, 7),
        source=_CODES_SZSE,
        exchange="SZSE",
        prefixes=("15", "16", "18"),
        board=Board.ETF,
    ),
    CodeRow(
        effective=date(1992, 1, 1),
        source=_CODES_SZSE,
        exchange="SZSE",
        prefixes=("12",),
        board=Board.CONVERTIBLE_BOND,
    ),
    CodeRow(
        effective=date(1991, 4, 3),
        source=_CODES_SZSE,
        exchange="SZSE",
        prefixes=("399",),
        board=Board.INDEX,
    ),
    CodeRow(
        effective=date(2021, 11, 15),
        source=f"{_CODES_BSE}; the older blocks were renumbered to 920 from 2025-10-09 (unconfirmed)",
        confirmed=False,
        exchange="BSE",
        prefixes=("920", "43", "82", "83", "87", "88"),
        board=Board.BSE,
    ),
    CodeRow(
        effective=date(2022, 11, 21),
        source=_CODES_BSE,
        exchange="BSE",
        prefixes=("899",),
        board=Board.INDEX,
    ),
)


def split_symbol(vt_symbol: str) -> tuple[str, str]:
    """Code and exchange of a vt_symbol. UnknownSymbol where the exchange is missing."""
    code, dot, exchange = vt_symbol.rpartition(".")
    if not dot or not code or not exchange:
        raise UnknownSymbol(
            f"The symbol {vt_symbol!r} names no exchange; write it with a suffix, for example 600519.SSE."
        )
    return code, exchange


def board_of(vt_symbol: str) -> Board:
    """The board that a symbol's code and exchange belong to. UnknownSymbol where no board does."""
    code, exchange = split_symbol(vt_symbol)
    if exchange in FUTURES_EXCHANGES:
        if _FUTURES_CODE.fullmatch(code):
            return Board.FUTURES
        raise UnknownSymbol(
            f"The symbol {vt_symbol} is not a futures contract; "
            "write product and delivery month, for example IF2101.CFFEX."
        )
    if exchange not in STOCK_EXCHANGES:
        known = ", ".join((*STOCK_EXCHANGES, *FUTURES_EXCHANGES))
        raise UnknownSymbol(f"The exchange of {vt_symbol} is not known; use one of {known}.")
    if _STOCK_CODE.fullmatch(code):
        for row in CODES:
            if row.exchange == exchange and code.startswith(row.prefixes):
                return row.board
    raise UnknownSymbol(
        f"The code of {vt_symbol} belongs to no board of {exchange} that is known; "
        "check code and exchange, or name the board yourself."
    )
