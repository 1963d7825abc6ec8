"""The funnel of a run, a day and a symbol."""

from datetime import date

from vnpy_aiagent.report.read import RunRecord
from vnpy_aiagent.report.why_not import why_not


def test_a_run_says_why_candidates_were_left_out(record: RunRecord):
    funnel = why_not(record)
    assert funnel.left_out == {"no_setup": 14, "below_cap": 4}
    assert [(why.count, why.example.render()) for why in funnel.held] == [
        (1, "把握 50.0% 不足 60.0%，不开仓")
    ]
    assert [(why.name, why.count) for why in funnel.refused] == [("daily_loss", 1)]
    assert "3.1%" in funnel.refused[0].example.render()
    assert [(why.count, why.example.render()) for why in funnel.unfilled] == [
        (1, "委托被拒 510300.SSE：资金不足")
    ]


def test_a_day_counts_its_own_proposals_alone(record: RunRecord):
    first = why_not(record, date(2024, 1, 2))
    assert (first.scanned, first.proposed, first.approved, first.reduced, first.filled) == (10, 2, 2, 1, 2)
    assert first.refused == ()
    second = why_not(record, date(2024, 1, 3))
    assert (second.scanned, second.analysed, second.proposed) == (0, 1, 0)


def test_a_symbol_is_followed_from_scans_to_fills(record: RunRecord, symbol: str):
    found = why_not(record, symbol=symbol)
    assert (found.scanned, found.picked, found.analysed, found.filled) == (2, 2, 6, 2)
    other = why_not(record, symbol="600000.SSE")
    assert (other.picked, other.analysed, other.proposed, other.left_out) == (0, 0, 0, {})
