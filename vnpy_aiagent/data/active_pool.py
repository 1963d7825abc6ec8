"""The automatic pool: the symbols with the largest turnover (CNY) of the last complete trading day.

Candidates are the names that are known (name list, index members); their turnover is what the free snapshot
services say. A snapshot of another day than the last complete one is no answer: nothing is guessed from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Protocol

from vnpy_aiagent.data.index_members import FILE_NAME as MEMBERS_FILE
from vnpy_aiagent.data.index_members import load_members
from vnpy_aiagent.data.name_list import FILE_NAME as NAMES_FILE
from vnpy_aiagent.data.name_list import load_name_list
from vnpy_aiagent.data.quote_names import FILE_NAME as QUOTE_NAMES_FILE
from vnpy_aiagent.data.quote_names import load_names
from vnpy_aiagent.data.quote_pool import Doubt, Polled
from vnpy_aiagent.data.quote_sources import PREFIXES, Quote
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.market import TradingCalendar

SESSION_OVER = time(15, 30)
MIN_KNOWN = 0.5  # share of the candidates that must have a turnover of the day, or the ranking says nothing


class Quotes(Protocol):
    """Where quotes come from: SourcePool in the product."""

    def poll(self, vt_symbols: list[str], doubt: Doubt) -> Polled:
        """Quotes of the symbols from one source."""
        ...


@dataclass(frozen=True, slots=True)
class Active:
    """One symbol of the ranking; turnover in CNY."""

    vt_symbol: str
    name: str
    turnover: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """The most active symbols of a day, best first; out of how many candidates, and who said so."""

    day: date
    source: str
    candidates: int
    top: tuple[Active, ...]


def known_names(folder: Path) -> dict[str, str]:
    """Every name that is kept in the app's folder, by vt_symbol; the fetched list wins."""
    names = dict(load_names(folder / QUOTE_NAMES_FILE))
    for members in load_members(folder / MEMBERS_FILE).values():
        names.update(members.names)
    names.update(load_name_list(folder / NAMES_FILE).names)
    return names


def last_complete_day(calendar: TradingCalendar, now: datetime) -> date:
    """The last trading day whose after-hours session is over."""
    day = now.date()
    if not (calendar.is_session(day) and now.time() >= SESSION_OVER):
        day -= timedelta(days=1)
        while not calendar.is_session(day):
            day -= timedelta(days=1)
    return day


def most_active(names: Mapping[str, str], quotes: Quotes, day: date, size: int) -> Ranking:
    """Rank the candidates by their turnover on `day`. DataError where the sources cannot say."""
    candidates = sorted(symbol for symbol in names if symbol.rpartition(".")[2] in PREFIXES)
    if not candidates:
        raise DataError("自动股票池没有候选：请先在“设置 → 股票池”里更新名称表，或加入一次指数成分股")
    polled = quotes.poll(candidates, lambda answer: "")
    if polled.answer is None:
        why = "；".join(f"{label}：{reason}" for label, reason in polled.failures) or "正在等待重试"
        raise DataError(f"自动股票池取不到行情（{why}）；沿用原来的股票池，请检查网络")
    of_the_day = [quote for quote in polled.answer.quotes.values() if quote.at.date() == day]
    if len(of_the_day) < MIN_KNOWN * len(candidates):
        raise DataError(
            f"行情源里 {len(candidates)} 只候选中只有 {len(of_the_day)} 只带 {day} 的成交额；"
            "沿用原来的股票池，请在收盘后或次日开盘前再运行盘前计划"
        )
    of_the_day.sort(key=lambda quote: (-quote.turnover, quote.vt_symbol))
    top = tuple(_active(quote) for quote in of_the_day[:size] if quote.turnover > 0)
    return Ranking(day, polled.answer.source, len(candidates), top)


def _active(quote: Quote) -> Active:
    return Active(quote.vt_symbol, quote.name, quote.turnover)
