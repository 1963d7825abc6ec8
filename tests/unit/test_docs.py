"""The documents name every setting with its default, and every kind of message."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from vnpy_aiagent.config import (
    STYLE_LIMITS,
    AccountSettings,
    LiveSettings,
    RiskLimits,
    Settings,
)
from vnpy_aiagent.domain import MESSAGE_TYPES

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^\| `([a-z_.]+)` \|(.*)\|$", re.MULTILINE)


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def keys(model: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    """Dotted keys of all settings with their defaults, those of nested sections one by one."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            found |= keys(type(default), f"{prefix}{name}.")
        else:
            found[prefix + name] = default
    return found


EXPECTED = keys(Settings) | keys(AccountSettings) | keys(LiveSettings, "live.")


def test_settings_md_has_a_row_for_every_setting_and_no_other() -> None:
    rows = {name for name, _ in ROW.findall(text_of("settings.md"))}
    assert rows - set(RiskLimits.model_fields) == set(EXPECTED)


@pytest.mark.parametrize("name", [k for k, v in EXPECTED.items() if isinstance(v, int | float | Decimal)])
def test_settings_md_tells_the_default_of(name: str) -> None:
    told = [cell.strip().strip("`") for key, cell in ROW.findall(text_of("settings.md")) if key == name]
    default = EXPECTED[name]
    assert len(told) == 1
    assert told[0] == str(default) if isinstance(default, bool) else Decimal(told[0]) == Decimal(str(default))


@pytest.mark.parametrize("limit", RiskLimits.model_fields)
def test_settings_md_tells_the_limit_of_every_style(limit: str) -> None:
    told = [cells for key, cells in ROW.findall(text_of("settings.md")) if key == limit]
    figures = [float(cell.strip(" `")) for cell in told[0].split("|")]
    assert figures == [float(getattr(limits, limit)) for limits in STYLE_LIMITS.values()]


def test_journal_md_names_every_kind_of_message() -> None:
    text = text_of("journal.md")
    assert [kind for kind in MESSAGE_TYPES if not re.search(rf"\b{kind}\b", text)] == []


def test_the_index_names_every_page() -> None:
    index = text_of("index.md")
    assert [page.name for page in DOCS.glob("*.md") if f"({page.name})" not in index] == ["index.md"]


def test_a_required_setting_has_no_default() -> None:
    assert EXPECTED["name"] is PydanticUndefined
