"""Datasets of the whole A-share market through akshare: breadth, turnover, margin, volatility, rates."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

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
    HUNDRED_MILLION,
    PERCENT,
    Column,
    Day,
    Tally,
    newest,
    on_day,
    value,
    values,
)
from vnpy_aiagent.data.fact_sources.rows import Row, day, end_of, number, words
from vnpy_aiagent.data.facts import MARKET_SUBJECT
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.domain.text import say

NORTHBOUND_END = date(2024, 8, 19)
"""From this day on the exchanges publish no net inflow of Stock Connect northbound trading.

Source: notices of the Shanghai and Shenzhen exchanges of 26 July 2024, in force on 19 August 2024.
"""


def _market(row: Row, ask: Ask) -> str:
    return MARKET_SUBJECT


def _on_market(*columns: Column, of: Day, published: str | None = None) -> Callable[..., Iterator[Found]]:
    return values(*columns, of=of, subject=_market, published=published)


def _last_session(ask: Ask) -> list[dict[str, str]]:
    return [{"date": compact(ask.last_session())}]


_LEGU = {
    "上涨": "advancers",
    "下跌": "decliners",
    "涨停": "limit_up_count",
    "跌停": "limit_down_count",
}


def _read_legu(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
    items = {words(row, "item"): row for row in tables[0]}
    lacking = [name for name in (*_LEGU, "统计日期") if name not in items]
    if lacking:
        raise SourceAbsence(
            dataset.source,
            AbsenceKind.BAD_DATA,
            say("{source} 的表缺少列 {columns}", source=dataset.source, columns=", ".join(lacking)),
        )
    on = day(items["统计日期"], "value")

    def make(row: Row) -> Iterator[Found | None]:
        amount = number(row, "value")
        if on is not None and amount is not None:
            yield value(dataset, ask, MARKET_SUBJECT, _LEGU[words(row, "item")], on, amount)

    yield from Tally(dataset).read([items[name] for name in _LEGU], make)


BREADTH = Dataset(
    name="breadth",
    source="legulegu",
    provider="akshare",
    scope=Scope.MARKET,
    calls=(Call("stock_market_activity_legu", {"item": "", "value": ""}),),
    gives=("advancers", "decliners", "limit_up_count", "limit_down_count"),
    known=Known.DAY_END,
    read=_read_legu,
    fallow=timedelta(days=15),
)


def _read_pool(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
    """Counts the rows of a pool. An empty one gives nothing: it may be a day that is not counted yet."""
    shares = [row for row in tables[0] if row["代码"] is not None]
    on = day(shares[0], "@date") if shares else None
    if on is not None:
        found = value(dataset, ask, MARKET_SUBJECT, dataset.gives[0], on, Decimal(len(shares)))
        if found is not None:
            yield found


def _pool(name: str, function: str, metric: str) -> Dataset:
    return Dataset(
        name=name,
        source="eastmoney",
        provider="akshare",
        scope=Scope.MARKET,
        calls=(Call(function, {"代码": ""}, _last_session),),
        gives=(metric,),
        known=Known.DAY_END,
        read=_read_pool,
        note="without ST shares and shares without a limit",
    )


LIMIT_UP = _pool("limit_up_pool", "stock_zt_pool_em", "limit_up_count")
LIMIT_DOWN = _pool("limit_down_pool", "stock_zt_pool_dtgc_em", "limit_down_count")


def _read_turnover(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
    """Shanghai's 股票 (hundred million CNY) and Shenzhen's 股票 (CNY) of one day; both or nothing."""
    shanghai = next((row for row in tables[0] if words(row, "单日情况") == "成交金额"), None)
    shenzhen = next((row for row in tables[1] if words(row, "证券类别") == "股票"), None)
    if shanghai is None or shenzhen is None:
        return
    first, second, on = number(shanghai, "股票"), number(shenzhen, "成交金额"), day(shanghai, "@date")
    if first is None or second is None or on is None:
        return
    found = value(dataset, ask, MARKET_SUBJECT, "market_turnover", on, first * HUNDRED_MILLION + second)
    if found is not None:
        yield found


TURNOVER = Dataset(
    name="turnover",
    source="exchanges",
    provider="akshare",
    scope=Scope.MARKET,
    calls=(
        Call("stock_sse_deal_daily", {"单日情况": "", "股票": "亿元"}, _last_session),
        Call("stock_szse_summary", {"证券类别": "", "成交金额": "元"}, _last_session),
    ),
    gives=("market_turnover",),
    known=Known.DAY_END,
    read=_read_turnover,
    note="Shanghai and Shenzhen; Beijing, about one part in a hundred, is left out",
)


def _last_told(ask: Ask) -> date:
    return ask.calendar.previous_session(ask.now.date())


def _read_margin(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
    """Shanghai's total (CNY) and Shenzhen's (hundred million CNY) of one day; both or nothing."""
    if not tables[0] or not tables[1]:
        return
    first, second = number(tables[0][0], "融资融券余额"), number(tables[1][0], "融资融券余额")
    on = day(tables[0][0], "信用交易日期")
    if first is None or second is None or on is None or on != day(tables[1][0], "@date"):
        return
    amount = first + second * HUNDRED_MILLION
    found = value(dataset, ask, MARKET_SUBJECT, "market_margin_balance", on, amount)
    if found is not None:
        yield found


MARKET_MARGIN = Dataset(
    name="market_margin",
    source="exchanges",
    provider="akshare",
    scope=Scope.MARKET,
    calls=(
        Call(
            "stock_margin_sse",
            {"信用交易日期": "", "融资融券余额": "元"},
            lambda ask: [{"start_date": compact(_last_told(ask)), "end_date": compact(_last_told(ask))}],
        ),
        Call("stock_margin_szse", {"融资融券余额": "亿元"}, lambda ask: [{"date": compact(_last_told(ask))}]),
    ),
    gives=("market_margin_balance",),
    known=Known.NEXT_SESSION,
    read=_read_margin,
    note="financing and lending of Shanghai and Shenzhen",
)


def _qvix(name: str, function: str, metric: str) -> Dataset:
    return Dataset(
        name=name,
        source="optbbs",
        provider="akshare",
        scope=Scope.MARKET,
        calls=(Call(function, {"date": "", "close": "percent"}),),
        gives=(metric,),
        known=Known.DAY_END,
        read=_on_market(Column("close", metric), of=on_day("date")),
        fallow=timedelta(days=15),
        note="akshare keeps the file for the life of the process; the copy is dropped before each request",
    )


QVIX_50 = _qvix("qvix_50", "index_option_50etf_qvix", "qvix_50")
QVIX_300 = _qvix("qvix_300", "index_option_300etf_qvix", "qvix_300")


def _read_northbound(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
    def make(row: Row) -> Iterator[Found | None]:
        bought, sold, on = number(row, "买入成交额"), number(row, "卖出成交额"), day(row, "日期")
        if bought is not None and sold is not None and on is not None:
            amount = (bought + sold) * HUNDRED_MILLION
            if amount:
                yield value(dataset, ask, MARKET_SUBJECT, "northbound_turnover", on, amount)

    yield from newest(Tally(dataset).read(tables[0], make), 1)


NORTHBOUND_TURNOVER = Dataset(
    name="northbound_turnover",
    source="eastmoney",
    provider="akshare",
    scope=Scope.MARKET,
    calls=(
        Call(
            "stock_hsgt_hist_em",
            {"日期": "", "买入成交额": "亿元", "卖出成交额": "亿元"},
            lambda _: [{"symbol": "北向资金"}],
        ),
    ),
    gives=("northbound_turnover",),
    known=Known.DAY_END,
    read=_read_northbound,
    fallow=timedelta(days=30),
    note="akshare's table has no buying and selling since 19 August 2024: an absence from then on",
)
LPR = Dataset(
    name="lpr",
    source="eastmoney",
    provider="akshare",
    scope=Scope.MARKET,
    calls=(Call("macro_china_lpr", {"TRADE_DATE": "", "LPR1Y": "%", "LPR5Y": "%"}),),
    gives=("lpr_1y", "lpr_5y"),
    known=Known.PUBLISHED,
    read=_on_market(
        Column("LPR1Y", "lpr_1y", PERCENT),
        Column("LPR5Y", "lpr_5y", PERCENT),
        of=on_day("TRADE_DATE"),
        published="TRADE_DATE",
    ),
    fresh=timedelta(hours=20),
    fallow=timedelta(days=60),
)
SHIBOR = Dataset(
    name="shibor",
    source="jin10",
    provider="akshare",
    scope=Scope.MARKET,
    calls=(Call("macro_china_shibor_all", {"日期": "", "O/N-定价": "%"}),),
    gives=("shibor_overnight",),
    known=Known.PUBLISHED,
    read=_on_market(Column("O/N-定价", "shibor_overnight", PERCENT), of=on_day("日期"), published="日期"),
    fallow=timedelta(days=15),
)
SHIBOR_EASTMONEY = Dataset(
    name="shibor_eastmoney",
    source="eastmoney",
    provider="akshare",
    scope=Scope.MARKET,
    calls=(
        Call(
            "rate_interbank",
            {"报告日": "", "利率": "%"},
            lambda _: [{"market": "上海银行同业拆借市场", "symbol": "Shibor人民币", "indicator": "隔夜"}],
        ),
    ),
    gives=("shibor_overnight",),
    known=Known.PUBLISHED,
    read=_on_market(Column("利率", "shibor_overnight", PERCENT), of=on_day("报告日"), published="报告日"),
    fallow=timedelta(days=15),
)


def _read_reserve(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
    """The ratio in force: from its first day on, and never before it was announced."""

    def make(row: Row) -> Iterator[Found | None]:
        told, starts = day(row, "公布时间"), day(row, "生效时间")
        amount = number(row, "大型金融机构-调整后")
        if told is None or starts is None or amount is None or amount <= 0:
            return
        fact = value(
            dataset, ask, MARKET_SUBJECT, "reserve_requirement_ratio", starts, amount * PERCENT,
            max(told, starts),
        )  # fmt: skip
        if fact is not None and end_of(starts) <= ask.seen:
            yield fact

    yield from newest(Tally(dataset).read(tables[0], make), 1)


RESERVE = Dataset(
    name="reserve_ratio",
    source="eastmoney",
    provider="akshare",
    scope=Scope.MARKET,
    calls=(
        Call(
            "macro_china_reserve_requirement_ratio",
            {"公布时间": "", "生效时间": "", "大型金融机构-调整后": "%"},
        ),
    ),
    gives=("reserve_requirement_ratio",),
    known=Known.PUBLISHED,
    read=_read_reserve,
    fresh=timedelta(hours=20),
    note="of large banks; counted from the day on which it is in force",
)
