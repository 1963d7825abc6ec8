"""Shenwan level-1 industries (2021 classification): their codes, their members, their figures."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

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
from vnpy_aiagent.data.fact_sources.readers import PERCENT, Tally, newest, value
from vnpy_aiagent.data.fact_sources.rows import BadCell, Row, day, end_of, number, share_of, words
from vnpy_aiagent.data.fact_sources.shares import BALANCE_CALL, REPORTS_CALL
from vnpy_aiagent.data.facts import METRICS, ValueFact

CLASS_TO_INDEX: dict[str, int] = {
    "11": 801010, "22": 801030, "23": 801040, "24": 801050, "27": 801080, "28": 801880, "33": 801110,
    "34": 801120, "35": 801130, "36": 801140, "37": 801150, "41": 801160, "42": 801170, "43": 801180,
    "45": 801200, "46": 801210, "48": 801780, "49": 801790, "51": 801230, "61": 801710, "62": 801720,
    "63": 801730, "64": 801890, "65": 801740, "71": 801750, "72": 801760, "73": 801770, "74": 801950,
    "75": 801960, "76": 801970, "77": 801980,
}  # fmt: skip
"""First two digits of a Shenwan class (SwClass2021) to the index code of its level-1 industry.

Source: Shenwan Hongyuan Research, 申万行业分类标准 2021 版, in force since 30 July 2021.
"""
INDUSTRIES = frozenset(CLASS_TO_INDEX.values())
FEWEST_MEMBERS = 5
DAYS_BACK = timedelta(days=50)
SHORT, LONG = 5, 20


def _industry(row: Row) -> int | None:
    code = words(row, "industry_code")
    if not code:
        return None
    if code[:2] not in CLASS_TO_INDEX:
        raise BadCell(f"industry_code {code} is no class of 2021")
    return CLASS_TO_INDEX[code[:2]]


def _members(rows: Iterator[Row] | list[Row], on: date) -> dict[str, tuple[int, date, date]]:
    """Each share's industry on a day, since when, and when that row was last written."""
    found: dict[str, tuple[int, date, date]] = {}
    for row in rows:
        whose, start = share_of(row["symbol"]), day(row, "start_date")
        if whose is None or start is None or start > on:
            continue
        try:
            industry = _industry(row)
        except BadCell:
            continue  # classes of the standards before 2021, which the file keeps
        if industry is not None and (whose not in found or start >= found[whose][1]):
            found[whose] = industry, start, max(start, day(row, "update_time") or start)
    return found


def _read_classes(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
    members = _members(list(tables[0]), ask.seen.date())
    for whose in ask.symbols:
        if whose in members:
            industry, start, written = members[whose]
            yield ValueFact(
                vt_symbol=whose,
                source=dataset.source,
                available_at=end_of(written),
                metric="sw_industry",
                period=start,
                value=Decimal(industry),
                unit=METRICS["sw_industry"],
            )


CLASSES_CALL = Call(
    "stock_industry_clf_hist_sw",
    {"symbol": "", "start_date": "", "industry_code": "", "update_time": ""},
)
CLASSES = Dataset(
    name="classification",
    source="swsresearch",
    provider="akshare",
    scope=Scope.TABLE,
    calls=(CLASSES_CALL,),
    gives=("sw_industry",),
    known=Known.PUBLISHED,
    read=_read_classes,
    fresh=timedelta(days=6),
    note="the later of start_date and update_time counts as its publication",
)


def _span(ask: Ask) -> list[dict[str, str]]:
    last = ask.last_session()
    return [{"symbol": "一级行业", "start_date": compact(last - DAYS_BACK), "end_date": compact(last)}]


def read_indices(
    rows: list[Row], names: tuple[str, str, str, str, str], ask: Ask, dataset: Dataset
) -> Iterator[Found]:
    """Figures of the newest day of each industry; returns where the bar of that very session is there.

    `names`: the columns of code, day, close, PE and PB.
    """
    code, when, close, pe, pb = names
    closes: dict[tuple[int, date], Decimal] = {}

    def make(row: Row) -> Iterator[Found | None]:
        industry, on, last = words(row, code)[:6], day(row, when), number(row, close)
        if not industry.isdigit() or int(industry) not in INDUSTRIES or on is None:
            return
        if last is not None and last > 0:
            closes[int(industry), on] = last
        for column, metric in ((pe, "industry_pe"), (pb, "industry_pb")):
            amount = number(row, column)
            if amount is not None and amount:
                yield value(dataset, ask, f"{industry}.SWS", metric, on, amount)

    yield from newest(Tally(dataset).read(rows, make), 1)
    days = {industry: max(on for each, on in closes if each == industry) for industry, _ in closes}
    for industry, on in sorted(days.items()):
        for back, metric in ((SHORT, "industry_return_5d"), (LONG, "industry_return_20d")):
            before = closes.get((industry, ask.calendar.session_offset(on, -back)))
            if before is not None:
                change = (closes[industry, on] / before - 1).quantize(Decimal("0.000001"))
                found = value(dataset, ask, f"{industry}.SWS", metric, on, change)
                if found is not None:
                    yield found


def _read_analysis(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
    names = ("指数代码", "发布日期", "收盘指数", "市盈率", "市净率")
    yield from read_indices(list(tables[0]), names, ask, dataset)


INDEX_DAILY = Dataset(
    name="industry_daily",
    source="swsresearch",
    provider="akshare",
    scope=Scope.INDUSTRY,
    calls=(
        Call(
            "index_analysis_daily_sw",
            {"指数代码": "", "发布日期": "", "收盘指数": "", "市盈率": "倍", "市净率": "倍"},
            _span,
        ),
    ),
    gives=("industry_pe", "industry_pb", "industry_return_5d", "industry_return_20d"),
    known=Known.DAY_END,
    read=_read_analysis,
    fallow=timedelta(days=15),
    optional=("industry_pe",),
)


def _read_medians(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
    """Medians over members of the latest period that at least half of them have reported."""
    members = _members(list(tables[0]), ask.seen.date())
    sizes: dict[int, int] = {}
    for industry, _, _ in members.values():
        sizes[industry] = sizes.get(industry, 0) + 1
    for rows, code, column, metric in (
        (tables[1], "股票代码", "净资产收益率", "industry_roe"),
        (tables[2], "股票代码", "资产负债率", "industry_debt_to_assets"),
    ):
        figures: dict[tuple[int, date], list[Decimal]] = {}
        for row in rows:
            whose, amount, period = share_of(row[code]), number(row, column), day(row, "@date")
            if whose in members and amount is not None and period is not None:
                figures.setdefault((members[whose][0], period), []).append(amount * PERCENT)
        for industry in sorted(sizes):
            ready = [
                period
                for each, period in figures
                if each == industry and len(figures[each, period]) >= max(FEWEST_MEMBERS, sizes[industry] / 2)
            ]
            if ready:
                amount = Decimal(median(figures[industry, max(ready)])).quantize(Decimal("0.0001"))
                found = value(dataset, ask, f"{industry}.SWS", metric, max(ready), amount)
                if found is not None:
                    yield found


MEDIANS = Dataset(
    name="industry_medians",
    source="eastmoney",
    provider="akshare",
    scope=Scope.INDUSTRY,
    calls=(CLASSES_CALL, REPORTS_CALL, BALANCE_CALL),
    gives=("industry_roe", "industry_debt_to_assets"),
    known=Known.FETCHED,
    read=_read_medians,
    fresh=timedelta(hours=20),
    note="worked out here: medians of members, from the tables of classification, reports and balance",
)
