"""Evaluation in reports: figures by account, baselines from prices, charts, two journals side by side."""

import json
import re
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from vnpy_aiagent.domain import EquityMark
from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report import figures
from vnpy_aiagent.report.against import compare_accounts
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.evaluation import evaluate
from vnpy_aiagent.report.html import build_html
from vnpy_aiagent.report.prices import Prices
from vnpy_aiagent.report.read import RunRecord

DAYS = tuple(date(2024, 1, day) for day in (2, 3, 4))
PRICES = Prices(DAYS, ("510300.SSE",), np.array([[4.0], [4.2], [4.1]]))


def test_without_prices_the_baselines_are_those_of_the_journal(record: RunRecord):
    assert [each.name for each in evaluate(record).baselines] == ["equal_weight"]


def test_with_prices_every_account_has_a_random_one_with_its_turnover(record: RunRecord):
    found = evaluate(record, PRICES)
    assert [each.name for each in found.baselines] == [
        "equal_weight",
        "moving_average",
        "random aggressive",
        "random judge",
    ]
    for each in found.baselines:
        assert len(each.values) == len(each.days) == 3
        assert each.opening == 1_000_000.0
    average = found.baselines[1]
    assert average.values == (1_000_000.0,) * 3  # no twenty closes yet: nothing held
    random = found.accounts[0].result.random
    assert random is not None
    assert random.median[-1] < 1.02  # 4 % of the money, once


def test_prices_of_other_days_give_no_random_baseline(record: RunRecord):
    other = Prices(tuple(day.replace(year=2023) for day in DAYS), PRICES.symbols, PRICES.closes)
    assert [each.name for each in evaluate(record, other).baselines] == ["equal_weight"]


def test_the_closed_trades_are_moved_within_the_prices(record: RunRecord):
    shifted = evaluate(record, PRICES).accounts[0].result.shifted
    assert shifted is not None
    assert shifted.real == pytest.approx(0.04 * 0.05, rel=1e-3)  # 40,000 CNY from 4.0 to 4.2
    assert evaluate(record).accounts[0].result.shifted is None


def test_the_summary_gains_figures_and_stays_json(contents: Contents):
    account = contents.summary["accounts"][0]
    assert json.loads(json.dumps(account, allow_nan=False)) == account
    assert account["benchmark"] == "equal_weight"
    assert account["trials"] == 2
    assert account["win_rate"] == 1.0
    assert account["exposure"] == pytest.approx(40_000 / 999_990 / 3, rel=1e-3)
    assert account["cost_share"] == pytest.approx(21 / 2400, abs=1e-6)
    assert [each["start"] for each in account["years"]] == ["2024-01-02"]


def test_an_account_that_lost_everything_has_no_figures(record: RunRecord):
    gone = [
        each.model_copy(update={"cash": Decimal(-5), "market_value": Decimal(0)})
        if isinstance(each, EquityMark) and each.account == "judge"
        else each
        for each in record.messages
    ]
    assert [each.name for each in evaluate(RunRecord.of_messages(gone)).accounts] == ["aggressive"]


def test_every_row_has_a_cell_for_each_account(contents: Contents):
    say = Localizer("zh")
    rows = figures.figure_rows(contents.evaluation, say)
    assert figures.figure_header(contents.evaluation, say) == ["指标", "aggressive", "judge"]
    assert {len(row) for row in rows} == {3}
    assert ["胜率", "100.00%", "0.00%"] in rows
    assert ["夏普比率", "-", "-"] in rows  # three days
    assert figures.year_rows(contents.evaluation) == [["2024", "+0.24%", "-0.20%"]]


def test_the_charts_hold_exposure_costs_and_months(contents: Contents):
    page = build_html(contents, "zh")
    found = re.search(r'id="chart-data">(.*?)</script>', page, re.DOTALL)
    assert found
    first, _, baseline = json.loads(found.group(1))["series"]
    assert first["cost"] == [10.0, 21.0, 21.0]
    assert first["exposure"] == [4.0, 0.0, 0.0]
    assert first["months"] == [[2024, 1, 0.24]]
    assert first["rolling"] == [None, None, None]
    assert "cost" not in baseline
    for place in ("rolling", "exposure", "cost", "months"):
        assert f'id="{place}"' in page


def test_a_journal_agrees_with_itself_and_shows_the_day_it_left_another(record: RunRecord):
    same = compare_accounts(record, record)
    assert {each.return_gap for each in same.values()} == {0.0}
    worse = [
        each.model_copy(update={"cash": each.cash - 1000})
        if isinstance(each, EquityMark) and each.account == "judge" and each.day >= DAYS[1]
        else each
        for each in record.messages
    ]
    found = compare_accounts(record, RunRecord.of_messages(worse))
    assert found["aggressive"].return_gap == 0.0
    assert found["judge"].return_gap == pytest.approx(1000 / 999_995)
    assert found["judge"].worst_day == DAYS[1]


def test_journals_without_common_days_are_refused(record: RunRecord):
    empty = RunRecord.of_messages(each for each in record.messages if not isinstance(each, EquityMark))
    with pytest.raises(JournalError, match="share no account"):
        compare_accounts(record, empty)
