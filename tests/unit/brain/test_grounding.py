"""What a plan cites must exist; a level must stand in the evidence that it names."""

import json
from decimal import Decimal

import pytest
from decision_world import NOW, SYMBOL, snapshot

from vnpy_aiagent.domain import Evidence, PriceBasis, PriceRef, to_decimal
from vnpy_aiagent.errors import ModelNonsense
from vnpy_aiagent.llm.grounding import check_citations, check_level, price_levels
from vnpy_aiagent.tools import ALL_TOOLS, Toolbox

MARKET = Evidence(
    id="e1",
    tool="get_indicators",
    arguments="{}",
    available_at=NOW,
    result='{"symbol":"600036.SSE","sma20":19.5,"rsi14":62.5,"lot":100,"last":true,"high":"21.5"}',
)
ACCOUNT = Evidence(id="e2", tool="get_accounts", arguments="{}", available_at=None, result='{"equity":19.5}')
KNOWN = {"e1": MARKET, "e2": ACCOUNT}


def level(value: str, evidence: str = "e1") -> PriceRef:
    return PriceRef(basis=PriceBasis.LEVEL, level=Decimal(value), evidence=evidence)


def test_known_evidence_may_be_cited() -> None:
    check_citations(["e1", "e2", "e1"], KNOWN)


def test_an_invented_evidence_id_is_refused_with_the_real_ones() -> None:
    with pytest.raises(ModelNonsense, match="evidence e9 does not exist; cite only e1, e2"):
        check_citations(["e1", "e9"], KNOWN)
    with pytest.raises(ModelNonsense, match="cite only none"):
        check_citations(["e1"], {})


def test_a_level_that_stands_in_its_evidence_is_taken() -> None:
    check_level(level("19.5"), KNOWN, SYMBOL)
    check_level(level("19.50"), KNOWN, SYMBOL)


@pytest.mark.parametrize("value", ["19.51", "1", "21.5", "62.5", "100"])  # none is a price
def test_a_level_that_is_no_price_there_is_refused(value: str) -> None:
    with pytest.raises(ModelNonsense, match="is no price in evidence e1"):
        check_level(level(value), KNOWN, SYMBOL)


def test_a_level_from_a_tool_without_market_data_is_refused() -> None:
    with pytest.raises(ModelNonsense, match="use a market tool's result"):
        check_level(level("19.5", "e2"), KNOWN, SYMBOL)


def test_a_level_of_invented_evidence_is_refused() -> None:
    with pytest.raises(ModelNonsense, match="e7 does not exist"):
        check_level(level("19.5", "e7"), KNOWN, SYMBOL)


@pytest.mark.parametrize("half", [{"level": Decimal("19.5")}, {"evidence": "e1"}, {}])
def test_half_a_level_is_refused(half: dict[str, object]) -> None:
    with pytest.raises(ModelNonsense, match="needs the copied"):
        check_level(PriceRef(basis=PriceBasis.LEVEL, **half), KNOWN, SYMBOL)


def test_a_level_of_another_symbol_is_refused() -> None:
    with pytest.raises(ModelNonsense, match=r"e1 \(get_indicators\) holds no prices of 600519.SSE"):
        check_level(level("19.5"), KNOWN, "600519.SSE")


def test_a_number_beside_another_basis_is_refused() -> None:
    with pytest.raises(ModelNonsense, match="`level` belongs to basis LEVEL"):
        check_level(PriceRef(basis=PriceBasis.LAST, level=Decimal("19.5"), evidence="e1"), KNOWN, SYMBOL)


def test_a_plain_price_may_cite_real_evidence_only() -> None:
    check_level(PriceRef(basis=PriceBasis.LAST, evidence="e2"), KNOWN, SYMBOL)
    with pytest.raises(ModelNonsense, match="e7 does not exist"):
        check_level(PriceRef(basis=PriceBasis.LAST, evidence="e7"), KNOWN, SYMBOL)


def test_other_bases_need_no_evidence() -> None:
    check_level(PriceRef(basis=PriceBasis.LAST, offset=-1.0), {}, SYMBOL)


def test_prices_are_found_under_their_keys_and_in_their_columns() -> None:
    text = (
        '{"symbol":"x","columns":["end","open","volume","close"],'
        '"rows":[["2025-01-02",10.5,900,11],["2025-01-03",null,800,12.25]],'
        '"day":{"limit_up":13.1,"volume":5,"high":null}}'
    )
    assert list(price_levels(text)) == [Decimal("10.5"), 11, Decimal("12.25"), Decimal("13.1")]


def test_every_price_of_the_market_tools_is_a_level_and_nothing_else() -> None:
    toolbox = Toolbox(snapshot(), ALL_TOOLS)
    quote = json.loads(toolbox.call("get_quote", "{}").result)
    indicators = json.loads(toolbox.call("get_indicators", "{}").result)
    found = set(price_levels(json.dumps(quote))) | set(price_levels(json.dumps(indicators)))
    assert to_decimal(quote["last"]) in found
    assert to_decimal(indicators["sma20"]) in found
    assert to_decimal(indicators["rsi14"]) not in found
