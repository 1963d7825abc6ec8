"""Model servers to choose from, as data in presets.yaml."""

from decimal import Decimal
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator


class Preset(BaseModel):
    """One server: address, first model, and whether it asks for a key.

    Prices in CNY per million tokens, None where not known; `priced` says of what day and where they stood.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    base_url: str
    model: str
    key: bool
    input_price: Decimal | None = Field(None, gt=0)
    output_price: Decimal | None = Field(None, gt=0)
    priced: str = ""

    @model_validator(mode="after")
    def _with_its_source(self) -> "Preset":
        prices = (self.input_price, self.output_price)
        if len({price is None for price in prices} | {not self.priced}) > 1:
            raise ValueError(f"{self.name}: both prices belong together, and with `priced`")
        return self


@cache
def presets() -> tuple[Preset, ...]:
    """All presets, in the file's order."""
    text = Path(__file__).with_name("presets.yaml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[Preset, ...]).validate_python(yaml.safe_load(text))


def preset_of(base_url: str) -> Preset | None:
    """The preset with an address, None for one of the user's own."""
    return next((each for each in presets() if each.base_url == base_url.rstrip("/")), None)
