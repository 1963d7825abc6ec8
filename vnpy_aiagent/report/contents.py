"""What every form of the report shows, computed once from the record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from vnpy_aiagent.report.accounts import (
    AccountResult,
    Agreement,
    BaselineResult,
    account_results,
    agreements,
    baseline_result,
)
from vnpy_aiagent.report.evaluation import Evaluation, evaluate
from vnpy_aiagent.report.model_cost import ModelCosts, model_costs
from vnpy_aiagent.report.read import RunRecord
from vnpy_aiagent.report.trades import Trade, best_and_worst, trades_of
from vnpy_aiagent.report.why_not import Funnel, why_not


@dataclass(frozen=True)
class Contents:
    """The parts of a report, language-neutral."""

    record: RunRecord
    summary: Mapping[str, Any]
    accounts: tuple[AccountResult, ...]
    baselines: tuple[BaselineResult, ...]
    agreements: tuple[Agreement, ...]
    funnel: Funnel
    trades: tuple[Trade, ...]
    best: Trade | None
    worst: Trade | None
    evaluation: Evaluation
    costs: ModelCosts

    @classmethod
    def of(
        cls, record: RunRecord, summary: Mapping[str, Any], evaluation: Evaluation | None = None
    ) -> "Contents":
        """Everything that the record holds; the evaluation is made from it alone unless it is given."""
        judged = evaluation or evaluate(record)
        trades = trades_of(record)
        best, worst = best_and_worst(trades)
        return cls(
            record=record,
            summary=summary,
            accounts=tuple(account_results(record)),
            baselines=tuple(baseline_result(each.name, each.label, each.curve) for each in judged.baselines),
            agreements=tuple(agreements(record)),
            funnel=why_not(record),
            trades=tuple(trades),
            best=best,
            worst=worst,
            evaluation=judged,
            costs=model_costs(record, trades),
        )

    @property
    def span(self) -> tuple[date, date] | None:
        """First and last day with a valuation."""
        days = [mark.day for marks in self.record.marks.values() for mark in marks]
        return (min(days), max(days)) if days else None
