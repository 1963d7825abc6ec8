"""What commands accept as amounts, dates, frequencies and lists of symbols."""

from datetime import date
from decimal import Decimal

import pytest

from vnpy_aiagent.cli.common import parse_cash, parse_day, parse_frequency, split_symbols
from vnpy_aiagent.domain import BarInterval
from vnpy_aiagent.errors import ConfigError


@pytest.mark.parametrize("text", ["1", "1000000", "250000.50", "1e6", "1000000000000"])
def test_amounts_are_taken_exactly(text: str) -> None:
    assert parse_cash(text) == Decimal(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("much", "is not an amount; write it like 1000000"),
        ("1,000,000", "is not an amount"),
        ("", "is not an amount"),
        ("nan", "must be above 0"),
        ("inf", "must be above 0"),
        ("0", "must be above 0"),
        ("-5", "must be above 0"),
        ("0.001", "give from 1 to 1,000,000,000,000 CNY"),
        ("1e30", "give from 1 to 1,000,000,000,000 CNY"),
        ("1e400", "give from 1 to 1,000,000,000,000 CNY"),
    ],
)
def test_impossible_amounts_are_refused_with_what_to_write(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_cash(text)


def test_a_date_left_out_stays_out() -> None:
    assert parse_day(None, "--start") is None
    assert parse_day("2024-02-29", "--start") == date(2024, 2, 29)


@pytest.mark.parametrize("text", ["2025-02-29", "2025-13-01", "01/02/2025", "20250102", "", "yesterday"])
def test_a_date_that_does_not_exist_names_its_option(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--as-of .* is not a date; write it like 2025-01-31"):
        parse_day(text, "--as-of")


def test_frequencies_are_daily_and_hourly() -> None:
    assert parse_frequency("daily") is BarInterval.DAILY
    assert parse_frequency("hourly") is BarInterval.HOUR
    with pytest.raises(ConfigError, match="use daily or hourly"):
        parse_frequency("1m")


def test_symbols_are_separated_by_commas_of_both_widths_and_spaces() -> None:
    assert split_symbols("600519.SSE, 600036.SSE，贵州茅台  000001.SZSE,") == [
        "600519.SSE",
        "600036.SSE",
        "贵州茅台",
        "000001.SZSE",
    ]
    assert split_symbols(None) == []
