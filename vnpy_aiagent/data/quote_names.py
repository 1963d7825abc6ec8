"""Names of symbols as the quotes gave them, kept in a file: the next start needs no network for them."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from vnpy_aiagent.errors import DataError

FILE_NAME = "quote_names.json"


def load_names(path: Path) -> dict[str, str]:
    """Names by vt_symbol; empty where there is no file yet. DataError where it cannot be read."""
    try:
        with path.open(encoding="utf-8") as file:
            content = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DataError(f"名称缓存 {path} 无法读取（{error}）；请删除该文件，名称会重新取得") from error
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content.values()):
        raise DataError(f"名称缓存 {path} 不是代码到名称的对照；请删除该文件，名称会重新取得")
    return content


def save_names(path: Path, names: Mapping[str, str]) -> None:
    """Replace the file in one step. DataError where it cannot be written."""
    draft = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8") as file:
            json.dump(dict(sorted(names.items())), file, ensure_ascii=False, indent=1)
        os.replace(draft, path)
    except OSError as error:
        raise DataError(f"名称缓存 {path} 无法写入（{error}）；请检查文件夹权限和磁盘空间") from error
