"""Where the app's own files lie, by vnpy's rule but without importing vnpy, which settles that."""

import sys
from pathlib import Path

CONFIG_FILES = ("config.yaml", "config.yml", "config.json")


def user_folder() -> Path:
    """`aiagent` in vnpy's folder `.vntrader`: that of the working folder where there is one, else of home."""
    vnpy = sys.modules.get("vnpy.trader.utility")
    if vnpy is not None:
        return Path(vnpy.TEMP_DIR) / "aiagent"
    here = Path.cwd() / ".vntrader"
    return (here if here.exists() else Path.home() / ".vntrader") / "aiagent"


def default_config() -> Path | None:
    """The user's settings file, None where there is none."""
    files = (user_folder() / name for name in CONFIG_FILES)
    return next((path for path in files if path.exists()), None)
