"""Datasets of Tushare Pro that stand in for akshare's. Columns and units: https://tushare.pro/document/2."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from vnpy_aiagent.data.fact_sources import happenings, industry, market, shares
from vnpy_aiagent.data.fact_sources.dataset import (
    Ask,
    Call,
    Dataset,
    Found,
    Known,
    Scope,
    Tables,
    compact,
)
from vnpy_aiagent.data.fact_sources.readers import (
    PERCENT,
    TEN_THOUSAND,
    Column,
    Tally,
    by_code,
    event,
    newest,
    on_day,
    total,
    value,
    values,
)
from vnpy_aiagent.data.fact_sources.rows import Row, day, number, share_of
from vnpy_aiagent.data.facts import MARKET_SUBJECT

SOURCE = "tushare"


def _session(ask: Ask) -> list[dict[str, str]]:
    return [{"trade_date": compact(ask.last_session())}]


def _told(ask: Ask) -> list[dict[str, str]]:
    return [{"trade_date": compact(ask.calendar.previous_session(ask.now.date()))}]


def _weeks(ask: Ask) -> list[dict[str, str]]:
    return [{"end_date": each["date"]} for each in shares.fridays(ask)]


def _quarters(ask: Ask) -> list[dict[str, str]]:
    return [{"end_date": compact(quarter)} for quarter in ask.quarters(2)]


def _ts_code(ask: Ask) -> list[dict[str, str]]:
    return [{"ts_code": shares.eastmoney_code(ask)}]


def _recent(ask: Ask) -> list[dict[str, str]]:
    today = ask.now.date()
    return [{"start_date": compact(today - timedelta(days=60)), "end_date": compact(today)}]


DAILY_BASIC = Dataset(
    name="tushare_daily_basic",
    source=SOURCE,
    provider="tushare",
    scope=Scope.TABLE,
    calls=(
        Call(
            "daily_basic",
            {
                "ts_code": "", "trade_date": "", "pe_ttm": "", "pb": "", "ps_ttm": "", "total_mv": "万元",
                "circ_mv": "万元", "turnover_rate": "%",
            },
            _session,
        ),
    ),
    gives=(*shares.VALUATION.gives, "turnover_rate"),
    known=Known.FETCHED,
    read=values(
        Column("pe_ttm", "pe_ttm"),
        Column("pb", "pb"),
        Column("ps_ttm", "ps_ttm"),
        Column("total_mv", "market_cap", TEN_THOUSAND),
        Column("circ_mv", "free_float_cap", TEN_THOUSAND),
        Column("turnover_rate", "turnover_rate", PERCENT),
        of=on_day("trade_date"),
        subject=by_code("ts_code"),
    ),
    optional=("turnover_rate",),
)  # fmt: skip
INDICATORS = Dataset(
    name="tushare_fina_indicator",
    source=SOURCE,
    provider="tushare",
    scope=Scope.SYMBOL,
    calls=(
        Call(
            "fina_indicator",
            {
                "ts_code": "", "ann_date": "", "end_date": "", "eps": "元", "bps": "元", "roe": "%",
                "grossprofit_margin": "%", "debt_to_assets": "%", "or_yoy": "%", "netprofit_yoy": "%",
            },
            _ts_code,
        ),
    ),
    gives=("eps", "book_value_per_share", "roe", "gross_margin", "revenue_growth", "profit_growth"),
    known=Known.PUBLISHED,
    read=values(
        Column("eps", "eps"),
        Column("bps", "book_value_per_share"),
        Column("roe", "roe", PERCENT),
        Column("grossprofit_margin", "gross_margin", PERCENT),
        Column("or_yoy", "revenue_growth", PERCENT),
        Column("netprofit_yoy", "profit_growth", PERCENT),
        of=on_day("end_date"),
        published="ann_date",
        last=2,
    ),
    fresh=shares.QUARTERLY,
)  # fmt: skip
PLEDGE = replace(
    shares.PLEDGE,
    name="tushare_pledge_stat",
    source=SOURCE,
    provider="tushare",
    calls=(Call("pledge_stat", {"ts_code": "", "end_date": "", "pledge_ratio": "%"}, _weeks),),
    read=values(
        Column("pledge_ratio", "pledge_ratio", PERCENT), of=on_day("end_date"), subject=by_code("ts_code")
    ),
    note="",
)


def _read_float(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
    sums: dict[tuple[str, date], tuple[Decimal, date | None]] = {}

    def add(row: Row) -> Iterator[Found | None]:
        whose, on, amount = share_of(row["ts_code"]), day(row, "float_date"), number(row, "float_share")
        if whose in ask.symbols and on is not None and amount is not None and amount > 0:
            before, told = sums.get((whose, on), (Decimal(0), None))
            last = max((each for each in (told, day(row, "ann_date")) if each is not None), default=None)
            sums[whose, on] = before + amount, last
        return iter(())

    yield from Tally(dataset).read(tables[0], add)
    for (whose, on), (amount, told) in sorted(sums.items()):
        fact = event(dataset, ask, whose, "unlock", on, amount.quantize(Decimal(1)), published=told)
        if fact is not None:
            yield fact


UNLOCKS = replace(
    shares.UNLOCKS,
    name="tushare_share_float",
    source=SOURCE,
    provider="tushare",
    known=Known.PUBLISHED,
    calls=(
        Call(
            "share_float",
            {"ts_code": "", "ann_date": "", "float_date": "", "float_share": "股"},
            shares.ahead,
        ),
    ),
    read=_read_float,
)
MARGIN = Dataset(
    name="tushare_margin_detail",
    source=SOURCE,
    provider="tushare",
    scope=Scope.TABLE,
    calls=(Call("margin_detail", {"trade_date": "", "ts_code": "", "rzye": "元", "rqye": "元"}, _told),),
    gives=("margin_balance", "short_balance"),
    known=Known.NEXT_SESSION,
    read=values(
        Column("rzye", "margin_balance"),
        Column("rqye", "short_balance"),
        of=on_day("trade_date"),
        subject=by_code("ts_code"),
    ),
)


def _read_flow(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
    def make(row: Row) -> Iterator[Found | None]:
        whose, on = share_of(row["ts_code"]), day(row, "trade_date")
        names = ("buy_lg_amount", "sell_lg_amount", "buy_elg_amount", "sell_elg_amount")
        figures = [number(row, name) for name in names]
        if whose not in ask.symbols or on is None:
            return
        bought, sold, most_bought, most_sold = figures
        if most_bought is None or most_sold is None:
            return
        largest = (most_bought - most_sold) * TEN_THOUSAND
        yield value(dataset, ask, whose, "super_large_net_inflow", on, largest)
        if bought is not None and sold is not None:
            main = largest + (bought - sold) * TEN_THOUSAND
            yield value(dataset, ask, whose, "main_net_inflow", on, main)

    yield from Tally(dataset).read(tables[0], make)


FUND_FLOW = Dataset(
    name="tushare_moneyflow",
    source=SOURCE,
    provider="tushare",
    scope=Scope.TABLE,
    calls=(
        Call(
            "moneyflow",
            {
                "ts_code": "", "trade_date": "", "buy_lg_amount": "万元", "sell_lg_amount": "万元",
                "buy_elg_amount": "万元", "sell_elg_amount": "万元",
            },
            _session,
        ),
    ),
    gives=("main_net_inflow", "super_large_net_inflow"),
    known=Known.DAY_END,
    read=_read_flow,
)  # fmt: skip


def _due(row: Row, whose: str, ask: Ask, dataset: Dataset) -> Iterator[Found | None]:
    actual, planned, told = day(row, "actual_date"), day(row, "pre_date"), day(row, "ann_date")
    if actual is not None:
        yield event(dataset, ask, whose, "earnings_date", actual, published=actual)
    elif planned is not None:
        yield event(dataset, ask, whose, "report_due", planned, published=told)


REPORT_DATES = Dataset(
    name="tushare_disclosure_date",
    source=SOURCE,
    provider="tushare",
    scope=Scope.TABLE,
    calls=(
        Call(
            "disclosure_date",
            {"ts_code": "", "ann_date": "", "end_date": "", "pre_date": "", "actual_date": ""},
            _quarters,
        ),
    ),
    gives=("report_due", "earnings_date"),
    known=Known.PUBLISHED,
    read=happenings.happenings(_due, "ts_code"),
    fresh=shares.QUARTERLY,
    optional=("report_due", "earnings_date"),
)


def _read_margin(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
    rows = [row for row in tables[0] if row.get("exchange_id") in ("SSE", "SZSE")]
    amount, on = total(rows, "rzrqye"), day(rows[0], "trade_date") if rows else None
    if len(rows) == 2 and amount is not None and on is not None:
        found = value(dataset, ask, MARKET_SUBJECT, "market_margin_balance", on, amount)
        if found is not None:
            yield found


MARKET_MARGIN = replace(
    market.MARKET_MARGIN,
    name="tushare_margin",
    source=SOURCE,
    provider="tushare",
    calls=(Call("margin", {"trade_date": "", "exchange_id": "", "rzrqye": "元"}, _told),),
    read=_read_margin,
)


def _market(*columns: Column) -> Dataset:
    return replace(
        market.SHIBOR,
        source=SOURCE,
        provider="tushare",
        read=values(*columns, of=on_day("date"), subject=lambda row, ask: MARKET_SUBJECT, published="date"),
    )


SHIBOR = replace(
    _market(Column("on", "shibor_overnight", PERCENT)),
    name="tushare_shibor",
    calls=(Call("shibor", {"date": "", "on": "%"}, _recent),),
)
LPR = replace(
    _market(Column("1y", "lpr_1y", PERCENT), Column("5y", "lpr_5y", PERCENT)),
    name="tushare_shibor_lpr",
    gives=market.LPR.gives,
    calls=(Call("shibor_lpr", {"date": "", "1y": "%", "5y": "%"}, _recent),),
    fallow=market.LPR.fallow,
)


def _industry_days(ask: Ask) -> list[dict[str, str]]:
    """The last session, and the two that returns are measured from: one request each."""
    last = ask.last_session()
    backs = (0, -industry.SHORT, -industry.LONG)
    return [{"trade_date": compact(ask.calendar.session_offset(last, back))} for back in backs]


def _read_industries(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
    names = ("ts_code", "trade_date", "close", "pe", "pb")
    yield from newest(industry.read_indices(list(tables[0]), names, ask, dataset), 1)


INDUSTRY_DAILY = replace(
    industry.INDEX_DAILY,
    name="tushare_sw_daily",
    source=SOURCE,
    provider="tushare",
    calls=(
        Call(
            "sw_daily",
            {"ts_code": "", "trade_date": "", "close": "", "pe": "", "pb": ""},
            _industry_days,
        ),
    ),
    read=_read_industries,
)
