"""A report of a real simulation: CSI 300 history through the whole engine, read back from its journal."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from vnpy_aiagent.config import Settings
from vnpy_aiagent.data.hs300 import load_hs300
from vnpy_aiagent.domain import Fill, ScheduleFired, Verdict
from vnpy_aiagent.report import RunRecord, read_journal, recompute_accounts, why_not, write_report
from vnpy_aiagent.report.accounts import agreements
from vnpy_aiagent.report.trades import trades_of
from vnpy_aiagent.simulation import Simulation

LARGEST_PAGE = 15_000_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a year of trading."""
    journal = tmp_path_factory.mktemp("run") / "journal.db"
    simulation = Simulation(load_hs300(), Settings(), journal, start=date(2020, 1, 2), end=date(2020, 12, 31))
    simulation.run()
    return journal


@pytest.fixture(scope="module")
def record(run: Path) -> RunRecord:
    """The journal as a record."""
    return read_journal(run)


def test_cash_and_holdings_recomputed_from_fills_equal_the_last_valuation(record: RunRecord):
    checked = agreements(record)
    assert len(checked) == len(record.accounts) > 0
    assert all(agreement.ok for agreement in checked)
    assert set(recompute_accounts(record)) == set(record.accounts)


def test_every_entry_is_followed_back_to_a_schedule_through_a_verdict(record: RunRecord):
    trades = trades_of(record)
    assert trades
    for trade in trades:
        assert isinstance(trade.chain[0], ScheduleFired)
        assert trade.proposal is not None
        assert record.origin(Verdict, trade.fills[0].id) is not None
        assert set(trade.fills) <= {message for message in trade.chain if isinstance(message, Fill)}


def test_the_funnel_of_days_adds_up_to_the_funnel_of_the_run(record: RunRecord):
    days = {message.at.date() for message in record.messages}
    whole, parts = why_not(record), [why_not(record, day) for day in sorted(days)]
    assert whole.scanned == sum(part.scanned for part in parts) > 0
    assert whole.analysed == sum(part.analysed for part in parts) > 0
    assert whole.filled == sum(part.filled for part in parts)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_files_of_a_real_run_are_complete_and_bounded(run: Path, tmp_path: Path, language: str):
    data = {"source": "CSI 300", "symbols": 1, "bars": 1, "start": "2020-01-02", "end": "2020-12-31"}
    summary = write_report(run, tmp_path, wall_seconds=1.0, data=data, language=language)  # type: ignore[arg-type]
    assert summary["books_agree"]
    assert summary == json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert len(page.encode()) < LARGEST_PAGE
    body = page[page.index("<body>") : page.index('<script type="application/json"')]
    assert body.count('class="trade"') == summary["trades"]["closed"] + summary["trades"]["open"]
    assert not re.search(r"(src|href)=\"(?!#)", body)
