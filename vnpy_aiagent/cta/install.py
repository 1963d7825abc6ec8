"""Writes one-line shims into the folder where vnpy looks for a user's strategies.

The classes stay in this package, so they remain picklable for the optimisers, whatever the CTA apps reload.
"""

import re
from pathlib import Path

from vnpy_aiagent import cta
from vnpy_aiagent.errors import ConfigError


def shims() -> dict[str, str]:
    """Text of each shim by file name, one for every strategy class."""
    return {f"{_snake(name)}.py": _shim(name) for name in cta.__all__}


def default_folder() -> Path:
    """`strategies` in vnpy's own folder, where both CTA apps look."""
    from vnpy.trader.utility import TRADER_DIR

    return Path(TRADER_DIR) / "strategies"


def install_strategies(folder: Path | None = None, *, overwrite: bool = False) -> list[Path]:
    """Write the shims into a folder (default: `default_folder()`), which is made; returns their paths.

    ConfigError, before anything is written, where a file of that name differs and `overwrite` is False, or
    where the folder cannot be written.
    """
    folder = folder if folder is not None else default_folder()
    wanted = {folder / name: text for name, text in shims().items()}
    if not overwrite:
        for path, text in wanted.items():
            _refuse_other(path, text)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigError(
            f"the strategies cannot be written to {folder}: {error}; choose another folder"
        ) from None
    return list(wanted)


def _refuse_other(path: Path, text: str) -> None:
    try:
        same = path.read_text(encoding="utf-8") == text
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, UnicodeDecodeError):
        same = False
    if not same:
        raise ConfigError(
            f"{path} exists and is not the file that would be written; rename it, or allow overwriting"
        )


def _shim(name: str) -> str:
    return (
        f'"""{name} of vnpy_aiagent, for vnpy to find; the class lives in the installed package."""\n\n'
        f"from vnpy_aiagent.cta import {name}  # noqa: F401\n"
    )


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
