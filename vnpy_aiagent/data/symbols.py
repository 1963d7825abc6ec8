"""Symbols as users write them, turned into vnpy's form CODE.EXCHANGE.

Code ranges: SSE, SZSE and BSE listing rules; see the board table of the market room for the dated version.
"""

import re
import unicodedata
from collections.abc import Mapping

from vnpy.trader.constant import Exchange

from vnpy_aiagent.errors import UnknownSymbol

_SUFFIXES = {
    "SSE": "SSE", "SH": "SSE", "XSHG": "SSE", "SS": "SSE",
    "SZSE": "SZSE", "SZ": "SZSE", "XSHE": "SZSE",
    "BSE": "BSE", "BJ": "BSE",
}  # fmt: skip
_EXCHANGE_PREFIXES: dict[str, tuple[str, ...]] = {
    "SSE": ("600", "601", "603", "605", "688", "689", "50", "51", "52", "55", "56", "58", "11"),
    "SZSE": ("000", "001", "002", "003", "300", "301", "302", "15", "16", "18", "12", "399"),
    "BSE": ("920", "43", "82", "83", "87", "88"),
}
_FUND_PREFIXES = {"SSE": ("50", "51", "52", "55", "56", "58"), "SZSE": ("15", "16", "18")}
_INDEX_PREFIXES = {"SSE": "000", "SZSE": "399", "BSE": "899"}
_AMBIGUOUS_PREFIX = "000"  # stocks on SZSE, indices on SSE

_CODE_THEN_EXCHANGE = re.compile(r"(\d{6})\.?([A-Z]{2,4})")
_EXCHANGE_THEN_CODE = re.compile(r"(SH|SZ|BJ)\.?(\d{6})")
_OTHER = re.compile(r"([A-Za-z0-9_&-]+)\.([A-Za-z]+)")
_HINT = "write it as CODE.EXCHANGE, such as 600519.SSE or 000001.SZSE"


def normalise(text: str) -> str:
    """Text in compatibility form (full-width letters become plain ones), without any spaces."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def parse_symbol(text: str, names: Mapping[str, str] | None = None) -> str:
    """The vt_symbol meant by a user: 600519.SSE, 600519.SH, sh600519, 600519, or a name from `names`.

    `names` maps names to vt_symbols. Text that is unknown, or a bare code that two exchanges use, raises
    UnknownSymbol with the choices.
    """
    plain = normalise(text)
    upper = plain.upper()
    if match := _CODE_THEN_EXCHANGE.fullmatch(upper):
        return _with_exchange(match[1], match[2], text)
    if match := _EXCHANGE_THEN_CODE.fullmatch(upper):
        return _with_exchange(match[2], match[1], text)
    if re.fullmatch(r"\d{6}", plain):
        return _bare_code(plain)
    if (match := _OTHER.fullmatch(plain)) and match[2].upper() in Exchange.__members__:
        return f"{match[1]}.{match[2].upper()}"
    return _by_name(plain, text, names or {})


def is_fund(vt_symbol: str) -> bool:
    """Whether the code lies in a range of exchange-traded funds."""
    code, _, exchange = vt_symbol.partition(".")
    return len(code) == 6 and code.startswith(_FUND_PREFIXES.get(exchange, ("-",)))


def is_index(vt_symbol: str) -> bool:
    """Whether the code lies in a range of exchange indices: 000xxx of SSE, 399xxx of SZSE, 899xxx of BSE."""
    code, _, exchange = vt_symbol.partition(".")
    return len(code) == 6 and code.startswith(_INDEX_PREFIXES.get(exchange, "-"))


def _with_exchange(code: str, suffix: str, text: str) -> str:
    exchange = _SUFFIXES.get(suffix)
    if exchange is None:
        if suffix in Exchange.__members__:
            return f"{code}.{suffix}"
        raise UnknownSymbol(f"the exchange of {text!r} is not known; {_HINT}")
    homes = _homes(code)
    if homes and exchange not in homes:
        choices = " or ".join(f"{code}.{home}" for home in homes)
        raise UnknownSymbol(f"{code} is not a code of {exchange}; did you mean {choices}?")
    return f"{code}.{exchange}"


def _homes(code: str) -> list[str]:
    """Exchanges on which a six-digit code can exist."""
    homes = [name for name, prefixes in _EXCHANGE_PREFIXES.items() if code.startswith(prefixes)]
    return [*homes, "SSE"] if code.startswith(_AMBIGUOUS_PREFIX) else homes


def _bare_code(code: str) -> str:
    homes = _homes(code)
    if not homes:
        raise UnknownSymbol(f"no exchange is known for the code {code}; {_HINT}")
    if len(homes) > 1:
        raise UnknownSymbol(
            f"{code} is a stock on SZSE and an index on SSE; write {code}.SZSE for the stock or {code}.SSE "
            "for the index"
        )
    return f"{code}.{homes[0]}"


def _by_name(plain: str, text: str, names: Mapping[str, str]) -> str:
    known = {normalise(name).upper(): vt_symbol for name, vt_symbol in names.items()}
    wanted = plain.upper()
    if wanted in known:
        return known[wanted]
    near = [f"{name} ({vt_symbol})" for name, vt_symbol in known.items() if wanted and wanted in name][:5]
    if near:
        raise UnknownSymbol(f"{text!r} is not a complete name; did you mean {', '.join(near)}?")
    raise UnknownSymbol(f"{text!r} is not a known symbol or name; {_HINT}")
