"""Every answer of the corpus through the real brain, risk and execution, judged beside by the validator."""

import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from answer_shape import WORDS, plan_keys
from exact_numbers import exact, shown
from house import Outcome, facts_of, play, situations
from plan_orders import check_orders, judged_in
from proposal_corpus import Case, about, cases, families, written
from validator import Judgement

from vnpy_aiagent.brain import plans
from vnpy_aiagent.brain.schemas import PlanAnswer, schema_of
from vnpy_aiagent.domain import Intent, Signal, Verdict

DOCS = Path(__file__).parents[2] / "docs" / "grounding.md"
SAID = {
    "json": "JSON|Unicode|object",
    "shape": "required|not permitted|should be|should have|must be|finite|at most|Unable",
    "symbol": "the plan is for",
    "citation": "does not exist|cites no evidence",
    "action": "does not fit|holds the symbol already",
    "contradiction": "BEARISH|CLOSE",
    "missing": "needs",
    "weight": "target_weight",
    "basis": "is not known|belong",
    "offset": "beyond|between 0 and 1|sensible|not positive",
    "level": "is no price|holds no market level|needs the copied|holds no prices",
    "band": "outside today's limits",
    "side": "is not below|is not above|holds already",
    "trigger": "needs `price`|needs `sessions`",
    "reply": "there is no question",
}
"""What the refusal of the product says for each word of the validator."""


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_product_and_the_validator_judge_an_answer_as_the_corpus_says(case: Case) -> None:
    answers: list[str] = []

    def judge(known: dict[str, object]) -> str:
        answers.append(case.write(known))
        return answers[-1]

    outcome = play(case.situation, judge)
    judgement, _ = judged_in(case.situation, outcome, answers[-1])
    assert (judgement.valid, judgement.word) == (case.states is not None, case.bad), judgement.sentence
    if not judgement.valid:
        _check_abstention(case, outcome)
        return
    assert outcome.proposal.abstained == ""
    assert outcome.proposal.action == judgement.action
    assert outcome.proposal.symbol == case.situation.symbol
    _check_prices(case, outcome, judgement)
    assert check_orders(case.situation, outcome, answers[-1]) == case.trades
    if case.rule:
        refused = {line.rule for verdict in outcome.of(Verdict) for line in verdict.lines if not line.passed}
        assert case.rule in refused


def _check_abstention(case: Case, outcome: Outcome) -> None:
    """The account holds, the reason is told, and nothing whatever is ordered."""
    proposal = outcome.proposal
    assert proposal.action == "HOLD"
    assert re.search(SAID[case.bad], proposal.abstained), proposal.abstained
    assert proposal.entry is proposal.stop is proposal.target is None
    assert proposal.triggers == ()
    assert outcome.of(Signal) == []
    assert outcome.of(Intent) == []


def _check_prices(case: Case, outcome: Outcome, judgement: Judgement) -> None:
    """What was worked out by hand, the validator's exact prices and the product's own are the same."""
    assert case.states is not None
    found = {
        "entry": shown(judgement.entry),
        "stop": shown(judgement.stop),
        "target": shown(judgement.target),
        "triggers": [shown(v) if isinstance(v, Fraction) else v for _, v in judgement.triggers],
    }
    assert {name: found[name] for name in case.states} == case.states
    verdicts = outcome.of(Verdict)
    if not verdicts or verdicts[0].price is None:
        return
    verdict = verdicts[0]
    assert judgement.entry is None or exact(verdict.price or 0) == judgement.entry
    if not (case.rest and verdict.stop is None):  # a looser stop is not taken over
        assert (None if verdict.stop is None else exact(verdict.stop)) == judgement.stop
    assert (None if verdict.target is None else exact(verdict.target)) == judgement.target
    watched = [t.sessions if t.price is None else exact(t.price) for t in verdict.triggers]
    assert watched == [value for _, value in judgement.triggers]


def test_what_the_situations_state_is_what_the_tools_tell() -> None:
    for situation in situations().values():
        outcome = play(situation, lambda known: written({"base": "hold"}, known))
        told = {source.tool: source.data for source in outcome.sources().values()}
        if situation.today is None:
            assert "get_quote" not in told
            continue
        stated = {name: None if v is None else float(v) for name, v in situation.states.items()}
        assert {name: told["get_quote"][name] for name in stated} == stated
        assert exact(told["get_quote"]["tick"]) == situation.tick
        rows = told["get_bars"]["rows"]
        assert [tuple(row[1:]) for row in rows] == list(situation.history[-len(rows) :])
        if "get_indicators" in told:
            assert exact(told["get_indicators"]["atr14"]) == facts_of(situation).atr


def test_the_corpus_is_large_varied_and_in_both_languages() -> None:
    assert len(cases()) >= 300
    assert len({case.why + case.situation.name for case in cases()}) >= 300
    assert len(families()) >= 10
    assert {case.bad for case in cases()} == {"", *WORDS}
    assert {case.situation.name for case in cases()} == set(situations())
    assert sum(case.trades for case in cases()) >= 80
    assert sum("_en" in str(case.change.get("base")) for case in cases()) >= 40
    assert all(case.why for case in cases())


def test_the_validator_knows_the_keys_of_a_plan() -> None:
    assert set(schema_of(PlanAnswer)["properties"]) == plan_keys()


def test_the_validator_is_independent_of_the_product() -> None:
    for name in ("exact_numbers.py", "answer_shape.py", "validator.py"):
        text = (Path(__file__).parent / name).read_text(encoding="utf-8")
        assert "vnpy_aiagent" not in text


@pytest.mark.parametrize(
    ("broken", "family", "bad"),
    [
        ("check_level", "levels_not_copied", "level"),
        ("_check_band", "boards_and_products", "band"),
        ("_check_sense", "actions_and_holdings", "contradiction"),
        ("_check_trigger", "sides_and_triggers", "trigger"),
    ],
)
def test_a_brain_without_one_of_its_checks_is_caught(
    broken: str, family: str, bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, broken, lambda *given: None)
    case = next(case for case in families()[family] if case.bad == bad)
    outcome = play(case.situation, case.write)
    with pytest.raises(AssertionError):
        _check_abstention(case, outcome)


def table() -> str:
    """The corpus by family, Markdown."""
    head = "| family | about | cases | sound | refused | orders |\n| --- | --- | --- | --- | --- | --- |"
    lines = [_row(family.replace("_", " "), about(family), found) for family, found in families().items()]
    return "\n".join([head, *lines, _row("all", "", list(cases()))])


def _row(name: str, text: str, found: list[Case]) -> str:
    refused = sum(bool(case.bad) for case in found)
    orders = sum(case.trades for case in found)
    return f"| {name} | {text} | {len(found)} | {len(found) - refused} | {refused} | {orders} |"


def words() -> str:
    """Refusals of the corpus by their reason, Markdown."""
    counted = Counter(case.bad for case in cases() if case.bad)
    head = "| word | what is wrong | cases |\n| --- | --- | --- |"
    return "\n".join([head, *(f"| `{word}` | {WORDS[word]} | {counted[word]} |" for word in WORDS)])


def test_the_tables_of_the_docs_are_those_of_the_corpus() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert table() in text
    assert words() in text
