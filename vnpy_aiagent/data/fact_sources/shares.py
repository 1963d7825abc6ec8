"""Datasets of single shares through akshare. Columns and units as its documentation names them (1.19.5)."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from vnpy_aiagent.data.fact_sources.dataset import (
    Ask,
    Call,
    Dataset,
    Found,
    Known,
    Scope,
    Tables,
    by_symbol,
    compact,
)
from vnpy_aiagent.data.fact_sources.readers import (
    PERCENT,
    Column,
    Tally,
    argument,
    by_code,
    event,
    on_day,
    values,
)
from vnpy_aiagent.data.fact_sources.rows import Row, day, number, share_of

QUARTERLY = timedelta(hours=20)
AHEAD = timedelta(days=180)
PLEDGE_WEEKS = 2


def _quarters(count: int) -> partial[list[dict[str, str]]]:
    return partial(_quarter_arguments, count=count)


def _quarter_arguments(ask: Ask, count: int) -> list[dict[str, str]]:
    return [{"date": compact(quarter)} for quarter in ask.quarters(count)]


def eastmoney_code(ask: Ask) -> str:
    """600519.SH, as Eastmoney and Tushare write a share."""
    return f"{ask.code}.{_market(ask).upper()}"


def _market(ask: Ask) -> str:
    return {"SSE": "sh", "SZSE": "sz", "BSE": "bj"}[ask.symbol.rpartition(".")[2]]


VALUATION = Dataset(
    name="valuation",
    source="eastmoney",
    provider="akshare",
    scope=Scope.SYMBOL,
    calls=(
        Call(
            "stock_value_em",
            {"数据日期": "", "总市值": "元", "流通市值": "元", "PE(TTM)": "", "市净率": "", "市销率": ""},
            by_symbol(symbol=lambda ask: ask.code),
        ),
    ),
    gives=("pe_ttm", "pb", "ps_ttm", "market_cap", "free_float_cap"),
    known=Known.FETCHED,
    read=values(
        Column("PE(TTM)", "pe_ttm"),
        Column("市净率", "pb"),
        Column("市销率", "ps_ttm"),
        Column("总市值", "market_cap"),
        Column("流通市值", "free_float_cap"),
        of=on_day("数据日期"),
    ),
    fallow=timedelta(days=15),
)
REPORTS_CALL = Call(
    "stock_yjbb_em",
    {
        "股票代码": "", "每股收益": "元", "营业总收入-营业总收入": "元", "营业总收入-同比增长": "%",
        "净利润-净利润": "元", "净利润-同比增长": "%", "每股净资产": "元", "净资产收益率": "%",
        "销售毛利率": "%", "最新公告日期": "",
    },
    _quarters(2),
)  # fmt: skip
REPORTS = Dataset(
    name="reports",
    source="eastmoney",
    provider="akshare",
    scope=Scope.TABLE,
    calls=(REPORTS_CALL,),
    gives=(
        "eps", "revenue", "revenue_growth", "net_profit", "profit_growth", "book_value_per_share", "roe",
        "gross_margin",
    ),
    known=Known.PUBLISHED,
    read=values(
        Column("每股收益", "eps"),
        Column("营业总收入-营业总收入", "revenue"),
        Column("营业总收入-同比增长", "revenue_growth", PERCENT),
        Column("净利润-净利润", "net_profit"),
        Column("净利润-同比增长", "profit_growth", PERCENT),
        Column("每股净资产", "book_value_per_share"),
        Column("净资产收益率", "roe", PERCENT),
        Column("销售毛利率", "gross_margin", PERCENT),
        of=argument("date"),
        subject=by_code("股票代码"),
        published="最新公告日期",
        last=2,
    ),
    fresh=QUARTERLY,
    optional=("gross_margin", "revenue_growth", "profit_growth"),
)  # fmt: skip
INDICATORS = Dataset(
    name="indicators",
    source="eastmoney",
    provider="akshare",
    scope=Scope.SYMBOL,
    calls=(
        Call(
            "stock_financial_analysis_indicator_em",
            {
                "REPORT_DATE": "", "NOTICE_DATE": "", "EPSJB": "元", "BPS": "元", "TOTALOPERATEREVE": "元",
                "PARENTNETPROFIT": "元", "TOTALOPERATEREVETZ": "%", "PARENTNETPROFITTZ": "%", "ROEJQ": "%",
                "XSMLL": "%",
            },
            by_symbol(symbol=eastmoney_code, indicator=lambda _: "按报告期"),
        ),
    ),
    gives=REPORTS.gives,
    known=Known.PUBLISHED,
    read=values(
        Column("EPSJB", "eps"),
        Column("TOTALOPERATEREVE", "revenue"),
        Column("TOTALOPERATEREVETZ", "revenue_growth", PERCENT),
        Column("PARENTNETPROFIT", "net_profit"),
        Column("PARENTNETPROFITTZ", "profit_growth", PERCENT),
        Column("BPS", "book_value_per_share"),
        Column("ROEJQ", "roe", PERCENT),
        Column("XSMLL", "gross_margin", PERCENT),
        of=on_day("REPORT_DATE"),
        published="NOTICE_DATE",
        last=2,
    ),
    fresh=QUARTERLY,
)  # fmt: skip
BALANCE_CALL = Call(
    "stock_zcfz_em", {"股票代码": "", "资产-总资产": "元", "资产负债率": "%", "公告日期": ""}, _quarters(2)
)
BALANCE = Dataset(
    name="balance",
    source="eastmoney",
    provider="akshare",
    scope=Scope.TABLE,
    calls=(BALANCE_CALL,),
    gives=("total_assets", "debt_to_assets"),
    known=Known.PUBLISHED,
    read=values(
        Column("资产-总资产", "total_assets"),
        Column("资产负债率", "debt_to_assets", PERCENT),
        of=argument("date"),
        subject=by_code("股票代码"),
        published="公告日期",
        last=2,
    ),
    fresh=QUARTERLY,
    covers=lambda symbol: not symbol.endswith(".BSE"),
)
CASH_FLOW = Dataset(
    name="cash_flow",
    source="eastmoney",
    provider="akshare",
    scope=Scope.TABLE,
    calls=(
        Call(
            "stock_xjll_em", {"股票代码": "", "经营性现金流-现金流量净额": "元", "公告日期": ""}, _quarters(2)
        ),
    ),
    gives=("operating_cash_flow",),
    known=Known.PUBLISHED,
    read=values(
        Column("经营性现金流-现金流量净额", "operating_cash_flow"),
        of=argument("date"),
        subject=by_code("股票代码"),
        published="公告日期",
        last=2,
    ),
    fresh=QUARTERLY,
    covers=lambda symbol: not symbol.endswith(".BSE"),
)
GOODWILL = Dataset(
    name="goodwill",
    source="eastmoney",
    provider="akshare",
    scope=Scope.TABLE,
    calls=(
        Call(
            "stock_sy_em",
            {"股票代码": "", "商誉": "元", "商誉占净资产比例": "ratio", "公告日期": ""},
            _quarters(2),
        ),
    ),
    gives=("goodwill", "goodwill_to_equity"),
    known=Known.PUBLISHED,
    read=values(
        Column("商誉", "goodwill"),
        Column("商誉占净资产比例", "goodwill_to_equity"),
        of=argument("date"),
        subject=by_code("股票代码"),
        published="公告日期",
        last=2,
    ),
    fresh=QUARTERLY,
    note="lists shares with goodwill alone; others have no value, which is no zero",
)


def _fund_quarter(ask: Ask) -> list[dict[str, str]]:
    """Sina's name of the last quarter whose holders are reported: funds have 15 working days."""
    quarter = next(each for each in ask.quarters(2) if (ask.now.date() - each).days > 30)
    return [{"symbol": f"{quarter.year}{quarter.month // 3}"}]


