"""A source that fails, from its error to the sentence that a model reads over HTTP and to the journal."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

from vnpy_aiagent.config import LlmSettings, load_settings
from vnpy_aiagent.data import load_folder
from vnpy_aiagent.data.fact_sources.collect import collect
from vnpy_aiagent.data.facts_store import FILE_NAME, FactReader
from vnpy_aiagent.domain import MARKET_TZ, Decision, Mode, Silence, SnapshotKept, parse_message
from vnpy_aiagent.simulation import Simulation
from vnpy_aiagent.store.journal import JournalReader
from vnpy_aiagent.testing.model_server import Body, ModelServer, text_reply

from .documented import SIGNATURES, FakeAkshare
from .world import MOUTAI, SHARES, clock, fetcher

DAY = date(2025, 11, 4)
ASKED = datetime(2025, 11, 4, 9, 35, tzinfo=MARKET_TZ)
BROKEN = ConnectionError("no route")
KEY = "a-test-key-of-24-letters"
FAILED = "every source of it failed, since 2025-11-03"


def answer(body: Body) -> Body:
    """Every analyst sees a rise in all that it was given; every speaker waits."""
    facts = json.loads(body["messages"][1]["content"])
    cited = [each["evidence_id"] for each in facts["evidence"]]
    if "finding" not in facts:
        finding = {"stance": "BULLISH", "strength": 0.9, "confidence": 0.8, "text": "up", "evidence": cited}
        return text_reply(json.dumps(finding))
    plan = {
        "symbol": MOUTAI,
        "stance": "NEUTRAL",
        "action": "HOLD",
        "confidence": 0.6,
        "argument": {"text": "wait", "evidence": cited[:1]},
    }
    return text_reply(json.dumps(plan))


def decide(shared: Path, folder: Path, broken: set[str]) -> tuple[list[Any], Decision, str]:
    """Collect with these functions of akshare broken, decide next morning.

    What the model was asked, the decision, and what the journal keeps of what was known.
    """
    own = clock()
    client = FakeAkshare(dict.fromkeys(broken, BROKEN))
    collect(fetcher(client, at=own), folder / FILE_NAME, SHARES, own)
    market = load_folder(shared / "data" / "sse50").restrict((MOUTAI,))
    with ModelServer(answer) as server:
        llm = LlmSettings(base_url=server.base_url, model="m", api_key=KEY, max_retries=0)
        settings = load_settings(mode=Mode.SIMULATION, llm=llm, schedule=[])
        run = Simulation(
            market,
            settings,
            folder / "journal.db",
            start=DAY,
            end=DAY,
            facts=FactReader(folder / FILE_NAME, 30),
        )
        run.ask_at(ASKED, MOUTAI)
        run.run()
        asked = [json.loads(each.body["messages"][1]["content"]) for each in server.requests]
    with JournalReader.open(folder / "journal.db") as journal:
        entries = list(journal.read())
    decision = next(parse_message(e.kind, e.body) for e in entries if e.kind == Decision.__name__)
    assert isinstance(decision, Decision)
    return asked, decision, next(str(e.body) for e in entries if e.kind == SnapshotKept.__name__)


def test_where_every_source_fails_all_who_are_asked_are_told_and_the_journal_keeps_it(
    shared: Path, tmp_path: Path
) -> None:
    asked, decision, kept = decide(shared, tmp_path, set(SIGNATURES))
    studies = [each for each in asked if "finding" not in each]
    speeches = [each for each in asked if "finding" in each]
    (technical,) = (each for each in studies if "get_money_flow" in each["missing"])
    assert technical["missing"]["get_money_flow"] == (
        f"main_net_inflow, super_large_net_inflow, margin_balance: {FAILED}; "
        "short_balance: no source of it is set up, since 2025-11-03"
    )
    (environment,) = (each for each in studies if "get_environment" in each["missing"])
    assert "northbound_net_inflow: it is published no more" in environment["missing"]["get_environment"]
    assert len(studies) == 2
    assert len(speeches) == 3
    for each in speeches:
        assert {"get_fundamentals", "get_industry", "get_special_risk", "get_policy"} <= set(each["missing"])
        assert each["missing"]["get_fundamentals"].startswith("pe_ttm, pb")
        assert FAILED in each["missing"]["get_fundamentals"]
    fundamental = next(each for each in decision.findings if each.role == "fundamental_analyst")
    assert (fundamental.strength, fundamental.weight) == (0, 0)
    assert "来源都没有给出 pe_ttm, pb" in str(fundamental.text)
    assert decision.aggregate is not None
    silent = {each.role: each.why for each in decision.aggregate.silent}
    assert silent["fundamental_analyst"] is Silence.NO_DATA
    assert "pe_ttm" in kept
    assert "failed" in kept


def test_where_one_source_fails_its_values_are_null_with_the_reason_and_no_number_stands_there(
    shared: Path, tmp_path: Path
) -> None:
    asked, decision, _ = decide(shared, tmp_path, {"stock_value_em"})
    (told,) = (
        evidence["data"]
        for each in asked
        if "finding" not in each
        for evidence in each["evidence"]
        if evidence["tool"] == "get_fundamentals"
    )
    assert told["absent"]["pe_ttm"] == {"value": None, "reason": FAILED}
    assert "pe_ttm" not in {row[0] for row in told["values"]}
    assert "roe" in {row[0] for row in told["values"]}
    assert all("get_fundamentals" not in each.get("missing", {}) for each in asked)
    evidence = next(each for each in decision.evidence if each.tool == "get_fundamentals")
    assert json.loads(evidence.result) == told


def test_what_nobody_ever_asked_for_is_not_called_a_failure(shared: Path, tmp_path: Path) -> None:
    market = load_folder(shared / "data" / "sse50").restrict((MOUTAI,))
    with ModelServer(answer) as server:
        llm = LlmSettings(base_url=server.base_url, model="m", api_key=KEY, max_retries=0)
        settings = load_settings(mode=Mode.SIMULATION, llm=llm, schedule=[])
        run = Simulation(market, settings, tmp_path / "journal.db", start=DAY, end=DAY)
        run.ask_at(ASKED, MOUTAI)
        run.run()
        asked = [json.loads(each.body["messages"][1]["content"]) for each in server.requests]
    assert asked
    assert not any(each.get("missing") for each in asked)
