"""Contract specifications of Chinese futures, by product and date.

Only the figures of IF were compared with a source; the other rows are written from memory of the exchanges'
contract specifications and marked so. Margins are the exchange's minimum and change by notice: a gateway's
own contract data and the broker's margin come first wherever they are known.
"""

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal

from vnpy_aiagent.market.dated import DatedRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRow(DatedRow):
    """One product.

    `multiplier` is CNY per point of price; `tick` the price step; `limit` the daily limit as a ratio of the
    previous settlement; `margin` the exchange's minimum as a ratio of value. `night_end` is the end of the
    night session, None where there is none. `cash_settled` contracts trade to their last day; the others are
    refused in their delivery month.
    """

    exchange: str
    product: str
    multiplier: Decimal
    tick: Decimal
    limit: Decimal
    margin: Decimal
    night_end: time | None = None
    cash_settled: bool = False


_NIGHT = {"23": time(23), "1": time(1), "230": time(2, 30), "-": None}
_SOURCES = {
    "CFFEX": "CFFEX contract specifications",
    "SHFE": "SHFE contract specifications",
    "INE": "INE contract specifications",
    "DCE": "DCE contract specifications",
    "CZCE": "CZCE contract specifications",
    "GFEX": "GFEX contract specifications",
}
_CONFIRMED = ("IF",)

# exchange: "product first-day multiplier tick limit margin night-end", percentages as whole numbers
_PRODUCTS = {
    "CFFEX": """
        IF 2010-04-16 300 0.2 10 8 -
        IH 2015-04-16 300 0.2 10 8 -
        IC 2015-04-16 200 0.2 10 8 -
        IM 2022-07-22 200 0.2 10 8 -
        TF 2013-09-06 10000 0.005 1.2 1 -
        T 2015-03-20 10000 0.005 2 2 -
        TS 2018-08-17 20000 0.005 0.5 0.5 -
        TL 2023-04-21 10000 0.01 3.5 3.5 -
        """,
    "SHFE": """
        cu 1995-04-17 5 10 3 5 1
        al 1995-04-17 5 5 3 5 1
        zn 2007-03-26 5 5 4 5 1
        pb 2011-03-24 5 5 4 5 1
        ni 2015-03-27 1 10 4 5 1
        sn 2015-03-27 1 10 4 5 1
        ss 2019-09-25 5 5 4 5 1
        ao 2023-06-19 20 1 4 5 1
        au 2008-01-09 1000 0.02 3 4 230
        ag 2012-05-10 15 1 3 4 230
        rb 2009-03-27 10 1 3 5 23
        wr 2009-03-27 10 1 5 7 -
        hc 2014-03-21 10 1 3 4 23
        fu 2018-07-16 10 1 5 8 23
        bu 2013-10-09 10 1 3 4 23
        ru 1995-05-16 10 5 3 5 23
        br 2023-07-28 5 5 5 7 23
        sp 2018-11-27 10 2 3 4 23
        """,
    "INE": """
        sc 2018-03-26 1000 0.1 4 5 230
        nr 2019-08-12 10 5 5 7 23
        lu 2020-06-22 10 1 5 8 23
        bc 2020-11-19 5 10 3 5 1
        ec 2023-08-18 50 0.1 10 12 -
        """,
    "DCE": """
        a 2002-03-15 10 1 4 5 23
        b 2004-12-22 10 1 4 5 23
        m 2000-07-17 10 1 4 5 23
        y 2006-01-09 10 2 4 5 23
        p 2007-10-29 10 2 4 5 23
        c 2004-09-22 10 1 4 5 23
        cs 2014-12-19 10 1 4 5 23
        rr 2019-08-16 10 1 4 5 23
        jd 2013-11-08 10 1 4 5 -
        lh 2021-01-08 16 5 4 5 -
        l 2007-07-31 5 1 4 5 23
        v 2009-05-25 5 1 4 5 23
        pp 2014-02-28 5 1 4 5 23
        eg 2018-12-10 10 1 4 5 23
        eb 2019-09-26 5 1 4 5 23
        pg 2020-03-30 20 1 4 5 23
        i 2013-10-18 100 0.5 4 5 23
        j 2011-04-15 100 0.5 4 5 23
        jm 2013-03-22 60 0.5 4 5 23
        """,
    "CZCE": """
        SR 2006-01-06 10 1 4 5 23
        CF 2004-06-01 5 5 4 5 23
        CY 2017-08-18 5 5 4 5 23
        TA 2006-12-18 5 2 4 5 23
        MA 2014-06-17 10 1 4 5 23
        FG 2012-12-03 20 1 4 5 23
        SA 2019-12-06 20 1 4 5 23
        RM 2012-12-28 10 1 4 5 23
        OI 2012-07-16 10 1 4 5 23
        AP 2017-12-22 10 1 5 7 -
        CJ 2019-04-30 5 5 5 7 -
        PK 2021-02-01 5 2 4 5 -
        UR 2019-08-09 20 1 4 5 -
        SF 2014-08-08 5 2 4 5 -
        SM 2014-08-08 5 2 4 5 -
        PF 2020-10-12 5 2 4 5 23
        PX 2023-09-15 5 2 4 5 23
        SH 2023-09-15 30 1 4 5 23
        """,
    "GFEX": """
        si 2022-12-22 5 5 4 5 -
        lc 2023-07-21 1 50 4 5 -
        """,
}


def _row(exchange: str, line: str) -> ProductRow:
    product, first, multiplier, tick, limit, margin, night = line.split()
    confirmed = product in _CONFIRMED
    source = _SOURCES[exchange] if confirmed else f"{_SOURCES[exchange]}, from memory, unconfirmed"
    return ProductRow(
        effective=date.fromisoformat(first),
        source=source,
        confirmed=confirmed,
        exchange=exchange,
        product=product,
        multiplier=Decimal(multiplier),
        tick=Decimal(tick),
        limit=Decimal(limit) / 100,
        margin=Decimal(margin) / 100,
        night_end=_NIGHT[night],
        cash_settled=exchange == "CFFEX" and product.startswith("I"),
    )


PRODUCTS: tuple[ProductRow, ...] = tuple(
    _row(exchange, line) for exchange, lines in _PRODUCTS.items() for line in lines.strip().splitlines()
)

CLOSE_TODAY_APART = ("SHFE", "INE")
"""Exchanges whose orders say whether they close today's or yesterday's position."""
