"""The funnel of a run, a day and a symbol."""

from datetime import date, datetime

from vnpy_aiagent.cli.funnel import funnel_facts, funnel_lines
from vnpy_aiagent.domain import (
    MARKET_TZ,
    AnalysisRequest,
    Candidate,
    JobSkipped,
    RequestKind,
    ScanResult,
    say,
)
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


def test_a_trigger_whose_reanalysis_was_suppressed_shows_with_its_reason(record: RunRecord, symbol: str):
    request = AnalysisRequest(
        id="replan",
        at=record.messages[-1].at,
        account="judge",
        request=RequestKind.REPLAN,
        symbol=symbol,
        accounts=("judge",),
        reason=say("触发"),
        trigger_id="t",
        deadline=record.messages[-1].at,
    )
    reason = say("{at} 刚重新分析过", at="10:00")
    skipped = JobSkipped(id="skip", at=request.at, cause="replan", job="replan", reason=reason)
    found = RunRecord.of_messages([*record.messages, request, skipped])
    assert why_not(record).unasked == ()
    for funnel in (why_not(found), why_not(found, request.at.date(), symbol)):
        assert [(why.count, why.example.render()) for why in funnel.unasked] == [(1, "10:00 刚重新分析过")]
    assert why_not(found, symbol="600000.SSE").unasked == ()
    lines = [*funnel_lines(why_not(found), "zh")]
    assert lines[lines.index("未询问模型:") + 1].strip() == "1  10:00 刚重新分析过"
    assert funnel_facts(why_not(found), "zh")["unasked"][0]["example"] == "10:00 刚重新分析过"


def scan(number: int, **left_out: tuple[str, ...]) -> ScanResult:
    return ScanResult(
        id=f"s{number}",
        at=datetime(2024, 1, 2, 9, 35, tzinfo=MARKET_TZ),
        scanned=2,
        picked=(Candidate(vt_symbol="510300.SSE", score=1.0, setup="trend"),),
        left_out={reason: len(symbols) for reason, symbols in left_out.items()},
        left_out_symbols=left_out,
    )


def test_a_symbol_that_scans_left_out_is_told_why():
    below, without = scan(1, below_cap=("600000.SSE",)), scan(2, no_setup=("600000.SSE",))
    scans = RunRecord.of_messages([below, without, below.model_copy(update={"id": "s3"})])
    assert why_not(scans, symbol="600000.SSE").left_out == {"below_cap": 2, "no_setup": 1}
    assert why_not(scans, symbol="510300.SSE").left_out == {}
    assert why_not(scans).left_out == {"below_cap": 2, "no_setup": 1}