def _quarter_of(row: Row, ask: Ask) -> date:
    name = str(row["@symbol"])
    month = int(name[4:]) * 3
    return date(int(name[:4]), month, 31 if month in (3, 12) else 30)


INSTITUTIONS = Dataset(
    name="institutions",
    source="sina",
    provider="akshare",
    scope=Scope.TABLE,
    calls=(Call("stock_institute_hold", {"证券代码": "", "机构数": "", "持股比例": "%"}, _fund_quarter),),
    gives=("institution_count", "institution_ratio"),
    known=Known.FETCHED,
    read=values(
        Column("机构数", "institution_count"),
        Column("持股比例", "institution_ratio", PERCENT),
        of=_quarter_of,
        subject=by_code("证券代码"),
    ),
    fresh=QUARTERLY,
)


def fridays(ask: Ask) -> list[dict[str, str]]:
    """The last sessions of the last weeks: CSDC counts pledges once a week."""
    found: list[dict[str, str]] = []
    monday = ask.now.date() - timedelta(days=ask.now.date().weekday())
    while len(found) < PLEDGE_WEEKS:
        last = ask.calendar.previous_session(monday)
        found.append({"date": compact(last)})
        monday -= timedelta(days=7)
    return found


PLEDGE = Dataset(
    name="pledge",
    source="eastmoney",
    provider="akshare",
    scope=Scope.TABLE,
    calls=(
        Call(
            "stock_gpzy_pledge_ratio_em",
            {"股票代码": "", "交易日期": "", "质押比例": "%"},
            fridays,
        ),
    ),
    gives=("pledge_ratio",),
    known=Known.FETCHED,
    read=values(
        Column("质押比例", "pledge_ratio", PERCENT), of=on_day("交易日期"), subject=by_code("股票代码")
    ),
    fallow=timedelta(days=40),
    note="CSDC's weekly count through Eastmoney; a share without pledges is not listed and has no value",
)


