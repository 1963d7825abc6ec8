"""summary.json: what a run came to, in plain JSON values. Money in CNY to 0.01, ratios to 6 places."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from vnpy_aiagent.backtest.assess import facts
from vnpy_aiagent.domain import (
    Action,
    AnalysisRequest,
    Decision,
    ExecutionReport,
    Lesson,
    Outcome,
    Proposal,
    RequestKind,
    Review,
    TriggerEnd,
    TriggerEnded,
    TriggerFired,
    TriggerSpec,
    Verdict,
    cny,
)
from vnpy_aiagent.execution.quality import quality_of
from vnpy_aiagent.i18n import Language, Translate, show, translator
from vnpy_aiagent.report.accounts import (
    AccountResult,
    Agreement,
    BaselineResult,
    account_results,
    agreements,
    baseline_result,
)
from vnpy_aiagent.report.evaluation import AccountEvaluation, Evaluation, evaluate
from vnpy_aiagent.report.model_cost import ModelCost, model_costs
from vnpy_aiagent.report.read import RunRecord
from vnpy_aiagent.report.trades import Trade, best_and_worst, trades_of
from vnpy_aiagent.report.why_not import Funnel, Why, why_not


def build_summary(
    record: RunRecord,
    *,
    wall_seconds: float,
    journal_entries: int,
    journal_head: str,
    data: Mapping[str, object],
    language: Language = "zh",
    evaluation: Evaluation | None = None,
) -> dict[str, Any]:
    """The summary of a run; `data` is taken over as it is given and must hold JSON values.

    `language` is that of the example sentences; the evaluation is made from the record unless it is given.
    """
    started = record.started
    judged = (verdict for verdict in record.of(Verdict) if verdict.action is not Action.HOLD)
    outcomes = Counter(verdict.outcome for verdict in judged)
    funnel, trades = why_not(record), trades_of(record)
    best, worst = best_and_worst(trades)
    measured = evaluation or evaluate(record)
    by_name = {each.name: each for each in measured.accounts}
    return {
        "model": {
            "name": started.model if started else "",
            "is_llm": started.is_llm if started else False,
        },
        "data": dict(data),
        "accounts": [
            {**_account(result, record), **_evaluation(by_name.get(result.name))}
            for result in account_results(record)
        ],
        "baselines": [
            _baseline(baseline_result(each.name, each.label, each.curve)) for each in measured.baselines
        ],
        "decisions": len(record.of(Decision)),
        "proposals": len(record.of(Proposal)),
        "approved": outcomes[Outcome.APPROVED],
        "reduced": outcomes[Outcome.REDUCED],
        "rejected": outcomes[Outcome.REJECTED],
        "triggers": _triggers(record),
        "reanalyses": sum(1 for each in record.of(AnalysisRequest) if each.request is RequestKind.REPLAN),
        "reviews": len(record.of(Review)),
        "lessons": len(record.of(Lesson)),
        "journal": {"entries": journal_entries, "head": journal_head},
        "wall_seconds": round(wall_seconds, 3),
        "funnel": _funnel(funnel),
        "trades": {
            "closed": sum(1 for trade in trades if trade.record),
            "open": sum(1 for trade in trades if not trade.record),
            "best": _trade(best),
            "worst": _trade(worst),
        },
        "not_traded": _not_traded(funnel, translator(language)),
        "usage": _usage(record, trades),
        "books_agree": all(agreement.ok for agreement in agreements(record)),
        "books_off": [_off(agreement) for agreement in agreements(record) if not agreement.ok],
    }


def _off(agreement: Agreement) -> dict[str, Any]:
    """An account whose last valuation does not follow from its fills."""
    return {
        "account": agreement.account,
        "day": agreement.day.isoformat(),
        "cash_off": _money(agreement.cash_off),
        "positions_agree": agreement.positions_agree,
    }


def _account(result: AccountResult, record: RunRecord) -> dict[str, Any]:
    reports = (report for report in record.of(ExecutionReport) if report.account == result.name)
    return {
        "name": result.name,
        "style": result.style.name,
        "equity_start": _money(result.equity_start),
        "equity_end": _money(result.equity_end),
        "return": round(result.total_return, 6),
        "max_drawdown": round(result.max_drawdown, 6),
        "sharpe": None if result.sharpe is None else round(result.sharpe, 4),
        "orders": result.orders,
        "fills": result.fills,
        "rejected": result.rejected,
        "fees": _money(result.fees),
        "execution": quality_of(reports).as_json(),
    }


def _evaluation(found: AccountEvaluation | None) -> dict[str, Any]:
    """What the evaluation adds to an account; nothing to one that was never valued above 0."""
    if found is None:
        return {}
    present = ("total_return", "max_drawdown", "sharpe")
    added = {name: value for name, value in facts(found.result).items() if name not in present}
    return {"benchmark": found.benchmark, **added}


def _baseline(result: BaselineResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "return": round(result.total_return, 6),
        "max_drawdown": round(result.max_drawdown, 6),
        "sharpe": None if result.sharpe is None else round(result.sharpe, 4),
    }


def _triggers(record: RunRecord) -> dict[str, int]:
    ends = Counter(ended.end for ended in record.of(TriggerEnded))
    return {
        "registered": len(record.of(TriggerSpec)),
        "fired": len(record.of(TriggerFired)),
        "expired": ends[TriggerEnd.EXPIRED],
        "replaced": ends[TriggerEnd.REPLACED],
        "cancelled": ends[TriggerEnd.CANCELLED],
    }


def _funnel(funnel: Funnel) -> dict[str, int]:
    return {
        "scanned": funnel.scanned,
        "analysed": funnel.analysed,
        "proposed": funnel.proposed,
        "approved": funnel.approved,
        "filled": funnel.filled,
    }


def _not_traded(funnel: Funnel, translate: Translate) -> dict[str, Any]:
    return {
        "scan": dict(funnel.left_out),
        "abstained": [{"kind": why.name, **_why(why, translate)} for why in funnel.abstained],
        "failures": {why.name: why.count for why in funnel.failures},
        "held": [_why(why, translate) for why in funnel.held],
        "unasked": [_why(why, translate) for why in funnel.unasked],
        "rules": {why.name: why.count for why in funnel.refused},
        "unfilled": [_why(why, translate) for why in funnel.unfilled],
    }


def _why(why: Why, translate: Translate) -> dict[str, Any]:
    return {"count": why.count, "example": show(why.example, translate)}


def _trade(trade: Trade | None) -> dict[str, Any] | None:
    if trade is None or trade.record is None:
        return None
    found = trade.record
    return {
        "id": found.id,
        "account": trade.account,
        "symbol": trade.symbol,
        "opened": found.opened.isoformat(),
        "closed": found.closed.isoformat(),
        "pnl": _money(found.pnl),
        "return": round(found.return_ratio, 6),
    }


def _usage(record: RunRecord, trades: Sequence[Trade]) -> dict[str, Any]:
    costs = model_costs(record, trades)
    usages = [decision.usage for decision in record.of(Decision)]
    return {
        "calls": sum(usage.calls for usage in usages),
        "prompt_tokens": sum(usage.prompt_tokens for usage in usages),
        "completion_tokens": sum(usage.completion_tokens for usage in usages),
        "cost": float(sum((usage.cost for usage in usages), Decimal(0))),
        "per_decision": _model_cost(costs.per_decision),
        "per_trade": _model_cost(costs.per_trade),
        "of_trades": [_model_cost(each) for each in costs.of_trades],
    }


def _model_cost(found: ModelCost | None) -> dict[str, Any] | None:
    """Tokens, and CNY to 0.0001 or None where the price is not known."""
    if found is None:
        return None
    return {"tokens": found.tokens, "cost": None if found.cost is None else round(float(found.cost), 4)}


def _money(value: Decimal) -> float:
    return float(cny(value))
