"""Round trips and their chains of messages."""

from vnpy_aiagent.domain import Fill, StopState, StopUpdate
from vnpy_aiagent.report.read import RunRecord
from vnpy_aiagent.report.trades import best_and_worst, trades_of


def test_each_account_has_its_own_round_trip(record: RunRecord):
    trades = trades_of(record)
    assert [(trade.account, len(trade.fills)) for trade in trades] == [("aggressive", 2), ("judge", 2)]
    best, worst = best_and_worst(trades)
    assert (best, worst) == (trades[0], trades[1])


def test_a_chain_runs_from_the_schedule_over_the_trigger_to_the_closed_trade(record: RunRecord):
    kinds = [message.kind for message in trades_of(record)[0].chain]
    assert kinds == [
        "ScheduleFired", "ScanResult", "AnalysisRequest", "Decision", "Proposal", "Verdict", "Signal",
        "ParentOrder", "Intent", "Sent", "OrderUpdate", "Fill", "ParentDone", "StopUpdate", "TriggerSpec",
        "TriggerFired", "TriggerEnded", "AnalysisRequest", "Decision", "Proposal", "Verdict", "Signal",
        "ParentOrder", "Intent", "Sent", "OrderUpdate", "Fill", "ParentDone", "TradeRecord", "StopUpdate",
    ]  # fmt: skip


def test_a_stopped_out_trade_shows_the_stop_that_sold_it(record: RunRecord):
    trade = trades_of(record)[1]
    states = [message.state for message in trade.chain if isinstance(message, StopUpdate)]
    assert states == [StopState.ARMED, StopState.WORKING, StopState.FLAT]
    assert trade.chain[-1].kind == "TriggerEnded"
    assert trade.proposal is not None
    assert trade.decision is not None


def test_a_second_trip_in_the_same_symbol_is_a_trade_of_its_own(record: RunRecord):
    fill = next(each for each in record.of(Fill) if each.account == "judge")
    again = fill.model_copy(update={"id": "t-9000001", "tradeid": "again", "cause": None})
    trades = trades_of(RunRecord.of_messages([*record.messages, again]))
    assert len(trades) == 3
    assert trades[2].record is None
    assert trades[2].chain == (again,)
    assert best_and_worst(trades[2:]) == (None, None)
