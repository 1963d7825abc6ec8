"""A share for benchmarks: 250 made-up daily bars, facts of every family, twenty texts, three accounts."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

SYMBOL = "600036.SSE"
TEXT = (
    "招商银行股份有限公司今日公告，第一季度实现营业收入864.17亿元，同比下降4.65%；归母净利润380.77亿元，"
    "同比增长1.96%。<p>公司表示，净息差承压，将<b>继续优化</b>资产负债结构。</p>&nbsp;资产质量保持稳定，"
    "不良贷款率0.92%，拨备覆盖率436.82%。Net interest margin was 2.02%, tier-one capital 16.09%.\n"
)
BODY = 8_000
AMOUNTS = {"times": "6.1", "ratio": "0.12", "CNY": "1234567890.12", "CNY/share": "5.86", "percent": "18.2"}


def moment() -> datetime:
    """09:35 of a trading day."""
    from vnpy_aiagent.domain import MARKET_TZ

    return datetime(2025, 3, 3, 9, 35, tzinfo=MARKET_TZ)


def snapshot(*, facts: bool = True, texts: int = 20, bars: int = 250) -> Any:
    """What a decision on it would see; without facts it is what the demo sees."""
    from vnpy_aiagent.data.facts import FactView
    from vnpy_aiagent.domain import BarInterval, Style
    from vnpy_aiagent.tools import snapshot as views

    series = _bars(bars)
    last = Decimal(str(series.close[-1]))
    quote = views.QuoteView(
        moment(),
        last,
        last,
        last,
        last,
        last,
        (last * Decimal("1.1")).quantize(Decimal("0.01")),
        (last * Decimal("0.9")).quantize(Decimal("0.01")),
        120_000,
    )
    million = Decimal(1_000_000)
    return views.DecisionSnapshot(
        at=moment(),
        instrument=views.InstrumentView(SYMBOL, "招商银行", "SSE_MAIN", Decimal("0.01"), 100, 100, 1, False),
        bars={BarInterval.DAILY: series},
        quote=quote,
        accounts=tuple(
            views.AccountView(style.name.lower(), style, million, million, None, {}, 0.1) for style in Style
        ),
        market=views.MarketOverview(50, 0.7, "UP", 0.01),
        valid_until=moment() + timedelta(hours=5),
        facts=_facts(texts) if facts else FactView(),
    )


def request(number: int = 1) -> Any:
    """Somebody asks for a plan, so that it is debated whatever the analysts find."""
    from vnpy_aiagent.domain import AnalysisRequest, RequestKind, Style, say

    return AnalysisRequest(
        id=f"r1-{number:07d}",
        at=moment(),
        request=RequestKind.REPLAN,
        symbol=SYMBOL,
        accounts=tuple(style.name.lower() for style in Style),
        reason=say("基准测试"),
        setup="trend",
        deadline=moment() + timedelta(hours=1),
    )


def _bars(count: int) -> Any:
    """Prices that rise in waves, with volume, turnover and the close before: nothing is missing."""
    from vnpy_aiagent.data.bars import BarSeries
    from vnpy_aiagent.domain import BarInterval

    rows, close = [], 30.0
    day = date(2025, 2, 28) - timedelta(days=count - 1)
    for number in range(count):
        before, close = close, round(30 + number * 0.05 + (number % 11) * 0.13, 2)
        volume = 1_000_000.0 + number % 17 * 54_321
        rows.append(
            (
                day + timedelta(days=number),
                before,
                round(max(before, close) * 1.01, 2),
                round(min(before, close) * 0.99, 2),
                close,
                volume,
                round(volume * close, 2),
                before,
            )
        )
    return BarSeries.from_rows(SYMBOL, BarInterval.DAILY, rows)


def _facts(texts: int) -> Any:
    """A figure of every value, three events, texts of every kind; all known since some days."""
    from vnpy_aiagent.data import facts as kinds

    known = moment() - timedelta(days=2)
    values = {
        subject: tuple(
            kinds.ValueFact(
                vt_symbol=subject,
                source="bench",
                available_at=known,
                metric=metric,
                value=Decimal("801780" if unit == "code" else AMOUNTS.get(unit, "1234")),
                unit=unit,
                period=date(2024, 12, 31),
            )
            for metric, unit in table.items()
        )
        for subject, table in (
            (SYMBOL, kinds.SYMBOL_METRICS),
            (kinds.MARKET_SUBJECT, kinds.MARKET_METRICS),
            ("801780.SWS", kinds.INDUSTRY_METRICS),
        )
    }
    read = tuple(
        kinds.TextFact(
            vt_symbol=SYMBOL,
            source=f"wire{number}",
            available_at=known + timedelta(minutes=number),
            text_kind=kinds.TEXT_KINDS[number % len(kinds.TEXT_KINDS)],
            title=f"第{number}条：招商银行公告",
            body=(_other(TEXT, number) * 60)[:BODY],
        )
        for number in range(texts)
    )
    view = kinds.FactView(values=values[SYMBOL], texts=read)
    return replace(view, market=values[kinds.MARKET_SUBJECT], industry=values["801780.SWS"])


def _other(text: str, number: int) -> str:
    """A text of the same make with other characters, so that it is no copy."""
    first, count = 0x4E00, 0x5000
    shift = number * 977
    return "".join(
        chr(first + (ord(char) - first + shift) % count) if first <= ord(char) < first + count else char
        for char in text
    )
