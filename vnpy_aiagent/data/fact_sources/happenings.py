"""Datasets of what happens to shares: reports due and previewed, ex-days, suspensions, news and filings."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
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
from vnpy_aiagent.data.fact_sources.readers import Tally, event, value
from vnpy_aiagent.data.fact_sources.rows import Row, day, moment, number, share_of, words
from vnpy_aiagent.data.fact_sources.shares import QUARTERLY
from vnpy_aiagent.data.fact_sources.texts import text

Make = Callable[[Row, str, Ask, Dataset], Iterator[Found | None]]
TEN_SHARES = 10
FILING_DAYS = 7


def happenings(make: Make, code: str = "") -> Callable[[Tables, Ask, Dataset], Iterator[Found]]:
    """A reader of rows about shares that were asked about; `code` is the column that names the share."""

    def of_row(row: Row, ask: Ask, dataset: Dataset) -> Iterator[Found | None]:
        whose = share_of(row.get(code)) if code else ask.symbol
        if whose is not None and whose in ask.symbols:
            yield from make(row, whose, ask, dataset)

    def read(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
        rows = [row for table in tables for row in table]
        yield from Tally(dataset).read(rows, partial(of_row, ask=ask, dataset=dataset))

    return read


def _quarters(ask: Ask) -> list[dict[str, str]]:
    return [{"date": compact(quarter)} for quarter in ask.quarters(2)]


def _due(row: Row, whose: str, ask: Ask, dataset: Dataset) -> Iterator[Found | None]:
    """The newest appointed day; the day itself once the report is out."""
    actual = day(row, "实际披露时间")
    if actual is not None:
        yield event(dataset, ask, whose, "earnings_date", actual)
        return
    columns = ("三次变更日期", "二次变更日期", "一次变更日期", "首次预约时间")
    due = next((on for name in columns if (on := day(row, name)) is not None), None)
    if due is not None:
        yield event(dataset, ask, whose, "report_due", due)


REPORT_DATES = Dataset(
    name="report_dates",
    source="eastmoney",
    provider="akshare",
    scope=Scope.TABLE,
    calls=(
        Call(
            "stock_yysj_em",
            {
                "股票代码": "", "首次预约时间": "", "一次变更日期": "", "二次变更日期": "",
                "三次变更日期": "", "实际披露时间": "",
            },
            lambda ask: [{"symbol": "沪深A股", **each} for each in _quarters(ask)],
        ),
    ),
    gives=("report_due", "earnings_date"),
    known=Known.FETCHED,
    read=happenings(_due, "股票代码"),
    fresh=QUARTERLY,
    covers=lambda symbol: not symbol.endswith(".BSE"),
    optional=("earnings_date", "report_due"),
    note="a day that was moved stays as an event of its own beside the new one",
)  # fmt: skip


def _preview(row: Row, whose: str, ask: Ask, dataset: Dataset) -> Iterator[Found | None]:
    on = day(row, "公告日期")
    if on is not None:
        yield event(dataset, ask, whose, "earnings_preview", on, published=on)


PREVIEWS = Dataset(
    name="earnings_previews",
    source="eastmoney",
    provider="akshare",
    scope=Scope.TABLE,
    calls=(Call("stock_yjyg_em", {"股票代码": "", "公告日期": ""}, _quarters),),
    gives=("earnings_preview",),
    known=Known.PUBLISHED,
    read=happenings(_preview, "股票代码"),
    fresh=QUARTERLY,
    optional=("earnings_preview",),
    note="that there is one and when, not what it says",
)


def _half_years(ask: Ask) -> list[dict[str, str]]:
    ends = [quarter for quarter in ask.quarters(5) if quarter.month in (6, 12)]
    return [{"date": compact(quarter)} for quarter in ends[:2]]


def _dividend(row: Row, whose: str, ask: Ask, dataset: Dataset) -> Iterator[Found | None]:
    cash, told, ex_day = (
        number(row, "现金分红-现金分红比例"),
        day(row, "最新公告日期"),
        day(row, "除权除息日"),
    )
    if cash is None or cash <= 0:
        return
    each = (cash / TEN_SHARES).normalize()
    if ex_day is not None:
        yield event(dataset, ask, whose, "ex_dividend", ex_day, each, published=told)
    period = day(row, "@date")
    if period is not None:
        yield value(dataset, ask, whose, "dividend_per_share", period, each, told)


DIVIDENDS = Dataset(
    name="dividends",
    source="eastmoney",
    provider="akshare",
    scope=Scope.TABLE,
    calls=(
        Call(
            "stock_fhps_em",
            {"代码": "", "现金分红-现金分红比例": "元/10股", "除权除息日": "", "最新公告日期": ""},
            _half_years,
        ),
    ),
    gives=("ex_dividend", "dividend_per_share"),
    known=Known.PUBLISHED,
    read=happenings(_dividend, "代码"),
    fresh=QUARTERLY,
    optional=("ex_dividend", "dividend_per_share"),
    note="plans of the last two half-years; before tax",
)


def _halt(row: Row, whose: str, ask: Ask, dataset: Dataset) -> Iterator[Found | None]:
    began, back = day(row, "停牌时间"), day(row, "预计复牌时间")
    if began is not None:
        yield event(dataset, ask, whose, "suspension", began)
    if back is not None:
        yield event(dataset, ask, whose, "resumption", back)


HALTS = Dataset(
    name="suspensions",
    source="eastmoney",
    provider="akshare",
    scope=Scope.TABLE,
    calls=(
        Call(
            "stock_tfp_em",
            {"代码": "", "停牌时间": "", "预计复牌时间": ""},
            lambda ask: [{"date": compact(ask.now.date())}],
        ),
    ),
    gives=("suspension", "resumption"),
    known=Known.FETCHED,
    read=happenings(_halt, "代码"),
    optional=("suspension", "resumption"),
)


def _news(row: Row, whose: str, ask: Ask, dataset: Dataset) -> Iterator[Found | None]:
    at = moment(row, "发布时间")
    if at is not None:
        media = words(row, "文章来源")
        yield text(whose, "news", words(row, "新闻标题"), words(row, "新闻内容"), at, media or dataset.source)


NEWS = Dataset(
    name="news",
    source="eastmoney",
    provider="akshare",
    scope=Scope.SYMBOL,
    calls=(
        Call(
            "stock_news_em",
            {"新闻标题": "", "新闻内容": "", "发布时间": "", "文章来源": ""},
            by_symbol(symbol=lambda ask: ask.code),
        ),
    ),
    gives=("news",),
    known=Known.STATED,
    read=happenings(_news),
    fresh=timedelta(hours=2),
    optional=("news",),
    note="a text's source is the medium in 文章来源; the search is by code, so it may speak of others",
)


def _week(ask: Ask) -> list[dict[str, str]]:
    today: date = ask.now.date()
    return [
        {
            "security": ask.code,
            "symbol": "全部",
            "begin_date": compact(today - timedelta(days=FILING_DAYS)),
            "end_date": compact(today),
        }
    ]


def _filing(row: Row, whose: str, ask: Ask, dataset: Dataset) -> Iterator[Found | None]:
    told = day(row, "公告日期")
    known = dataset.known_at(ask, published=told)
    if known is not None:
        yield text(whose, "filing", words(row, "公告标题"), words(row, "公告类型"), known, dataset.source)


FILINGS = Dataset(
    name="filings",
    source="eastmoney",
    provider="akshare",
    scope=Scope.SYMBOL,
    calls=(
        Call(
            "stock_individual_notice_report",
            {"公告标题": "", "公告类型": "", "公告日期": ""},
            _week,
        ),
    ),
    gives=("filing",),
    known=Known.PUBLISHED,
    read=happenings(_filing),
    fresh=timedelta(hours=2),
    optional=("filing",),
    note="titles and kinds, not the documents",
)
