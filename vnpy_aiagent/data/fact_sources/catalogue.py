"""All datasets, in families. The first of a family is asked first; the others where it fails.

`table` writes the table of docs/facts.md, so that page and code cannot differ.
"""

from vnpy_aiagent.data.fact_sources import happenings, industry, market, policy, shares, tushare_sets
from vnpy_aiagent.data.fact_sources.dataset import Dataset, Family, Known, Scope

FAMILIES: tuple[Family, ...] = (
    Family("classification", (industry.CLASSES,)),
    Family("reports", (shares.REPORTS, shares.INDICATORS, tushare_sets.INDICATORS)),
    Family("balance", (shares.BALANCE,)),
    Family("cash_flow", (shares.CASH_FLOW,)),
    Family("goodwill", (shares.GOODWILL,)),
    Family("valuation", (shares.VALUATION, tushare_sets.DAILY_BASIC)),
    Family("institutions", (shares.INSTITUTIONS,)),
    Family("northbound_holding", (shares.NORTHBOUND,)),
    Family("pledge", (shares.PLEDGE, tushare_sets.PLEDGE)),
    Family("unlocks", (shares.UNLOCKS, tushare_sets.UNLOCKS)),
    Family("margin_sse", (shares.MARGIN_SSE, tushare_sets.MARGIN)),
    Family("margin_szse", (shares.MARGIN_SZSE, tushare_sets.MARGIN)),
    Family("fund_flow", (shares.FUND_FLOW, tushare_sets.FUND_FLOW)),
    Family("report_dates", (happenings.REPORT_DATES, tushare_sets.REPORT_DATES)),
    Family("earnings_previews", (happenings.PREVIEWS,)),
    Family("dividends", (happenings.DIVIDENDS,)),
    Family("suspensions", (happenings.HALTS,)),
    Family("breadth", (market.BREADTH, market.LIMIT_UP, market.LIMIT_DOWN)),
    Family("turnover", (market.TURNOVER,)),
    Family("market_margin", (market.MARKET_MARGIN, tushare_sets.MARKET_MARGIN)),
    Family("qvix_50", (market.QVIX_50,)),
    Family("qvix_300", (market.QVIX_300,)),
    Family("northbound_turnover", (market.NORTHBOUND_TURNOVER,)),
    Family("lpr", (market.LPR, tushare_sets.LPR)),
    Family("shibor", (market.SHIBOR, market.SHIBOR_EASTMONEY, tushare_sets.SHIBOR)),
    Family("reserve_ratio", (market.RESERVE,)),
    Family("industry_daily", (industry.INDEX_DAILY, tushare_sets.INDUSTRY_DAILY)),
    Family("industry_medians", (industry.MEDIANS,)),
    Family("policy_csrc", (policy.CSRC,)),
    Family("policy_pbc", (policy.PBC,)),
    Family("policy_ndrc", (policy.NDRC,)),
    Family("policy_state_council", (policy.NPR,)),
    Family("news", (happenings.NEWS,)),
    Family("filings", (happenings.FILINGS,)),
)
BY_NAME = {family.name: family for family in FAMILIES}

_WHO = {
    Scope.SYMBOL: "a share",
    Scope.TABLE: "all shares at once",
    Scope.MARKET: "the market",
    Scope.INDUSTRY: "all industries",
}
_KNOWN = {
    Known.PUBLISHED: "end of its day of publication",
    Known.STATED: "the time that it states",
    Known.NEXT_SESSION: "09:30 of the next session",
    Known.DAY_END: "end of the day, once over",
    Known.FETCHED: "when fetched",
}


def table() -> str:
    """The table of datasets in Markdown, one row each."""
    lines = [
        "| family | asked | of | one request | columns (unit) | gives | known | fresh for |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for family in FAMILIES:
        lines += [_line(family.name, dataset) for dataset in family.datasets]
    return "\n".join(lines)


def _line(family: str, dataset: Dataset) -> str:
    asked = ", ".join(f"`{call.function}`" for call in dataset.calls)
    columns = dict(pair for call in dataset.calls for pair in call.columns.items())
    named = ", ".join(f"{name} ({unit})" if unit else name for name, unit in columns.items())
    gives = ", ".join(f"`{item}`" for item in dataset.gives)
    hours = dataset.fresh.total_seconds() / 3600
    who = f"{dataset.provider}, {dataset.source}" if dataset.provider != dataset.source else dataset.source
    cells = (
        f"`{family}`", asked, who, _WHO[dataset.scope], named, gives, _KNOWN[dataset.known], f"{hours:g} h",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"
