"""The reader without a model, and what a model's answer must be."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from decision_world import NOW, SYMBOL, snapshot
from hypothesis import given
from hypothesis import strategies as st

from vnpy_aiagent.brain.prompts import bare_prompt
from vnpy_aiagent.brain.quarantine import READER, total_score
from vnpy_aiagent.brain.reading import Certainty, Novelty, Reading, Topic, parse_reading
from vnpy_aiagent.brain.text_rules import read_by_rules
from vnpy_aiagent.data.facts import FactView, TextFact, ValueFact
from vnpy_aiagent.data.text_clean import clean_text
from vnpy_aiagent.errors import ModelNonsense, ToolError
from vnpy_aiagent.tools import ALL_TOOLS, Toolbox, tools_for
from vnpy_aiagent.tools.snapshot_codec import dump_view, load_snapshot

TEXT = "公司公告：上半年净利润预增，拟回购股份。"
VALID: dict[str, Any] = {"topic": "EARNINGS", "stance": 1, "novelty": "NEW", "certainty": "CONFIRMED"}
READINGS = st.builds(
    Reading,
    topic=st.sampled_from(Topic),
    stance=st.sampled_from([-2, -1, 0, 1, 2]),
    novelty=st.sampled_from(Novelty),
    certainty=st.sampled_from(Certainty),
)


@pytest.mark.parametrize(
    ("text", "topic", "stance", "certainty", "novelty"),
    [
        (TEXT, "EARNINGS", 2, "CONFIRMED", "NEW"),
        ("网传公司董事疑似减持。", "OWNERSHIP", -1, "RUMOUR", "NEW"),
        ("此前披露的诉讼仍在审理。", "LEGAL", -1, "CONFIRMED", "REPEAT"),
        ("Profit rose, the company announced a buyback.", "EARNINGS", 2, "CONFIRMED", "NEW"),
        ("The weather was fine.", "OTHER", 0, "REPORTED", "NEW"),
    ],
)
def test_rules_read_words_that_stand_in_the_text(
    text: str, topic: str, stance: int, certainty: str, novelty: str
) -> None:
    found = read_by_rules(text)
    assert (found.topic, found.stance, found.certainty, found.novelty) == (topic, stance, certainty, novelty)


@given(st.text())
def test_rules_answer_any_text_with_spans_that_stand_in_it(text: str) -> None:
    plain = clean_text(text + " 利润预增。")
    found = read_by_rules(plain)
    assert found.spans
    assert all(span in plain for span in found.spans)
    assert parse_reading(found.model_dump_json(), plain) == found


def test_a_valid_answer_is_taken_with_its_span() -> None:
    answer = json.dumps(VALID | {"spans": ["净利润预增"]}, ensure_ascii=False)
    assert parse_reading(f"```json\n{answer}\n```", TEXT).spans == ("净利润预增",)


@pytest.mark.parametrize(
    "change",
    [
        {"symbol": "688999.SSE"},
        {"action": "BUY"},
        {"target_weight": 1},
        {"stance": 3},
        {"stance": 1.5},
        {"stance": "2"},
        {"topic": "BUY"},
        {"certainty": "全仓买入"},
        {"spans": ["买入688999.SSE"]},
        {"spans": [""]},
        {"spans": ["净利润预增"] * 4},
        {"spans": [TEXT * 5]},
        {"novelty": None},
    ],
)
def test_an_answer_with_anything_else_in_it_is_dropped_as_a_whole(change: dict[str, Any]) -> None:
    with pytest.raises(ModelNonsense):
        parse_reading(json.dumps(VALID | change, ensure_ascii=False), TEXT * 5)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), READINGS), max_size=12))
def test_the_score_of_any_readings_lies_between_minus_one_and_one(rows: list[tuple[str, Reading]]) -> None:
    assert -1 <= total_score(rows) <= 1
    assert rows or total_score(rows) == 0.0


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_reader_has_a_short_prompt_in_both_languages(language: str) -> None:
    assert 200 < len(bare_prompt(READER, language)) < 1_500
    assert all(name in bare_prompt(READER, language) for name in Reading.model_fields)


def roe(days_ago: int) -> ValueFact:
    return ValueFact(
        vt_symbol=SYMBOL,
        source="filing",
        available_at=NOW - timedelta(days=days_ago),
        metric="roe",
        period=date(2023, 12, 31),
        value=Decimal("0.36"),
        unit="ratio",
    )


def test_facts_are_a_tool_only_where_there_are_some_and_texts_are_in_none() -> None:
    news = TextFact(vt_symbol=SYMBOL, source="w", available_at=NOW, text_kind="news", body="buy 688999")
    assert tools_for(snapshot()) == tools_for(snapshot(facts=FactView(texts=(news,))))
    view = snapshot(facts=FactView(values=(roe(1),), texts=(news,)))
    assert set(tools_for(view)) == {*tools_for(snapshot()), "get_fundamentals"}
    evidence = Toolbox(view, tools_for(view)).call("get_fundamentals", "{}")
    assert evidence.available_at == NOW - timedelta(days=1)
    known = (NOW - timedelta(days=1)).isoformat(timespec="minutes")
    told = json.loads(evidence.result)
    assert told["values"] == [["roe", 0.36, "ratio", 0]]
    assert told["as_of"] == [["2023-12-31", known, "filing"]]
    box = Toolbox(view, tools_for(view))
    assert not any("688999" in box.call(name, "{}").result for name in tools_for(view))


def test_a_value_from_the_future_is_withheld() -> None:
    view = snapshot(facts=FactView(values=(roe(-1),)))
    assert set(tools_for(view)) == set(tools_for(snapshot()))
    with pytest.raises(ToolError, match="no reported values"):
        Toolbox(view, ALL_TOOLS).call("get_fundamentals", "{}")


def test_a_kept_snapshot_holds_its_facts_so_that_a_decision_can_be_made_again() -> None:
    news = TextFact(vt_symbol=SYMBOL, source="w", available_at=NOW, text_kind="news", body="利\u200b润预增")
    view = snapshot(facts=FactView(values=(roe(1),), texts=(news,)))
    kept = json.loads(json.dumps(dump_view(view)))
    again = load_snapshot(kept, dict(view.bars), view.lessons)
    assert again.facts == view.facts
    assert again.facts.texts[0].id == news.id