def ahead(ask: Ask) -> list[dict[str, str]]:
    """From today over the next half year."""
    today = ask.now.date()
    return [{"start_date": compact(today), "end_date": compact(today + AHEAD)}]


def _read_unlocks(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
    sums: dict[tuple[str, date], Decimal] = {}

    def add(row: Row) -> Iterator[Found | None]:
        whose, on, shares = share_of(row["股票代码"]), day(row, "解禁时间"), number(row, "实际解禁数量")
        if whose in ask.symbols and on is not None and shares is not None and shares > 0:
            sums[whose, on] = sums.get((whose, on), Decimal(0)) + shares
        return iter(())

    yield from Tally(dataset).read((row for table in tables for row in table), add)
    for (whose, on), shares in sorted(sums.items()):
        fact = event(dataset, ask, whose, "unlock", on, shares.quantize(Decimal(1)))
        if fact is not None:
            yield fact


UNLOCKS = Dataset(
    name="unlocks",
    source="eastmoney",
    provider="akshare",
    scope=Scope.TABLE,
    calls=(
        Call(
            "stock_restricted_release_detail_em",
            {"股票代码": "", "解禁时间": "", "实际解禁数量": "股"},
            ahead,
        ),
    ),
    gives=("unlock",),
    known=Known.FETCHED,
    read=_read_unlocks,
    fresh=QUARTERLY,
    note="180 days ahead; the batches of one day are added up",
)


def _last_told(ask: Ask) -> list[dict[str, str]]:
    """The last session whose margin trading is told: before the open, the day before."""
    today = ask.now.date()
    return [{"date": compact(ask.calendar.previous_session(today))}]


MARGIN_SSE = Dataset(
    name="margin_sse",
    source="sse",
    provider="akshare",
    scope=Scope.TABLE,
    calls=(
        Call(
            "stock_margin_detail_sse", {"信用交易日期": "", "标的证券代码": "", "融资余额": "元"}, _last_told
        ),
    ),
    gives=("margin_balance",),
    known=Known.NEXT_SESSION,
    read=values(
        Column("融资余额", "margin_balance"), of=on_day("信用交易日期"), subject=by_code("标的证券代码")
    ),
    covers=lambda symbol: symbol.endswith(".SSE"),
    note="short balances stand there in shares, not in CNY, and are left out",
)
MARGIN_SZSE = Dataset(
    name="margin_szse",
    source="szse",
    provider="akshare",
    scope=Scope.TABLE,
    calls=(
        Call("stock_margin_detail_szse", {"证券代码": "", "融资余额": "元", "融券余额": "元"}, _last_told),
    ),
    gives=("margin_balance", "short_balance"),
    known=Known.NEXT_SESSION,
    read=values(
        Column("融资余额", "margin_balance"),
        Column("融券余额", "short_balance"),
        of=argument("date"),
        subject=by_code("证券代码"),
    ),
    covers=lambda symbol: symbol.endswith(".SZSE"),
)
FUND_FLOW = Dataset(
    name="fund_flow",
    source="eastmoney",
    provider="akshare",
    scope=Scope.SYMBOL,
    calls=(
        Call(
            "stock_individual_fund_flow",
            {"日期": "", "主力净流入-净额": "元", "超大单净流入-净额": "元"},
            by_symbol(stock=lambda ask: ask.code, market=_market),
        ),
    ),
    gives=("main_net_inflow", "super_large_net_inflow"),
    known=Known.DAY_END,
    read=values(
        Column("主力净流入-净额", "main_net_inflow"),
        Column("超大单净流入-净额", "super_large_net_inflow"),
        of=on_day("日期"),
    ),
    fallow=timedelta(days=15),
    note="Eastmoney's own estimate from sizes of orders",
)
NORTHBOUND = Dataset(
    name="northbound_holding",
    source="eastmoney",
    provider="akshare",
    scope=Scope.SYMBOL,
    calls=(
        Call(
            "stock_hsgt_individual_em",
            {"持股日期": "", "持股数量占A股百分比": "%"},
            by_symbol(symbol=lambda ask: ask.code),
        ),
    ),
    gives=("northbound_ratio",),
    known=Known.FETCHED,
    read=values(Column("持股数量占A股百分比", "northbound_ratio", PERCENT), of=on_day("持股日期")),
    fresh=timedelta(days=3),
    fallow=timedelta(days=200),
    note="published once a quarter since August 2024",
)
