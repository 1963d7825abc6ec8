"""The user's settings file: read as it stands, changed part by part, checked, and written in one step."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from vnpy_aiagent.config import Settings, parse_yaml, read_file
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.places import default_config
from vnpy_aiagent.ui.settings.yaml_edit import Edited, edited
from vnpy_aiagent.wiring import app_folder

HEADER = "# Written by the AiAgent window. Documentation: docs/settings.md\n"
PRIVATE = 0o600


class BadSetting(ConfigError):
    """A value that the settings refuse; `key` is its place, `problem` what is wrong with it."""

    def __init__(self, key: str, problem: str) -> None:
        """Both as pydantic tells them."""
        super().__init__(f"setting {key}: {problem}")
        self.key = key
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving did: the parts that changed, the old file's copy (None: there was none), lost comments."""

    settings: Settings
    parts: tuple[str, ...]
    backup: Path | None
    comments_lost: bool


class SettingsFile:
    """Values of the file alone: environment variables win over it at start, and never get into it."""

    def __init__(self, path: Path | None = None) -> None:
        """Read the user's file, or begin one. ConfigError where it cannot be read or holds bad values."""
        found = path or default_config()
        self.path = found or app_folder() / "config.yaml"
        self.values: dict[str, Any] = read_file(found) if found and found.exists() else {}
        self.settings = checked(self.values)

    def save(self, changes: Mapping[str, Any]) -> Saved:
        """Replace whole parts (None removes one) and write the file, for its owner alone.

        Raises BadSetting where a value is refused, and then writes nothing; OSError where the disk refuses.
        """
        values = {key: value for key, value in (self.values | dict(changes)).items() if value is not None}
        settings = checked(values)
        before = self.path.read_text(encoding="utf-8-sig") if self.path.exists() else ""
        new = self._text(before, values)
        backup = None
        if before:
            backup = self.path.with_name(self.path.name + ".bak")
            _write(backup, _without_keys(before, self.values))
        _write(self.path, new.text)
        parts = tuple(
            sorted(key for key in {*self.values, *values} if self.values.get(key) != values.get(key))
        )
        self.values, self.settings = values, settings
        return Saved(settings, parts, backup, new.comments_lost)

    def _text(self, before: str, values: dict[str, Any]) -> Edited:
        """The new file: the old text with its changed keys replaced, or all anew where that fails."""
        if self.path.suffix.lower() == ".json":
            return Edited(json.dumps(values, ensure_ascii=False, indent=2) + "\n", comments_lost=False)
        if before.strip():
            new = edited(before, self.values, values)
            if new is not None and _reads_as(new.text, values):
                return new
        text = yaml.safe_dump(values, allow_unicode=True, sort_keys=False)
        return Edited(HEADER + text, comments_lost="#" in before)


def checked(values: Mapping[str, Any]) -> Settings:
    """Settings of these values alone; BadSetting for the first that is refused."""
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "settings"
        raise BadSetting(key, first["msg"].removeprefix("Value error, ")) from None


def _without_keys(text: str, values: Mapping[str, Any]) -> str:
    """The text without the API keys that stood in it: they move to the key store, and not into a copy."""
    llm = values.get("llm") or {}
    for section in (llm, llm.get("quick") or {}):
        if section.get("api_key"):
            text = text.replace(str(section["api_key"]), "")
    return text


def _reads_as(text: str, values: dict[str, Any]) -> bool:
    """Whether an edited text means exactly these values; the check that makes editing safe."""
    try:
        return bool(parse_yaml(text) == parse_yaml(yaml.safe_dump(values, allow_unicode=True)))
    except yaml.YAMLError:
        return False


def _write(path: Path, text: str) -> None:
    """A new file beside the old one takes its place when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(number, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
