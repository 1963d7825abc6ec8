"""Stand-ins: nothing real reaches the model, everything real comes back, and it is the same every time."""

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from decision_world import NOW, SYMBOL, account, answer, calls, finding, plan, request
from fact_world import full, text

from vnpy_aiagent.brain.decide import Brain, BrainAnswer
from vnpy_aiagent.brain.mask import Mask
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.domain import Style
from vnpy_aiagent.llm.port import ChatMessage, ModelReply, ModelRequest, ToolCall
from vnpy_aiagent.market.calendar import default_calendar
from vnpy_aiagent.testing.fake_model import FakeModel
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

DATE = re.compile(r"(?<!\d)20\d\d-\d\d-\d\d")


def asked(*contents: str) -> ModelRequest:
    return ModelRequest(task="t", messages=tuple(ChatMessage(role="user", content=each) for each in contents))


def hidden(*contents: str) -> tuple[str, ...]:
    request, _ = Mask.of(full()).hide(asked(*contents))
    return tuple(message.content for message in request.messages)


def there_and_back(content: str, reply: str) -> str:
    _, show = Mask.of(full()).hide(asked(content))
    return show(ModelReply(text=reply)).text


def decide(view: DecisionSnapshot, *, mask: bool) -> tuple[BrainAnswer, FakeModel]:
    script = [calls("get_bars"), finding(), *(finding() for _ in range(4)), plan(), plan(), plan(), plan()]
    model = FakeModel([_any(each) for each in script] + [_last] * 30, is_llm=True)
    made = Brain(model, LlmSettings(), BrainSettings(mask=mask)).decide(request(), view)
    return made, model


def _any(reply: ModelReply) -> Any:
    """The scripted reply where it fits the role that asks: a finding for analysts, else a plan."""

    def reply_to(request: ModelRequest) -> ModelReply:
        if request.task == "quarantine_reader":
            return answer(topic="EARNINGS", stance=1, novelty="NEW", certainty="REPORTED", spans=[])
        analyst = request.task.endswith("_analyst")
        stand_in = "S001" if any("S001" in message.content for message in request.messages) else SYMBOL
        if not analyst:
            return plan(symbol=stand_in)
        return reply if "stance" in reply.text or reply.tool_calls else finding()

    return reply_to


_last = _any(finding())


def test_symbols_codes_names_and_dates_have_stand_ins() -> None:
    content = json.dumps(
        {
            "symbol": SYMBOL,
            "note": "招商银行(600036)与 600519.SSE 在2024年5月6日公告",
            "at": "2024-05-06T09:35:00+08:00",
            "before": ["2024-04-30", "2024-05-01"],
            "volume": 600036,
        },
        ensure_ascii=False,
    )
    told = json.loads(hidden(content)[0])
    assert told == {
        "symbol": "S001",
        "note": "N001(C001)与 S002 在[X1]公告",
        "at": "D+0T09:35:00+08:00",
        "before": ["D-1", "D-1+1"],
        "volume": 600036,
    }


def test_the_same_words_have_the_same_stand_in_in_all_messages_of_a_request() -> None:
    first, second = hidden("600519.SSE 000001.SZSE", "000001.SZSE 2024年4月 600519.SSE")
    assert first == "S002 S003"
    assert second == "S003 [X1] S002"


def test_evidence_ids_volumes_and_words_that_only_look_alike_stay() -> None:
    words = "e1 f0123456789abcde r1-0000001 12600036 0.600036 f20240506ab T+1 sma20"
    assert hidden(words) == (words,)


@pytest.mark.parametrize(
    ("reply", "real"),
    [
        ('{"symbol": "S001"}', '{"symbol": "600036.SSE"}'),
        ("N001 C001 D+0 D-1+1 [X1]", "招商银行 600036 2024-05-06 2024-05-01 2024年5月"),
        ("D-2 was never told", "2024-04-29 was never told"),
        ("S077 [X9] and T+1 stay", "S077 [X9] and T+1 stay"),
        ("AS001 D+99999 stay", "AS001 D+99999 stay"),
    ],
)
def test_an_answer_gets_the_real_words_back(reply: str, real: str) -> None:
    content = "600036.SSE 招商银行 600036 2024-05-06 2024-05-01 2024年5月"
    assert there_and_back(content, reply) == real


def test_arguments_of_tool_calls_come_back_too() -> None:
    _, show = Mask.of(full()).hide(asked(SYMBOL))
    call = ToolCall(id="1", name="get_x", arguments='{"s": "S001"}')
    assert show(ModelReply(tool_calls=(call,))).tool_calls[0].arguments == f'{{"s": "{SYMBOL}"}}'


def test_every_day_of_two_years_comes_back() -> None:
    mask = Mask.of(full())
    days = [date(2023, 12, 1) + timedelta(days=i) for i in range(400)]
    stand_ins = [mask.stand_in(day) for day in days]
    assert len(set(stand_ins)) == len(days)
    assert [mask.day(each or "") for each in stand_ins] == days


def test_a_day_outside_the_calendar_is_a_word_like_others() -> None:
    beyond = default_calendar().last + timedelta(days=1)
    assert hidden(f"until {beyond} and 2024-02-31") == ("until [X1] and 2024-02-31",)


def test_a_whole_decision_shows_the_model_nothing_real_and_is_otherwise_the_same() -> None:
    news = text("招商银行 600036.SSE 于 2024-05-05 公告", NOW - timedelta(hours=2))
    weights = {"600519.SSE": 0.1, "000001.SZSE": 0.05}
    accounts = tuple(replace(account(style), weights=weights) for style in Style)
    view = full(facts=replace(full().facts, texts=(news,)), accounts=accounts)
    made, model = decide(view, mask=True)
    plain, open_model = decide(view, mask=False)
    seen = "\n".join(m.content for asked in model.requests for m in asked.messages)
    assert len(model.requests) == len(open_model.requests) > 4
    assert not DATE.search(seen)
    for word in (SYMBOL, "招商银行", "600036", "600519", "000001", "000300.SSE", "801780.SWS", "2024年"):
        assert word not in seen, word
    real = "\n".join(m.content for asked in open_model.requests for m in asked.messages)
    assert SYMBOL in real
    assert made.decision.evidence == plain.decision.evidence
    assert made.proposals == plain.proposals
    assert {proposal.action.name for proposal in made.proposals} == {"BUY"}
    assert made.decision.prompt_hash == plain.decision.prompt_hash
    assert [e.request for e in made.decision.exchanges] != [e.request for e in plain.decision.exchanges]


def test_masking_is_the_same_every_time() -> None:
    view = full()
    one, other = (decide(view, mask=True) for _ in range(2))
    assert one[0] == other[0]
    assert [each.fingerprint() for each in one[1].requests] == [
        each.fingerprint() for each in other[1].requests
    ]
