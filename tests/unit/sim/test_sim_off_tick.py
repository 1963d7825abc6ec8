"""Bars off the tick grid: fills are on it, so that the book, the exchange and the fills agree to the cent."""

from datetime import date
from decimal import Decimal
from pathlib import Path

from vnpy_aiagent.agents.books_check import differences
from vnpy_aiagent.config import AccountSettings, RiskLimits, load_settings
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.market_data import Instrument, MarketData
from vnpy_aiagent.domain import BarInterval, Fill, Mode, Side, Style
from vnpy_aiagent.market.calendar import default_calendar
from vnpy_aiagent.portfolio import AccountBook
from vnpy_aiagent.report import read_journal
from vnpy_aiagent.report.accounts import agreements
from vnpy_aiagent.sim.account import SimAccount
from vnpy_aiagent.simulation import Simulation

SYMBOL = "600036.SSE"


def adjusted_bars() -> MarketData:
    """A rise and a fall, with prices as an adjustment leaves them: none of them on the grid."""
    days = default_calendar().sessions(date(2024, 9, 2), date(2025, 3, 31))
    top = len(days) - 12
    closes = [20.0033]
    for n in range(1, len(days)):  # two days up and one down, so that the rise is not overbought
        closes.append(closes[-1] * (0.971 if n > top else 0.991 if n % 3 == 0 else 1.0107))
    rows = [(day, c * 0.9987, c * 1.0121, c * 0.9893, c, 5e7) for day, c in zip(days, closes, strict=True)]
    series = BarSeries.from_rows(SYMBOL, BarInterval.DAILY, rows)
    return MarketData("adjusted", {SYMBOL: Instrument(SYMBOL)}, {(SYMBOL, BarInterval.DAILY): series})


def test_a_run_on_adjusted_prices_has_fills_on_the_grid_and_books_that_agree(tmp_path: Path) -> None:
    limits = RiskLimits(max_weight_share=0.5, min_confidence=0.5)
    account = AccountSettings(name="judge", style=Style.JUDGE, limits=limits)
    settings = load_settings(mode=Mode.SIMULATION, accounts=(account,))
    journal = tmp_path / "journal.db"
    Simulation(adjusted_bars(), settings, journal, start=date(2025, 1, 2)).run()
    record = read_journal(journal)
    fills = record.of(Fill)
    assert {fill.side for fill in fills} == {Side.BUY, Side.SELL}, "without a round trip this shows nothing"
    assert all(fill.price % Decimal("0.01") == 0 for fill in fills)
    assert all(agreement.ok for agreement in agreements(record))


def test_a_book_that_its_own_fills_do_not_explain_differs() -> None:
    book, venue = AccountBook("judge", Style.JUDGE, Decimal(1000)), SimAccount("judge", Decimal(1000))
    assert differences(book, venue) == []
    book.cash += Decimal("0.01")
    venue.cash += Decimal("0.01")
    assert differences(book, venue) == ["CNY 1000.01 / 1000.00"]
