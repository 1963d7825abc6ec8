"""The automatic pool, the kept names and index members: what is chosen, what is refused, what stays."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from vnpy_aiagent.data.active_pool import known_names, last_complete_day, most_active
from vnpy_aiagent.data.index_members import fetch_members, load_members
from vnpy_aiagent.data.name_list import fetch_name_list, load_name_list
from vnpy_aiagent.data.quote_pool import Polled
from vnpy_aiagent.data.quote_sources import Answer, Quote
from vnpy_aiagent.domain import MARKET_TZ
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.market import default_calendar

FRIDAY = date(2026, 6, 5)
NAMES = {"600519.SSE": "贵州茅台", "000001.SZSE": "平安银行", "300750.SZSE": "宁德时代"}


def quote(symbol: str, turnover: float, day: date = FRIDAY) -> Quote:
    return Quote(
        vt_symbol=symbol,
        source="sina",
        name=NAMES[symbol],
        at=datetime(day.year, day.month, day.day, 15, 0, tzinfo=MARKET_TZ),
        last=10.0,
        open=10.0,
        high=10.0,
        low=10.0,
        prev_close=10.0,
        volume=int(turnover / 10),
        turnover=turnover,
        bids=(),
        asks=(),
    )


class Quotes:
    """Answers with these quotes; None: no source answers."""

    def __init__(self, quotes: Sequence[Quote] | None) -> None:
        self.quotes = quotes

    def poll(self, vt_symbols: Sequence[str], doubt: object) -> Polled:
        if self.quotes is None:
            return Polled(None, (("新浪", "2秒内没有答复"),))
        return Polled(Answer("sina", {each.vt_symbol: each for each in self.quotes}))


def test_the_largest_by_turnover_are_chosen_and_ties_go_by_code():
    quotes = Quotes([quote("000001.SZSE", 5e8), quote("600519.SSE", 9e8), quote("300750.SZSE", 5e8)])
    found = most_active(NAMES, quotes, FRIDAY, 2)
    assert [each.vt_symbol for each in found.top] == ["600519.SSE", "000001.SZSE"]
    assert (found.day, found.source, found.candidates) == (FRIDAY, "sina", 3)


def test_a_suspended_symbol_is_never_among_the_active():
    found = most_active(NAMES, Quotes([quote("600519.SSE", 9e8), quote("000001.SZSE", 0.0)]), FRIDAY, 3)
    assert [each.vt_symbol for each in found.top] == ["600519.SSE"]


def test_turnover_of_another_day_is_no_ranking():
    old = [quote(symbol, 5e8, date(2026, 6, 4)) for symbol in NAMES]
    with pytest.raises(DataError, match="只有 0 只带 2026-06-05 的成交额"):
        most_active(NAMES, Quotes(old), FRIDAY, 2)


def test_no_source_and_no_candidates_are_sentences():
    with pytest.raises(DataError, match="新浪：2秒内没有答复"):
        most_active(NAMES, Quotes(None), FRIDAY, 2)
    with pytest.raises(DataError, match="更新名称表"):
        most_active({}, Quotes([]), FRIDAY, 2)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 6, 8, 7, 0, tzinfo=MARKET_TZ), FRIDAY),
        (datetime(2026, 6, 8, 15, 29, tzinfo=MARKET_TZ), FRIDAY),
        (datetime(2026, 6, 8, 15, 30, tzinfo=MARKET_TZ), date(2026, 6, 8)),
        (datetime(2026, 6, 7, 20, 0, tzinfo=MARKET_TZ), FRIDAY),
    ],
)
def test_the_last_complete_day_ends_with_the_after_hours_session(moment, expected):
    assert last_complete_day(default_calendar(), moment) == expected


class Akshare:
    """Two documented functions of akshare."""

    def __init__(
        self, members: Mapping[str, Any] | None = None, names: Mapping[str, Any] | None = None
    ) -> None:
        self.members, self.names = members, names

    def index_stock_cons_csindex(self, symbol: str) -> pd.DataFrame:
        if self.members is None:
            raise ConnectionError("no network")
        return pd.DataFrame(self.members)

    def stock_info_a_code_name(self) -> pd.DataFrame:
        if self.names is None:
            raise ConnectionError("no network")
        return pd.DataFrame(self.names)


MEMBERS = {
    "日期": [date(2026, 6, 5)] * 2,
    "成分券代码": ["1", "600519"],
    "成分券名称": ["平安银行", "贵州茅台"],
}


def test_members_are_kept_with_their_day_and_given_again_without_a_network(tmp_path: Path):
    path = tmp_path / "index_members.json"
    found = fetch_members("000300", path, Akshare(MEMBERS))
    assert found.names == {"000001.SZSE": "平安银行", "600519.SSE": "贵州茅台"}
    assert (found.day, found.fresh) == (FRIDAY, True)
    again = fetch_members("000300", path, Akshare())
    assert (again.names, again.fresh) == (found.names, False)
    with pytest.raises(DataError, match="取不到上证50成分股"):
        fetch_members("000016", path, Akshare())
    assert set(load_members(path)) == {"000300"}


def test_changed_columns_are_no_members(tmp_path: Path):
    with pytest.raises(DataError, match="取不到沪深300成分股"):
        fetch_members("000300", tmp_path / "index_members.json", Akshare({"code": ["600519"]}))


def test_names_are_kept_and_stay_where_a_refresh_fails(tmp_path: Path):
    path = tmp_path / "symbol_names.json"
    assert load_name_list(path).day is None
    found = fetch_name_list(path, Akshare(names={"code": ["000001", "900901"], "name": ["平安 银行", "B股"]}))
    assert found.names == {"000001.SZSE": "平安银行"}
    with pytest.raises(DataError, match="取不到名称表"):
        fetch_name_list(path, Akshare())
    assert load_name_list(path).names == found.names


def test_known_names_come_from_every_kept_file(tmp_path: Path):
    (tmp_path / "quote_names.json").write_text(
        '{"510300.SSE": "300ETF", "600519.SSE": "旧名"}', encoding="utf-8"
    )
    fetch_members("000300", tmp_path / "index_members.json", Akshare(MEMBERS))
    assert known_names(tmp_path) == {
        "510300.SSE": "300ETF",
        "600519.SSE": "贵州茅台",
        "000001.SZSE": "平安银行",
    }


@pytest.mark.parametrize("name", ["symbol_names.json", "index_members.json"])
@pytest.mark.parametrize("content", ["{broken", json.dumps(["list"]), json.dumps({"names": 3, "day": "x"})])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: str):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=name):
        known_names(tmp_path)
