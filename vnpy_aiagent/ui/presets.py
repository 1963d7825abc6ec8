"""Model servers to choose from, as data in presets.yaml."""

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter


class Preset(BaseModel):
    """One server: address, first model, and whether it asks for a key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    base_url: str
    model: str
    key: bool


@cache
def presets() -> tuple[Preset, ...]:
    """All presets, in the file's order."""
    text = Path(__file__).with_name("presets.yaml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[Preset, ...]).validate_python(yaml.safe_load(text))


def preset_of(base_url: str) -> Preset | None:
    """The preset with an address, None for one of the user's own."""
    return next((each for each in presets() if each.base_url == base_url.rstrip("/")), None)
