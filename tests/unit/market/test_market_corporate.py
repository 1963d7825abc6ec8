"""Corporate actions: reference price on real ex-days, new shares, cash, tax by holding time."""

import csv
import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from vnpy_aiagent.errors import RuleUnknown
from vnpy_aiagent.market import (
    CorporateAction,
    dividend_tax,
    ex_reference,
    instrument_rules,
    new_shares,
)
from vnpy_aiagent.market.corporate import DIVIDEND_TAXES, cash_dividend

SYMBOL = "600000.SSE"


def action(**figures: str) -> CorporateAction:
    values = {name: Decimal(value) for name, value in figures.items()}
    return CorporateAction(vt_symbol=SYMBOL, ex_date=date(2024, 7, 1), **values)


def real_actions(shared: Path) -> list[CorporateAction]:
    with (shared / "data/long/600000.SSE_corporate_actions.csv").open(encoding="utf-8", newline="") as file:
        return [
            CorporateAction(
                vt_symbol=SYMBOL,
                ex_date=date.fromisoformat(row["ex_date"]),
                bonus=Decimal(row["shares_per_share"]),
                cash=Decimal(row["cash_per_share_before_tax"]),
                adjusts="no adjusted reference" not in row["note"],
            )
            for row in csv.DictReader(file)
        ]


def test_every_real_ex_day_trades_inside_the_band_of_the_adjusted_reference(shared: Path) -> None:
    with gzip.open(shared / "data/long/600000.SSE_daily.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    days = [row[next(iter(row))][:10] for row in rows]
    checked = outside_without = 0
    for item in real_actions(shared):
        if item.ex_date.isoformat() not in days or not item.adjusts:
            continue
        n = days.index(item.ex_date.isoformat())
        before, today = Decimal(rows[n - 1]["close"]), rows[n]
        rules = instrument_rules(SYMBOL, item.ex_date)
        band = rules.price_band(ex_reference(before, item))
        assert band is not None
        assert band.down <= Decimal(today["low"]) <= Decimal(today["high"]) <= band.up
        plain = rules.price_band(before)
        assert plain is not None
        outside_without += not plain.contains(Decimal(today["low"]))
        checked += 1
    assert checked >= 10
    assert outside_without >= 4  # the large bonus issues: without the adjustment their prices look impossible


def test_the_reference_price_by_hand() -> None:
    assert ex_reference(Decimal("10.00"), action(cash="0.23", bonus="0.4")) == Decimal("6.98")  # 9.77 / 1.4
    assert ex_reference(Decimal("10.00"), action(rights="0.3", rights_price="6")) == Decimal("9.08")
    assert ex_reference(Decimal("10.00"), action(cash="0.125")) == Decimal("9.88")  # 9.875, half up


def test_an_action_without_adjustment_leaves_the_close() -> None:
    item = CorporateAction(vt_symbol=SYMBOL, ex_date=date(2006, 5, 12), bonus=Decimal("0.3"), adjusts=False)
    assert ex_reference(Decimal("10.00"), item) == Decimal("10.00")
    assert new_shares(1_000, item) == 300


def test_a_dividend_above_the_price_is_refused() -> None:
    with pytest.raises(ValueError, match="exceeds the close"):
        ex_reference(Decimal("1.00"), action(cash="1.00"))


@pytest.mark.parametrize("figures", [{"cash": "-0.1"}, {"bonus": "NaN"}, {"rights": "0.3"}])
def test_impossible_figures_are_refused(figures: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=SYMBOL):
        action(**figures)


def test_new_shares_drop_the_fraction_and_cash_is_rounded_to_the_cent() -> None:
    assert new_shares(155, action(bonus="0.3")) == 46
    assert cash_dividend(155, action(cash="0.163")) == Decimal("25.27")  # 25.265


@pytest.mark.parametrize(
    ("bought", "sold", "tax"),
    [
        ("2024-06-03", "2024-07-03", "20.00"),  # to one month
        ("2024-06-03", "2024-07-04", "10.00"),
        ("2024-06-03", "2025-06-03", "10.00"),  # to one year
        ("2024-06-03", "2025-06-04", "0.00"),
        ("2024-01-31", "2024-02-29", "20.00"),  # a shorter month ends on its last day
        ("2024-01-31", "2024-03-01", "10.00"),
    ],
)
def test_the_dividend_tax_depends_on_the_holding_time(bought: str, sold: str, tax: str) -> None:
    days = date.fromisoformat(bought), date.fromisoformat(sold)
    assert dividend_tax(Decimal(100), date(2024, 6, 20), *days) == Decimal(tax)


@pytest.mark.parametrize(
    ("day", "tax"),
    [
        ("1994-01-01", "20.00"),
        ("2005-06-12", "20.00"),
        ("2005-06-13", "10.00"),
        ("2012-12-31", "10.00"),
        ("2013-01-01", "5.00"),
        ("2015-09-07", "5.00"),
        ("2015-09-08", "0.00"),
    ],
)
def test_the_dividend_tax_is_that_of_its_day(day: str, tax: str) -> None:
    on = date.fromisoformat(day)
    assert dividend_tax(Decimal(100), on, on.replace(year=on.year - 2), on) == Decimal(tax)


def test_no_dividend_tax_is_guessed_before_the_first_rule() -> None:
    day = date(1993, 12, 31)
    with pytest.raises(RuleUnknown, match="1994-01-01"):
        dividend_tax(Decimal(100), day, day, day)
    assert all(row.source and not row.confirmed for row in DIVIDEND_TAXES)


@pytest.mark.parametrize(
    ("day", "delisting_day", "limited"),
    [
        ("2020-12-30", 0, True),
        ("2020-12-31", 0, False),
        ("2024-06-03", 1, True),
        ("2024-06-03", None, True),
    ],
)
def test_the_first_day_of_a_delisting_period_has_no_limit(
    day: str, delisting_day: int | None, limited: bool
) -> None:
    rules = instrument_rules(
        "600999.SSE", date.fromisoformat(day), name="退市某某", delisting_day=delisting_day
    )
    assert (rules.price_band(5.0) is not None) is limited
