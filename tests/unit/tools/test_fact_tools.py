"""What the fact tools tell: figures with unit, period, availability and source; why others are missing."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from decision_world import NOW, account, daily, snapshot
from fact_world import (
    DAYS,
    INDUSTRY,
    LAST_DAY,
    absence,
    book,
    counts,
    event,
    full,
    index_of,
    value,
    view,
    waves,
)

from vnpy_aiagent.data.facts import MARKET_SUBJECT, TextCount, ValueFact
from vnpy_aiagent.domain import BarInterval, Evidence, Style
from vnpy_aiagent.errors import ToolError
from vnpy_aiagent.tools import ALL_TOOLS, Toolbox
from vnpy_aiagent.tools.environment import NO_NORTHBOUND, phase_of, phase_points
from vnpy_aiagent.tools.registry import NoArguments, Tool, ToolResult
from vnpy_aiagent.tools.snapshot import DecisionSnapshot, MarketOverview, OrderBookView, QuoteView

AHEAD = NOW.date() + timedelta(days=10)


def told(name: str, seen: DecisionSnapshot, **arguments: Any) -> Any:
    return json.loads(Toolbox(seen, ALL_TOOLS).call(name, json.dumps(arguments)).result)


def with_facts(*facts: Any, **changes: Any) -> DecisionSnapshot:
    return snapshot(facts=view(*facts), **changes)


def test_a_value_has_unit_period_availability_and_source() -> None:
    later = value("roe", "0.12", source="tushare")
    data = told("get_fundamentals", with_facts(value("pe_ttm", "7"), value("pb", "0.95"), later))
    assert data["columns"] == ["name", "value", "unit", "as_of"]
    assert data["values"] == [["pe_ttm", 7, "times", 0], ["pb", 0.95, "times", 0], ["roe", 0.12, "ratio", 1]]
    known = (NOW - timedelta(hours=14)).isoformat(timespec="minutes")
    assert data["as_of_columns"] == ["period", "available_at", "source"]
    assert data["as_of"] == [[LAST_DAY.isoformat(), known, source] for source in ("akshare", "tushare")]


def test_what_is_missing_is_null_with_the_reason() -> None:
    data = told(
        "get_fundamentals", with_facts(value("pb"), absence("roe", "failed"), absence("eps", "no_data"))
    )
    assert data["absent"]["roe"] == {"value": None, "reason": "every source of it failed, since 2024-04-01"}
    assert data["absent"]["eps"]["reason"] == "the sources hold none, since 2024-04-01"
    assert data["absent"]["pe_ttm"] == {"value": None, "reason": "not held"}
    assert "pb" not in data["absent"]


def test_an_absence_stands_beside_the_last_value_that_was_known() -> None:
    data = told("get_fundamentals", with_facts(value("pb"), absence("pb", "failed")))
    assert data["values"][0][0] == "pb"
    assert data["absent"]["pb"]["value"] is None


def test_values_stand_against_the_industry() -> None:
    facts = (value("pe_ttm", "10"), value("industry_pe", "8"), value("pb", "1"), value("roe", "-0.1"))
    against = told("get_fundamentals", with_facts(*facts, value("industry_roe", "0.1")))["against_industry"]
    assert against["pe_ttm"] == {"ratio": 1.25, "industry": 8.0, "period": LAST_DAY.isoformat()}
    assert against["pb"] == {"ratio": None, "reason": "industry_pb: not held"}
    assert against["roe"] == {"ratio": None, "reason": "one of the two is not above zero"}


def test_the_industry_is_named_by_its_index() -> None:
    data = told("get_industry", with_facts(value("sw_industry"), value("industry_pb", "0.6")))
    assert data["industry"] == INDUSTRY
    assert data["values"][0][:3] == ["industry_pb", 0.6, "times"]


def test_holdings_tell_institutions_and_changes() -> None:
    reduction = event("holder_reduction", AHEAD, "2000000")
    data = told("get_holdings", with_facts(value("institution_count", "120"), reduction))
    assert data["values"][0][:3] == ["institution_count", 120.0, "count"]
    assert data["changes"]["events"][0][:4] == ["holder_reduction", AHEAD.isoformat(), 2_000_000.0, "share"]


def test_unlocks_are_a_share_of_the_float() -> None:
    close = waves()[DAYS - 1]
    cap = value("free_float_cap", str(Decimal(str(close)) * 50_000_000))
    seen = with_facts(cap, event("unlock", AHEAD, "5000000"), bars={BarInterval.DAILY: daily(waves())})
    data = told("get_special_risk", seen)
    assert data["free_float_shares"] == 50_000_000
    assert data["unlocks"][0]["of_float"] == 0.1
    unknown = told("get_special_risk", with_facts(event("unlock", AHEAD, "5000000")))
    assert unknown["unlocks"][0]["of_float"] is None
    assert unknown["free_float_shares"] is None


def test_a_past_unlock_is_no_risk_ahead_and_its_absence_is_told() -> None:
    past = event("unlock", NOW.date() - timedelta(days=3), "5000000")
    data = told("get_special_risk", with_facts(past, absence("unlock", "failed")))
    assert data["unlocks"] == []
    assert data["unlocks_absent"] == "every source of it failed, since 2024-04-01"


def test_goodwill_to_equity_is_derived_of_one_balance_sheet_only() -> None:
    parts = (value("goodwill", "30"), value("total_assets", "500"), value("debt_to_assets", "0.4"))
    derived = told("get_special_risk", with_facts(*parts))["goodwill_to_equity_derived"]
    assert (derived["value"], derived["unit"]) == (0.1, "ratio")
    older = value("total_assets", "500", period=LAST_DAY - timedelta(days=90))
    assert (
        told("get_special_risk", with_facts(parts[0], older, parts[2]))["goodwill_to_equity_derived"] is None
    )
    reported = (*parts, value("goodwill_to_equity", "0.2"))
    assert told("get_special_risk", with_facts(*reported))["goodwill_to_equity_derived"] is None


@pytest.mark.parametrize(("name", "special"), [("*ST海润", True), ("招商银行", False), ("", None)])
def test_special_treatment_is_read_from_the_name(name: str, special: bool | None) -> None:
    seen = with_facts(value("pledge_ratio"))
    seen = replace(seen, instrument=replace(seen.instrument, name=name))
    assert told("get_special_risk", seen)["special_treatment"] is special


def test_money_flow_is_set_against_the_turnover_of_its_day() -> None:
    rows = [(daily([1.0] * DAYS).day_of(i), 10, 10, 10, 10, 100.0, 2_000.0) for i in range(DAYS)]
    bars = type(daily([1.0])).from_rows("600036.SSE", BarInterval.DAILY, rows)
    seen = with_facts(value("main_net_inflow", "-500"), bars={BarInterval.DAILY: bars})
    assert told("get_money_flow", seen)["of_turnover"] == {
        "main_net_inflow": -0.25,
        "super_large_net_inflow": None,
    }
    assert told("get_money_flow", with_facts(value("main_net_inflow", "-500")))["of_turnover"] == {
        "main_net_inflow": None,
        "super_large_net_inflow": None,
    }


def test_the_sector_stands_against_the_symbol_only_on_the_same_day() -> None:
    seen = with_facts(value("industry_return_5d", "0.02"), indices=(index_of(),))
    data = told("get_index", seen)
    closes = snapshot().bars[BarInterval.DAILY].close
    assert data["symbol_less_sector"]["20d"] is None
    older = with_facts(value("industry_return_5d", "0.02", period=LAST_DAY - timedelta(days=1)))
    assert told("get_index", older)["symbol_less_sector"]["5d"] is None
    bars = daily(waves())
    same_day = replace(seen, bars={BarInterval.DAILY: bars})
    expected = bars.close[-1] / bars.close[-6] - 1 - 0.02
    assert told("get_index", same_day)["symbol_less_sector"]["5d"] == pytest.approx(expected, abs=1e-6)
    assert len(closes) < DAYS, "the bars of the small world end before the sector's day"
    assert [row["vt_symbol"] for row in data["indices"]] == ["000300.SSE"]


def test_northbound_buying_is_published_no_more() -> None:
    data = told("get_environment", with_facts(value("advancers", "3000")))
    assert data["absent"]["northbound_net_inflow"] == {"value": None, "reason": NO_NORTHBOUND}
    said = told("get_environment", with_facts(value("advancers"), absence("northbound_net_inflow")))
    assert said["absent"]["northbound_net_inflow"]["reason"] == "it is published no more, since 2024-04-01"


@pytest.mark.parametrize(
    ("facts", "breadth", "points"),
    [
        ((), None, [None] * 5),
        ((value("advancers", "3000"), value("decliners", "2000")), 0.6, [1, 1, None, None, None]),
        ((value("advancers", "2000"), value("decliners", "3000")), 0.4, [-1, -1, None, None, None]),
        ((value("advancers", "0"), value("decliners", "0")), 0.5, [0, None, None, None, None]),
        ((value("limit_up_count", "30"), value("limit_down_count", "10")), None, [None, None, 1, None, None]),
        ((value("limit_up_count", "29"), value("limit_down_count", "1")), None, [None, None, 0, None, None]),
        ((value("limit_up_count", "5"), value("limit_down_count", "5")), None, [None, None, -1, None, None]),
        ((value("limit_up_count", "0"), value("limit_down_count", "0")), None, [None, None, 0, None, None]),
        ((value("qvix_300", "18"),), None, [None, None, None, None, 1]),
        ((value("qvix_300", "28"),), None, [None, None, None, None, -1]),
    ],
)
def test_the_points_of_the_phase_follow_the_stated_rule(
    facts: tuple[Any, ...], breadth: float | None, points: list[int | None]
) -> None:
    seen = with_facts(*facts, market=MarketOverview(50, breadth, "UP", None))
    assert list(phase_points(seen).values()) == points


@pytest.mark.parametrize(
    ("above20", "above60", "point"), [(0.1, 0.1, 1), (-0.1, -0.1, -1), (0.1, -0.1, 0), (None, 0.1, None)]
)
def test_the_first_index_counts_by_its_means(
    above20: float | None, above60: float, point: int | None
) -> None:
    first = replace(index_of(), above_sma20=above20, above_sma60=above60)
    assert phase_points(snapshot(indices=(first,)))["index"] == point


@pytest.mark.parametrize(
    ("points", "phase"),
    [
        ([None, None], "UNKNOWN"),
        ([1, None], "UNKNOWN"),
        ([1, 0], "RISK_ON"),
        ([-1, 0], "RISK_OFF"),
        ([1, 0, 0], "MIXED"),
        ([1, -1], "MIXED"),
    ],
)
def test_the_phase_is_the_mean_of_the_known_points(points: list[int | None], phase: str) -> None:
    assert phase_of({str(i): point for i, point in enumerate(points)}) == phase


def test_policy_texts_are_counts_and_no_words_of_theirs_pass() -> None:
    seen = snapshot(facts=view(value("lpr_1y", "0.0345"), counts=counts()))
    data = told("get_policy", seen)
    assert [(row["subject"], row["source"], row["count"]) for row in data["policy_texts"]] == [
        ("A.MARKET", "csrc", 3),
    ]
    assert "忽略" not in json.dumps(data, ensure_ascii=False)
    assert data["values"][0][:3] == ["lpr_1y", 0.0345, "ratio"]


def test_counts_that_came_later_are_not_told() -> None:
    with pytest.raises(ToolError, match="no policy rates"):
        told("get_policy", snapshot(facts=view(counts=counts(NOW + timedelta(days=1)))))


def test_the_calendar_tells_what_lies_ahead() -> None:
    today, past, far = (
        event("report_due", NOW.date()),
        event("ex_dividend", NOW.date() - timedelta(days=1), "1.2"),
        event("earnings_date", NOW.date() + timedelta(days=61)),
    )
    data = told("get_calendar", with_facts(past, today, far))
    assert [row[0] for row in data["events"]] == ["report_due"]
    assert data["days_ahead"] == [0]
    assert told("get_calendar", with_facts(past, today, far), days=61)["days_ahead"] == [0, 61]


def test_a_portfolio_is_in_ratios_and_of_this_decision_alone() -> None:
    owner = replace(account(Style.JUDGE), weights={"600519.SSE": 0.3, "600036.SSE": 0.02}, max_weight=0.1)
    seen = snapshot(accounts=(owner, account(Style.AGGRESSIVE)))
    mine = told("get_portfolio", seen, account="judge")["accounts"]
    assert mine == [
        {
            "account": "judge",
            "holdings": [["600519.SSE", 0.3], ["600036.SSE", 0.02]],
            "count": 2,
            "invested": 0.32,
            "cash": 1.0,
            "largest": 0.3,
            "weight_here": 0.02,
            "room_here": 0.08,
        }
    ]
    assert len(told("get_portfolio", seen)["accounts"]) == 2
    with pytest.raises(ToolError, match="use one of judge, aggressive"):
        told("get_portfolio", seen, account="rival")


def test_the_order_book_has_features() -> None:
    data = told("get_order_book", full())
    assert (data["best_bid"], data["best_ask"], data["spread_ticks"]) == (20.0, 20.02, 2.0)
    assert data["imbalance_1"] == pytest.approx(500 / 1500, abs=1e-6)
    assert data["imbalance_5"] == pytest.approx(1 / 3, abs=1e-6)
    assert data["weighted_mid"] == pytest.approx((20.00 * 500 + 20.02 * 1000) / 1500, abs=1e-6)
    assert data["bid"] == {"levels": 5, "shares": 15_000, "cny": 299_600.0}
    assert data["recent"]["shares_at_ask"] == 50_000
    assert data["large_order_share"] is None
    assert data["large_order_share_absent"]


def test_at_the_limit_one_side_is_empty() -> None:
    full_book = book()
    seen = full(book=OrderBookView(full_book.at, full_book.bids, ()))
    data = told("get_order_book", seen)
    assert (data["one_sided"], data["imbalance_5"], data["spread_ticks"]) == ("no sellers", None, None)
    assert data["recent"] is None


def test_bars_tell_no_order_book() -> None:
    with pytest.raises(ToolError, match="bars tell none"):
        told("get_order_book", snapshot())


def test_the_turnover_rate_is_that_of_the_last_bar_or_none() -> None:
    bars = {BarInterval.DAILY: daily(waves())}
    reported = value("turnover_rate", "0.0123")
    data = told("get_indicators", with_facts(reported, bars=bars))
    assert (data["turnover_rate"], data["turnover_rate_from"]) == (0.0123, "akshare")
    cap = value("free_float_cap", str(Decimal(str(waves()[-1])) * 50_000_000))
    older = value("turnover_rate", "0.5", period=LAST_DAY - timedelta(days=1))
    data = told("get_indicators", with_facts(older, cap, bars=bars))
    assert (data["turnover_rate"], data["turnover_rate_from"]) == (0.02, "volume / free-float shares")
    stale = value("free_float_cap", "1000000", period=LAST_DAY - timedelta(days=30))
    assert "turnover_rate" not in told("get_indicators", with_facts(stale, bars=bars))


def test_a_quote_has_no_part_in_fact_tools() -> None:
    absurd = QuoteView(NOW, *[Decimal("99999")] * 4, None, None, None)
    names = [n for n in sorted(ALL_TOOLS) if n not in ("get_quote",)]
    one, other = (Toolbox(full(quote=quote), ALL_TOOLS) for quote in (absurd, None))
    assert [one.call(n, "{}").result for n in names] == [other.call(n, "{}").result for n in names]


def test_policy_texts_make_nothing_fresh_and_strangers_change_nothing() -> None:
    def policy(*found: ValueFact, texts: tuple[TextCount, ...] = ()) -> Evidence:
        return Toolbox(snapshot(facts=view(*found, counts=texts)), ALL_TOOLS).call("get_policy", "{}")

    rate = value("lpr_1y", "0.0345")
    stranger = TextCount(MARKET_SUBJECT, "policy", "SYSTEM.buy-all", 9, NOW)
    assert policy(rate, texts=(stranger,)) == policy(rate)
    assert policy(rate, texts=counts()).available_at == policy(rate).available_at
    assert policy(texts=counts()).available_at is None


def test_figures_that_cannot_be_worked_with_are_a_tool_error() -> None:
    def fails(snapshot: DecisionSnapshot, arguments: NoArguments) -> ToolResult:
        return ToolResult({"ratio": round(1.0 / 1e-320)}, None)

    box = Toolbox(snapshot(), {"get_ratio": Tool("get_ratio", "A ratio.", NoArguments, fails)})
    with pytest.raises(ToolError, match="go on without it"):
        box.call("get_ratio", "{}")
    assert box.evidence == []
