"""What `aiagent analyze` tells of the analysts: every role's finding, their sum, and who did not count."""

import sys
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "brain"))
from decision_world import NOW, request, snapshot
from team_world import NAMES, Team, found, full

from vnpy_aiagent.brain.decide import Brain
from vnpy_aiagent.cli.decision import FoundDecision, decision_facts, decision_lines
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.domain import Decision
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.describe import describe
from vnpy_aiagent.tools.snapshot import DecisionSnapshot


def decided(view: DecisionSnapshot, team: Team | None = None) -> FoundDecision:
    asked = request()
    made = Brain(team or Team(), LlmSettings(), BrainSettings()).decide(asked, view)
    decision = made.decision.model_copy(update={"id": "d1"})
    proposals = tuple(
        each.model_copy(update={"id": f"p{place}"}) for place, each in enumerate(made.proposals)
    )
    return FoundDecision(asked, decision, proposals, ())


def test_json_has_all_findings_and_their_sum() -> None:
    told = decision_facts(decided(full()))
    assert [finding["role"] for finding in told["findings"]] == list(NAMES)
    assert {"stance", "strength", "confidence", "evidence", "available_at", "fresh", "weight"} <= set(
        told["findings"][0]
    )
    assert told["aggregate"]["stance"] == "BULLISH"
    assert told["aggregate"]["strength"] == 0.9
    assert set(told["aggregate"]["weights"]) == set(NAMES)


def test_people_see_each_role_the_sum_and_who_did_not_count() -> None:
    team = Team({"risk_analyst": [found("risk_analyst", "NEUTRAL", 0.0)]})
    lines = decision_lines(decided(full(), team), "zh")
    text = "\n".join(lines)
    assert "技术分析员（看多，强度 0.90，把握 70.00%，权重 0.315），数据截至 2024-05-05 15:00" in text
    assert "综合信号看多，强度 0.90，把握 70.00%，同向权重占 " in text
    assert "未计入: 特殊风险分析员 (没有看法)" in text


def test_nothing_is_told_by_the_names_that_the_code_uses() -> None:
    made = decided(full())
    own = [line for line in decision_lines(made, "zh") if not line.startswith(" ")]  # less the model's words
    text = "\n".join(own)
    for name in ("BULLISH", "BUY", "HOLD", "_analyst", "0.0%", "calls", "tokens", "CNY"):
        assert name not in text, name
    assert "费用 0.0000 元" in text


def test_a_decision_that_opens_nothing_says_why_in_both_languages() -> None:
    nothing = decided(snapshot(quote=None))
    chinese, english = ("\n".join(decision_lines(nothing, language)).lower() for language in ("zh", "en"))
    assert "没有一个角色有新鲜的依据" in chinese
    assert "市场环境分析员 (数据太旧)" in chinese
    assert "no role has a view on fresh evidence" in english
    assert "market environment analyst (data too old)" in english
    assert "signal is zero" in english


def test_a_decision_of_an_older_version_is_shown_without_a_sum() -> None:
    made = decided(full())
    old = Decision.model_validate(made.decision.model_dump() | {"aggregate": None})
    shown = FoundDecision(made.request, old, made.proposals, ())
    assert decision_facts(shown)["aggregate"] is None
    assert not any("综合信号" in line for line in decision_lines(shown, "zh"))


@pytest.mark.parametrize(("language", "name"), [("zh", "综合信号"), ("en", "signal in sum")])
def test_the_journal_in_words_ends_the_findings_with_their_sum(language: str, name: str) -> None:
    decision = decided(full()).decision.model_copy(update={"at": NOW + timedelta(seconds=5)})
    words = describe(decision, Localizer(language))  # type: ignore[arg-type]
    assert any(line.startswith(name) and "0.90" in line for line in words.details)
    assert name in words.text
