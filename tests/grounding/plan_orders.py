"""What came of an answer in the house, held against the validator's judgement and the expected order."""

from fractions import Fraction

from exact_numbers import exact
from expected_orders import Books, Order, books_of, order_of
from house import Outcome, Situation, facts_of
from validator import Facts, Judgement, judge_plan

from vnpy_aiagent.domain import Fill, Intent, ParentOrder, Side


def books_before(situation: Situation, outcome: Outcome, last: Fraction | None) -> Books:
    """The account when the answer was given, from its fills until then."""
    bought = [
        (f.price, f.volume, f.commission + f.stamp_duty + f.transfer_fee) for f in outcome.earlier(Fill)
    ]
    return books_of(situation.cash, bought, last)


def judged_in(situation: Situation, outcome: Outcome, answer: str) -> tuple[Judgement, Facts]:
    """The validator's judgement of what the judge answered, and the facts that it was told."""
    facts = facts_of(situation)
    books = books_before(situation, outcome, facts.last)
    if books.held and facts.last:
        facts = facts_of(situation, books.held * facts.last / books.equity)
    return judge_plan(answer, facts, outcome.sources()), facts


def check_orders(situation: Situation, outcome: Outcome, answer: str) -> bool:
    """Whether orders came of an answer. Each must be the one that evidence and rules lead to.

    AssertionError for any other price, volume, side or symbol, and for an order of a refused answer.
    """
    judgement, facts = judged_in(situation, outcome, answer)
    mine = [intent for intent in outcome.of(Intent) if not _protective(outcome, intent)]
    if not mine:
        return False
    assert judgement.valid
    assert facts.last is not None
    expected = order_of(judgement, facts, situation, books_before(situation, outcome, facts.last))
    for intent in mine:
        _check_intent(intent, expected, facts, situation.symbol)
    assert exact(mine[0].price) == expected.first
    assert mine[0].volume == expected.volume
    filled = sum(fill.volume for fill in outcome.of(Fill) if fill.intent_id in {each.id for each in mine})
    assert filled <= expected.volume
    if expected.first >= facts.last or not expected.buys:
        assert filled == expected.volume
    return True


def _protective(outcome: Outcome, intent: Intent) -> bool:
    """Whether an intent works a stop, not the plan's own signal."""
    return any(order.id == intent.parent_id and order.protective for order in outcome.of(ParentOrder))


def _check_intent(intent: Intent, expected: Order, facts: Facts, symbol: str) -> None:
    price = exact(intent.price)
    assert intent.symbol == symbol
    assert (intent.side is Side.BUY) == expected.buys
    assert price % facts.tick == 0
    assert expected.lowest <= price <= expected.highest
    assert intent.volume <= expected.volume
