"""Members of an index, from China Securities Index through akshare, kept with their day.

`index_stock_cons_csindex(symbol)` answers with the columns 日期 (the list's day), 成分券代码, 成分券名称 and
others, by akshare's documentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from vnpy_aiagent.data.name_list import akshare, read_json, share_symbol, write_json
from vnpy_aiagent.data.symbols import normalise
from vnpy_aiagent.errors import DataError

FILE_NAME = "index_members.json"
INDICES = {"000016": "上证50", "000300": "沪深300", "000905": "中证500"}
DAY, CODE, NAME = "日期", "成分券代码", "成分券名称"


@dataclass(frozen=True, slots=True)
class Members:
    """Names of an index's members by vt_symbol, as of a day; `fresh` where they were fetched just now."""

    index: str
    day: date
    names: Mapping[str, str]
    fresh: bool = False


def load_members(path: Path) -> dict[str, Members]:
    """What was kept, by the index's code. DataError where the file is damaged."""
    content = read_json(path) or {}
    try:
        return {
            code: Members(code, date.fromisoformat(each["day"]), dict(each["names"]))
            for code, each in content.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"成分股缓存 {path} 已损坏（{error}）；请删除该文件后再试") from error


def fetch_members(index: str, path: Path, client: Any = None) -> Members:
    """Fetch an index's members and keep them.

    DataError where that fails and none were kept; kept ones are given otherwise, with their old day.
    """
    kept = load_members(path)
    try:
        found = _ask(index, client if client is not None else akshare())
    except DataError:
        if index in kept:
            return kept[index]
        raise
    kept[index] = found
    write_json(
        path,
        {
            code: {"day": str(each.day), "names": dict(sorted(each.names.items()))}
            for code, each in sorted(kept.items())
        },
    )
    return found


def _ask(index: str, source: Any) -> Members:
    title = INDICES.get(index, index)
    try:
        frame = source.index_stock_cons_csindex(symbol=index)
        rows = list(zip(frame[CODE].tolist(), frame[NAME].tolist(), strict=True))
        day = date.fromisoformat(str(frame[DAY].tolist()[0])[:10])
    except Exception as error:
        raise DataError(
            f"取不到{title}成分股（{type(error).__name__}：{error}）；请检查网络后再试，或导入CSV"
        ) from error
    names = {share_symbol(str(code)): normalise(str(name)) for code, name in rows}
    names.pop("", None)
    if not names:
        raise DataError(f"{title}成分股里没有可用的代码；请升级 akshare 后再试，或导入CSV")
    return Members(index, day, names, fresh=True)
