"""What decisions and trades cost in model use: shares of decisions, spread costs, unknown prices."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from vnpy_aiagent.domain import Decision, Fill, Message, Side, TokenUsage
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report import words
from vnpy_aiagent.report.model_cost import ModelCost, cost_of, model_costs
from vnpy_aiagent.report.read import RunRecord
from vnpy_aiagent.report.trades import trades_of

NOW = datetime(2025, 7, 1, 2, tzinfo=UTC)
BANK = "601988.SSE"


def decision(name: str, tokens: int, cost: str, *, is_llm: bool = True) -> Decision:
    return Decision(
        id=name, at=NOW, request_id="r", symbol=BANK, model="m", is_llm=is_llm, evidence=(), findings=(),
        debate=(), lessons=(), prompt_hash="",
        usage=TokenUsage(calls=1, prompt_tokens=tokens, cost=Decimal(cost)),
    )  # fmt: skip


def fill(name: str, cause: str, account: str, side: Side) -> Fill:
    free = {"commission": Decimal(0), "stamp_duty": Decimal(0), "transfer_fee": Decimal(0)}
    return Fill(
        id=name, at=NOW, cause=cause, account=account, trading_day=date(2025, 7, 1), exchange="SSE",
        symbol=BANK, side=side, orderid=name, tradeid=name, intent_id=None, parent_id=None,
        price=Decimal(5), volume=100, **free,
    )  # fmt: skip


def record(*messages: Message) -> RunRecord:
    return RunRecord.of_messages(messages)


def test_a_trade_bears_the_decisions_behind_its_fills_and_a_shared_one_in_equal_parts() -> None:
    found = record(
        decision("d1", 3_000, "0.30"),
        fill("f1", "d1", "a", Side.BUY),
        fill("f2", "d1", "b", Side.BUY),
        decision("d2", 1_000, "0.10"),
        fill("f3", "d2", "a", Side.SELL),
        decision("idle", 500, "0.05"),
    )
    trades = trades_of(found)
    costs = model_costs(found, trades)
    assert [trade.account for trade in trades] == ["a", "b"]
    assert costs.of_trades == (ModelCost(2_500, Decimal("0.25")), ModelCost(1_500, Decimal("0.15")))
    assert costs.total == ModelCost(4_500, Decimal("0.45"))
    assert costs.per_decision == ModelCost(1_500, Decimal("0.15"))
    assert costs.per_trade == ModelCost(2_250, Decimal("0.225"))


def test_without_trades_there_is_no_cost_of_one() -> None:
    found = record(decision("d1", 10, "0.1"))
    assert model_costs(found, []).per_trade is None
    assert model_costs(record(), []).per_decision is None


@pytest.mark.parametrize(
    ("made", "cost"),
    [
        (decision("d", 10, "0"), None),
        (decision("d", 10, "0.1"), Decimal("0.1")),
        (decision("d", 0, "0"), Decimal(0)),
        (decision("d", 10, "0", is_llm=False), Decimal(0)),
    ],
    ids=["no price", "priced", "no tokens", "rules"],
)
def test_a_price_that_nobody_gave_is_unknown_and_not_zero(made: Decision, cost: Decimal | None) -> None:
    assert cost_of([made]).cost == cost
    assert cost_of([made, decision("e", 1, "1")]).cost == (None if cost is None else cost + 1)


def test_the_sentence_says_what_is_not_known() -> None:
    zh = Localizer("zh")
    assert words.model_cost(ModelCost(7, None), zh) == "7 个 token（没有填写单价，费用未知）"
    assert words.model_cost(ModelCost(7, Decimal("0.12345")), zh) == "7 个 token、0.1234 元"
    assert words.model_cost(None, zh) == "-"
