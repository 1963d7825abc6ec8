"""What the futures exchanges charge a fill: opening, closing, closing a position of the same day.

A broker adds to it, so its own bill is higher; nothing of that is known here. Every row is written from
memory of the exchanges' fee notices and marked so; the fees of many products change by notice, often by
contract month. Each fill is charged by itself and rounded half up to the cent.
"""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from vnpy_aiagent.domain.money import CENT
from vnpy_aiagent.market.dated import DatedRow, in_force

_TEN_THOUSAND = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Charge:
    """A fee: a ratio of the contract value, or CNY a contract."""

    ratio: Decimal = Decimal(0)
    per_contract: Decimal = Decimal(0)

    def amount(self, value: Decimal, volume: Decimal) -> Decimal:
        """CNY for contracts worth `value` (CNY), to the cent."""
        fee = value * self.ratio + volume * self.per_contract
        return fee.quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True, kw_only=True)
class FuturesFeeRow(DatedRow):
    """Charges of one product from `effective`."""

    exchange: str
    product: str
    opening: Charge
    closing: Charge
    closing_today: Charge


# "product first-day open close close-today"; 0.23w is 0.23 in 10,000 of the value, 3 is 3 CNY a contract
_FEES = {
    "CFFEX": """
        IF 2010-04-16 0.5w 0.5w 0.5w
        IF 2012-09-01 0.25w 0.25w 0.25w
        IF 2015-09-07 0.23w 0.23w 23w
        IF 2017-02-17 0.23w 0.23w 9.2w
        IF 2017-09-18 0.23w 0.23w 6.9w
        IF 2018-12-03 0.23w 0.23w 4.6w
        IF 2019-04-22 0.23w 0.23w 3.45w
        IF 2023-08-28 0.23w 0.23w 2.3w
        IH 2015-04-16 0.25w 0.25w 0.25w
        IH 2015-09-07 0.23w 0.23w 23w
        IH 2017-02-17 0.23w 0.23w 9.2w
        IH 2017-09-18 0.23w 0.23w 6.9w
        IH 2018-12-03 0.23w 0.23w 4.6w
        IH 2019-04-22 0.23w 0.23w 3.45w
        IH 2023-08-28 0.23w 0.23w 2.3w
        IC 2015-04-16 0.25w 0.25w 0.25w
        IC 2015-09-07 0.23w 0.23w 23w
        IC 2017-02-17 0.23w 0.23w 9.2w
        IC 2017-09-18 0.23w 0.23w 6.9w
        IC 2018-12-03 0.23w 0.23w 4.6w
        IC 2019-04-22 0.23w 0.23w 3.45w
        IC 2023-08-28 0.23w 0.23w 2.3w
        IM 2022-07-22 0.23w 0.23w 3.45w
        IM 2023-08-28 0.23w 0.23w 2.3w
        TF 2013-09-06 3 3 0
        T 2015-03-20 3 3 0
        TS 2018-08-17 3 3 0
        TL 2023-04-21 3 3 0
        """,
    "SHFE": """
        cu 1995-04-17 0.5w 0.5w 1w
        al 1995-04-17 3 3 3
        zn 2007-03-26 3 3 0
        pb 2011-03-24 0.4w 0.4w 0
        ni 2015-03-27 3 3 3
        sn 2015-03-27 3 3 3
        ss 2019-09-25 2 2 0
        ao 2023-06-19 1w 1w 1w
        au 2008-01-09 10 10 0
        ag 2012-05-10 0.5w 0.5w 0.5w
        rb 2009-03-27 1w 1w 1w
        wr 2009-03-27 0.4w 0.4w 0
        hc 2014-03-21 1w 1w 1w
        fu 2018-07-16 0.5w 0.5w 0
        bu 2013-10-09 0.5w 0.5w 0
        ru 1995-05-16 3 3 0
        br 2023-07-28 0.2w 0.2w 0.2w
        sp 2018-11-27 0.5w 0.5w 0
        """,
    "INE": """
        sc 2018-03-26 20 20 0
        nr 2019-08-12 0.2w 0.2w 0
        lu 2020-06-22 0.1w 0.1w 0.1w
        bc 2020-11-19 0.1w 0.1w 0
        ec 2023-08-18 0.6w 0.6w 0.6w
        """,
    "DCE": """
        a 2002-03-15 2 2 2
        b 2004-12-22 1 1 1
        m 2000-07-17 1.5 1.5 1.5
        y 2006-01-09 2.5 2.5 2.5
        p 2007-10-29 2.5 2.5 2.5
        c 2004-09-22 1.2 1.2 1.2
        cs 2014-12-19 1.5 1.5 1.5
        rr 2019-08-16 1 1 1
        jd 2013-11-08 1.5w 1.5w 1.5w
        lh 2021-01-08 2w 2w 4w
        l 2007-07-31 1 1 1
        v 2009-05-25 1 1 1
        pp 2014-02-28 1 1 1
        eg 2018-12-10 3 3 3
        eb 2019-09-26 3 3 3
        pg 2020-03-30 6 6 6
        i 2013-10-18 1w 1w 1w
        j 2011-04-15 1w 1w 1.4w
        jm 2013-03-22 1w 1w 1.4w
        """,
    "CZCE": """
        SR 2006-01-06 3 3 0
        CF 2004-06-01 4.3 4.3 0
        CY 2017-08-18 4 4 0
        TA 2006-12-18 3 3 0
        MA 2014-06-17 1w 1w 1w
        FG 2012-12-03 6 6 6
        SA 2019-12-06 2w 2w 2w
        RM 2012-12-28 1.5 1.5 1.5
        OI 2012-07-16 2 2 2
        AP 2017-12-22 5 5 20
        CJ 2019-04-30 3 3 3
        PK 2021-02-01 4 4 4
        UR 2019-08-09 1w 1w 1w
        SF 2014-08-08 3 3 0
        SM 2014-08-08 3 3 0
        PF 2020-10-12 3 3 3
        PX 2023-09-15 1w 1w 1w
        SH 2023-09-15 2w 2w 2w
        """,
    "GFEX": """
        si 2022-12-22 1w 1w 0
        lc 2023-07-21 0.8w 0.8w 0.8w
        """,
}


def _charge(text: str) -> Charge:
    if text.endswith("w"):
        return Charge(ratio=Decimal(text[:-1]) / _TEN_THOUSAND)
    return Charge(per_contract=Decimal(text))


def _row(exchange: str, line: str) -> FuturesFeeRow:
    product, first, opening, closing, today = line.split()
    return FuturesFeeRow(
        effective=date.fromisoformat(first),
        source=f"{exchange} fee notices, from memory, unconfirmed",
        confirmed=False,
        exchange=exchange,
        product=product,
        opening=_charge(opening),
        closing=_charge(closing),
        closing_today=_charge(today),
    )


FEES: tuple[FuturesFeeRow, ...] = tuple(
    _row(exchange, line) for exchange, lines in _FEES.items() for line in lines.strip().splitlines()
)


def fee_row(exchange: str, product: str, on: date) -> FuturesFeeRow:
    """The charges of a product on a day. RuleUnknown where the tables hold none."""
    rows = [row for row in FEES if (row.exchange, row.product) == (exchange, product)]
    return in_force(rows, on, f"exchange fee of {product}.{exchange}")
