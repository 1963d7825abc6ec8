"""Names of A-shares by symbol, kept with their day: symbols can be given by name, without a network.

The list is akshare's `stock_info_a_code_name` (columns `code`, `name`), as the exchanges publish it; names
that quotes and index lists brought are known too.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from vnpy_aiagent.data.symbols import normalise, parse_symbol
from vnpy_aiagent.domain.clock import Clock, LiveClock
from vnpy_aiagent.errors import DataError, UnknownSymbol

FILE_NAME = "symbol_names.json"


@dataclass(frozen=True, slots=True)
class NameList:
    """Names by vt_symbol, and the day on which they were fetched (None: never)."""

    names: Mapping[str, str]
    day: date | None


def load_name_list(path: Path) -> NameList:
    """The kept list, empty where there is none yet. DataError where the file is damaged."""
    content = read_json(path)
    if content is None:
        return NameList({}, None)
    try:
        names = {str(symbol): str(name) for symbol, name in content["names"].items()}
        return NameList(names, date.fromisoformat(content["day"]))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"名称表 {path} 已损坏（{error}）；请删除该文件后重新更新名称表") from error


def fetch_name_list(path: Path, client: Any = None, clock: Clock | None = None) -> NameList:
    """Fetch the names of all A-shares and keep them. DataError where that fails; the old list then stays."""
    source = client if client is not None else akshare()
    try:
        frame = source.stock_info_a_code_name()
        rows = list(zip(frame["code"].tolist(), frame["name"].tolist(), strict=True))
    except Exception as error:
        raise DataError(
            f"取不到名称表（{type(error).__name__}：{error}）；请检查网络后再试，或直接填写代码"
        ) from error
    names: dict[str, str] = {}
    for code, name in rows:
        if symbol := share_symbol(str(code)):
            names[symbol] = normalise(str(name))
    if not names:
        raise DataError("名称表里没有可用的代码；请升级 akshare 后再试，或直接填写代码")
    found = NameList(names, (clock or LiveClock()).now().date())
    write_json(path, {"day": str(found.day), "names": dict(sorted(names.items()))})
    return found


def share_symbol(code: str) -> str:
    """The share with a bare six-digit code, an empty string where no exchange has such a share."""
    code = code.strip().zfill(6)
    try:
        return parse_symbol(f"{code}.SZSE" if code.startswith("000") else code)
    except UnknownSymbol:
        return ""


def akshare() -> Any:
    """The package akshare; DataError where it is not installed."""
    try:
        return import_module("akshare")
    except ImportError as error:
        raise DataError('没有安装 akshare；请运行 pip install "vnpy_aiagent[akshare]" 后再试') from error


def read_json(path: Path) -> Any:
    """What a kept file holds, None where there is none. DataError where it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(f"缓存 {path} 无法读取（{error}）；请删除该文件，内容会重新取得") from error


def write_json(path: Path, content: Any) -> None:
    """Replace a kept file in one step. DataError where it cannot be written."""
    draft = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        raise DataError(f"缓存 {path} 无法写入（{error}）；请检查文件夹权限和磁盘空间") from error
