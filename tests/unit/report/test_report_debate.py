"""A debate and the mark of low certainty as people read them, in both languages."""

from datetime import datetime
from decimal import Decimal

import pytest

from vnpy_aiagent.domain import (
    MARKET_TZ,
    Action,
    DebateQuestion,
    DebateReply,
    DebateTurn,
    Finding,
    PriceBasis,
    PriceRef,
    Proposal,
    Reason,
    RuleLine,
    Stance,
    Text,
    Verdict,
    Verification,
    say,
)
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.describe import (
    certainty,
    debate_text,
    describe,
    finder,
    price_text,
    speaker,
    speech,
    verdict_lines,
)

NOW = datetime(2024, 5, 6, 9, 35, tzinfo=MARKET_TZ)
QUESTIONS = tuple(
    DebateQuestion(name=f"1.{n}", to=to, text=say("RSI 已到 {rsi}，是否追高？", rsi="71.0"))
    for n, to in enumerate(("JUDGE", "AGGRESSIVE", ""), 1)
)
TURNS = (
    DebateTurn(
        role="CONSERVATIVE",
        stance=Stance.BEARISH,
        confidence=0.4,
        action=Action.HOLD,
        text=say("把握 {confidence} 不足 {minimum}，不开仓", confidence="40.0%", minimum="65.0%"),
        questions=QUESTIONS,
    ),
    DebateTurn(
        role="QUANT",
        stance=Stance.NEUTRAL,
        confidence=0.0,
        text=say("日线只有 {bars} 根，无法用历史检验", bars=70),
        verification=Verification(
            role="AGGRESSIVE",
            evidence="q1",
            stop=0.08,
            target=0.15,
            sessions=10,
            bars=70,
            similar=0,
            samples=0,
            minimum=5,
        ),
    ),
    DebateTurn(
        role="JUDGE",
        stance=Stance.BULLISH,
        confidence=0.65,
        action=Action.BUY,
        text=Text(template="buy {it}"),
        round=2,
        replies=(DebateReply(question="1.1", text=Text(template="no")),),
    ),
)


def proposal(**changes: object) -> Proposal:
    fields = {
        "id": "p",
        "at": NOW,
        "account": "judge",
        "request_id": "r",
        "decision_id": "d",
        "symbol": "600036.SSE",
        "action": Action.BUY,
        "target_weight": 0.05,
        "confidence": 0.55,
        "valid_until": NOW,
        "reasons": (
            Reason(text=say("信号转空，强度 {strength}，持仓收益 {gain}，离场", strength=1, gain=2)),
        ),
    }
    return Proposal.model_validate(fields | changes)


def test_a_debate_is_told_with_rounds_questions_replies_and_what_was_not_answered() -> None:
    told = "\n".join(debate_text(TURNS, Localizer("zh")))
    assert "第 1 轮 保守（看空，不动，把握 40.00%）: 把握 40.0% 不足 65.0%，不开仓" in told
    assert "问 1.1，答者裁判：RSI 已到 71.0，是否追高？\n" in told
    assert "问 1.2，答者激进：RSI 已到 71.0，是否追高？（未回答）" in told
    assert "问 1.3，没有人可答：" in told
    assert "第 1 轮 量化（中性）: 日线只有 70 根，无法用历史检验" in told
    assert "第 2 轮 裁判（看多，买入，把握 65.00%）: buy {it}\n答 1.1：no" in told


def test_a_debate_is_told_in_english_too() -> None:
    told = "\n".join(debate_text(TURNS, Localizer("en")))
    assert not any("\u4e00" <= character <= "\u9fff" for character in told)
    assert "Round 1, quant" in told
    assert "(not answered)" in told


def test_an_old_turn_with_its_questions_inside_its_text_is_still_told() -> None:
    old = DebateTurn(
        role="CONSERVATIVE",
        stance=Stance.BEARISH,
        confidence=0.4,
        text=Text(template="no\nRSI 已到 {rsi_1}，是否追高？", figures={"rsi_1": "71.0"}),
    )
    assert speech(old, (old,), Localizer("zh")) == ["no\nRSI 已到 71.0，是否追高？"]
    assert "40.00%" in speaker(old, Localizer("zh"))


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh", "低确定性，原定仓位 10.00%"), ("en", "low certainty, planned weight 10.00%")],
)
def test_low_certainty_is_marked_with_the_weight_that_was_planned(language: str, words: str) -> None:
    say_in = Localizer("zh" if language == "zh" else "en")
    marked = proposal(low_certainty=True, planned_weight=0.1)
    assert certainty(marked, say_in) == words
    assert words in describe(marked, say_in).text
    assert certainty(proposal(), say_in) == ""
    assert certainty(proposal(low_certainty=True, action=Action.CLOSE), Localizer("zh")) == "低确定性"


def test_the_reason_that_goes_on_to_approvals_says_so_on_a_line_of_its_own() -> None:
    marked = proposal(low_certainty=True, planned_weight=0.1).main_reason
    assert marked is not None
    zh, en = Localizer("zh").show(marked).split("\n"), Localizer("en").show(marked).split("\n")
    assert zh[1] == "低确定性：仓位由 10.00% 减为 5.00%"
    assert en[1] == "low certainty: weight from 10.00% to 5.00%"
    plain = proposal()
    assert plain.main_reason == plain.reasons[0].text
    assert proposal(reasons=()).main_reason is None


def test_a_price_without_an_offset_is_told_as_the_price_alone() -> None:
    assert price_text(PriceRef(basis=PriceBasis.LAST, offset=0), Localizer("zh")) == "最新价"
    assert price_text(PriceRef(basis=PriceBasis.LAST, offset=-5), Localizer("zh")) == "最新价 -5%"
    level = PriceRef(basis=PriceBasis.LEVEL, offset=0, level=Decimal("18.05"), evidence="t1")
    assert price_text(level, Localizer("en")) == "18.05 (evidence t1)"


def test_a_rule_that_names_its_volume_is_not_followed_by_it_again() -> None:
    cash = say("可用资金 {cash} 元，最多买 {most} 股", cash=1, most=500)
    exposure = say("总仓位将达 {total}，上限 {cap}", total=1, cap=2)
    lines = (
        RuleLine(rule="cash", passed=True, text=cash, max_volume=500),
        RuleLine(rule="exposure", passed=True, text=exposure, max_volume=700),
    )
    verdict = Verdict.model_construct(lines=lines, symbol="600036.SSE")
    told = verdict_lines(verdict, Localizer("zh"))
    assert told == ("[+] 可用资金 1 元，最多买 500 股", "[+] 总仓位将达 1，上限 2（至多 700 股）")


def test_an_analyst_who_was_not_asked_shows_no_figures() -> None:
    silent = Finding(role="policy_analyst", stance=Stance.NEUTRAL, strength=0, confidence=0, text=say("x"))
    assert finder(silent, Localizer("zh")) == "政策分析员（未计入）"
    doubted = silent.model_copy(update={"evidence": ("p1",), "strength": 0.4, "confidence": 0.5})
    assert finder(doubted, Localizer("zh")) == "政策分析员（中性，强度 0.40，把握 50.00%，未计入）"
