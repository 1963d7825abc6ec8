"""The user's settings file: read as it stands, changed part by part, checked, and written in one step."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from vnpy_aiagent.config import Settings
from vnpy_aiagent.config import _read as read_values
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.wiring import app_folder, default_config

HEADER = "# Written by the AiAgent window. Documentation: docs/settings.md\n"
PRIVATE = 0o600


class BadSetting(ConfigError):
    """A value that the settings refuse; `key` is its place, `problem` what is wrong with it."""

    def __init__(self, key: str, problem: str) -> None:
        """Both as pydantic tells them."""
        super().__init__(f"setting {key}: {problem}")
        self.key = key
        self.problem = problem


class SettingsFile:
    """Values of the file alone: environment variables win over it at start, and never get into it."""

    def __init__(self, path: Path | None = None) -> None:
        """Read the user's file, or begin one. ConfigError where it cannot be read or holds bad values."""
        found = path or default_config()
        self.path = found or app_folder() / "config.yaml"
        self.values: dict[str, Any] = read_values(found) if found and found.exists() else {}
        self.settings = checked(self.values)

    def save(self, changes: Mapping[str, Any]) -> Settings:
        """Replace whole parts (None removes one) and write the file, for its owner alone.

        Raises BadSetting where a value is refused, and then writes nothing; OSError where the disk refuses.
        """
        values = {key: value for key, value in (self.values | dict(changes)).items() if value is not None}
        settings = checked(values)
        _write(self.path, values)
        self.values, self.settings = values, settings
        return settings


def checked(values: Mapping[str, Any]) -> Settings:
    """Settings of these values alone; BadSetting for the first that is refused."""
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "settings"
        raise BadSetting(key, first["msg"].removeprefix("Value error, ")) from None


def _write(path: Path, values: Mapping[str, Any]) -> None:
    """A new file beside the old one takes its place when it is complete."""
    if path.suffix.lower() == ".json":
        text = json.dumps(values, ensure_ascii=False, indent=2) + "\n"
    else:
        text = HEADER + yaml.safe_dump(dict(values), allow_unicode=True, sort_keys=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(number, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    os.replace(fresh, path)
