"""Exchange-traded funds whose limit or settlement differs from the ordinary fund's.

Where a fund is missing from a list, the stricter ordinary rule holds for it (10 %, T+1); the caller of
`instrument_rules` can pass `t_plus=0` for a fund of which he knows better.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from vnpy_aiagent.market.dated import DatedRow


@dataclass(frozen=True, slots=True, kw_only=True)
class FundRow(DatedRow):
    """Funds by code prefix. `ratio` is a price limit, `t_plus` the settlement; None leaves it ordinary."""

    exchange: str
    prefixes: tuple[str, ...]
    ratio: Decimal | None = None
    t_plus: int | None = None

    def covers(self, code: str, exchange: str) -> bool:
        """Whether the row speaks of this fund."""
        return exchange == self.exchange and code.startswith(self.prefixes)


_TWENTY = Decimal("0.20")
_GROWTH = "SSE and SZSE trading rules: funds that follow ChiNext or STAR, 20 % as their boards"
_INTRADAY = "SSE and SZSE notices on intraday round trips in bond, money, gold and cross-border funds"

GROWTH_FUNDS: tuple[FundRow, ...] = (
    FundRow(effective=date(2020, 8, 24), source=_GROWTH, exchange="SSE", prefixes=("588",), ratio=_TWENTY),
    FundRow(
        effective=date(2024, 1, 1),
        source=f"{_GROWTH}; the block 589 is unconfirmed",
        confirmed=False,
        exchange="SSE",
        prefixes=("589",),
        ratio=_TWENTY,
    ),
    FundRow(
        effective=date(2020, 8, 24),
        source=_GROWTH,
        exchange="SZSE",
        prefixes=("159915", "159949"),
        ratio=_TWENTY,
    ),
    FundRow(
        effective=date(2020, 8, 24),
        source=f"{_GROWTH}; this list is from memory, unconfirmed",
        confirmed=False,
        exchange="SZSE",
        prefixes=(
            "159780",
            "159781",
            "159782",
            "159783",
            "159908",
            "159948",
            "159952",
            "159956",
            "159957",
            "159958",
            "159964",
            "159966",
            "159967",
            "159971",
            "159977",
        ),
        ratio=_TWENTY,
    ),
)

INTRADAY_FUNDS: tuple[FundRow, ...] = (
    FundRow(
        effective=date(2015, 1, 19),
        source=f"{_INTRADAY}; the first day is unconfirmed, earlier days count as T+1",
        confirmed=False,
        exchange="SSE",
        prefixes=("511", "513", "518", "520"),
        t_plus=0,
    ),
    FundRow(
        effective=date(2015, 1, 19),
        source=f"{_INTRADAY}; this list of money, gold, commodity and cross-border funds is unconfirmed",
        confirmed=False,
        exchange="SZSE",
        prefixes=(
            "159001",
            "159003",
            "159005",
            "159920",
            "159934",
            "159937",
            "159941",
            "159980",
            "159981",
            "159985",
        ),
        t_plus=0,
    ),
)
