"""The summary counts what the journal holds, in the shape that is promised."""

import json
from decimal import Decimal

import pytest

from vnpy_aiagent.domain import EquityMark
from vnpy_aiagent.report.accounts import agreements, recompute_accounts
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.read import RunRecord
from vnpy_aiagent.report.summary import build_summary

PROMISED = [
    "model", "data", "accounts", "baselines", "decisions", "proposals", "approved", "reduced", "rejected",
    "triggers", "reanalyses", "reviews", "lessons", "journal", "wall_seconds", "funnel",
]  # fmt: skip


def test_the_promised_keys_come_first_and_in_order(contents: Contents):
    assert list(contents.summary)[: len(PROMISED)] == PROMISED
    assert json.loads(json.dumps(contents.summary, ensure_ascii=False)) == contents.summary


def test_accounts_are_valued_from_opening_cash_to_the_last_close(contents: Contents):
    aggressive, judge = contents.summary["accounts"]
    assert list(aggressive.items())[:12] == list({
        "name": "aggressive", "style": "AGGRESSIVE", "equity_start": 1_000_000.0, "equity_end": 1_002_379.0,
        "return": 0.002379, "max_drawdown": 1e-05, "sharpe": None, "orders": 3, "fills": 2, "rejected": 1,
        "fees": 21.0,
        "execution": {
            "orders": 0, "children": 0, "cancels": 0, "fill_rate": None, "slippage": None,
            "first_fill_seconds": None,
        },
    }.items())  # fmt: skip
    assert judge["equity_end"] == 997_980.0
    assert judge["max_drawdown"] == pytest.approx(0.00202)
    assert (judge["orders"], judge["fills"], judge["rejected"], judge["fees"]) == (2, 2, 0, 10.0)


def test_baselines_begin_with_the_accounts_cash(contents: Contents):
    (baseline,) = contents.summary["baselines"]
    assert baseline["return"] == pytest.approx(-0.01)
    assert baseline["max_drawdown"] == pytest.approx(1 - 990_000 / 1_010_000, abs=1e-6)


def test_decisions_verdicts_and_triggers_are_counted(contents: Contents):
    summary = contents.summary
    assert (summary["decisions"], summary["proposals"]) == (6, 6)
    assert (summary["approved"], summary["reduced"], summary["rejected"]) == (3, 1, 1)
    assert summary["triggers"] == {"registered": 2, "fired": 1, "expired": 0, "replaced": 0, "cancelled": 1}
    assert (summary["reanalyses"], summary["reviews"], summary["lessons"]) == (1, 1, 1)


def test_the_funnel_narrows_from_scan_to_fill(contents: Contents):
    assert contents.summary["funnel"] == {
        "scanned": 20, "analysed": 6, "proposed": 4, "approved": 3, "filled": 2
    }  # fmt: skip


def test_best_and_worst_trade_are_named(contents: Contents):
    trades = contents.summary["trades"]
    assert (trades["closed"], trades["open"]) == (2, 0)
    assert (trades["best"]["account"], trades["best"]["pnl"]) == ("aggressive", 2379.0)
    assert (trades["worst"]["account"], trades["worst"]["pnl"]) == ("judge", -2020.0)


def test_the_journal_and_the_wall_time_are_carried_over(contents: Contents, record: RunRecord):
    assert contents.summary["journal"] == {"entries": len(record.messages), "head": "a" * 64}
    assert contents.summary["wall_seconds"] == 1.25


def test_cash_and_holdings_follow_from_fills_alone(record: RunRecord, symbol: str):
    books = recompute_accounts(record)
    assert books["aggressive"].cash == Decimal("1002379.00")
    assert books["judge"].cash == Decimal("997980.00")
    assert books["judge"].positions == {}
    first_day = recompute_accounts(record, record.fills[0].trading_day)
    assert first_day["judge"].positions == {symbol: 5_000}
    assert all(agreement.ok for agreement in agreements(record))


def test_a_valuation_that_does_not_follow_from_the_fills_is_reported(record: RunRecord):
    mark = record.marks["judge"][-1]
    wrong = mark.model_copy(update={"id": "wrong", "cash": mark.cash + Decimal("0.01")})
    kept = [message for message in record.messages if message.id != mark.id]
    off = {each.account: each for each in agreements(RunRecord.of_messages([*kept, wrong]))}
    assert not off["judge"].ok
    assert off["judge"].cash_off == Decimal("0.01")
    assert off["aggressive"].ok
    summary = build_summary(
        RunRecord.of_messages([*kept, wrong]), wall_seconds=1, journal_entries=1, journal_head="", data={}
    )
    assert not summary["books_agree"]
    [found] = summary["books_off"]
    assert (found["account"], found["cash_off"], found["positions_agree"]) == ("judge", 0.01, True)


def test_a_run_without_trades_has_an_empty_summary(record: RunRecord):
    quiet = RunRecord.of_messages(each for each in record.messages[:3] if not isinstance(each, EquityMark))
    contents = Contents.of(quiet, {})
    assert contents.best is None
    assert contents.span is None
    assert contents.accounts[0].equity_end == Decimal(1_000_000)


def test_examples_of_what_was_not_traded_come_in_the_language_asked_for(record):
    facts = {"wall_seconds": 1.0, "journal_entries": 1, "journal_head": "a", "data": {}}
    chinese, english = (build_summary(record, **facts, language=language) for language in ("zh", "en"))
    before, after = (
        [each["example"] for each in summary["not_traded"]["held"]] for summary in (chinese, english)
    )
    assert any(not example.isascii() for example in before)
    assert all(example.isascii() for example in after), after
