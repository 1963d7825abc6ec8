"""The model, its budget, how decisions are made, and what is looked at."""

from decimal import Decimal
from typing import Literal

from pydantic import Field, SecretStr, model_validator

from vnpy_aiagent.config.base import Ratio, Section

ModelRole = Literal["deep", "quick"]
CassetteMode = Literal["off", "record", "replay", "auto"]


class QuickModel(Section):
    """A cheaper model for the regular check of a position. What is not given is that of `llm`.

    Not so its prices, 0 where not known, and the key where `base_url` names another server.
    """

    base_url: str = ""
    model: str = Field(min_length=1)
    api_key: SecretStr = SecretStr("")
    timeout: float | None = Field(None, gt=0, le=600)
    max_retries: int | None = Field(None, ge=0, le=10)
    max_tokens: int | None = Field(None, ge=64, le=32_000)
    temperature: float | None = Field(None, ge=0, le=2)
    seed: int | None = None
    input_price: Decimal = Field(Decimal(0), ge=0)
    output_price: Decimal = Field(Decimal(0), ge=0)


class LlmSettings(Section):
    """The model. No `base_url` and no `model` mean the offline analyst, which is no language model.

    Prices in CNY per million tokens; 0 where not known, and cost is then not counted. `quick` answers MANAGE
    requests where it is given; OPEN and REPLAN are always this model's own.

    `cassette` is the file of recorded questions and answers, by default cassette.db beside the journal.
    `cassette_mode`: "record" asks and records, "replay" never asks, "auto" asks only what is not recorded.
    """

    base_url: str = ""
    model: str = ""
    api_key: SecretStr = SecretStr("")
    timeout: float = Field(60.0, gt=0, le=600)
    max_retries: int = Field(3, ge=0, le=10)
    max_tokens: int = Field(1500, ge=64, le=32_000)
    temperature: float = Field(0.0, ge=0, le=2)
    seed: int | None = 7
    input_price: Decimal = Field(Decimal(0), ge=0)
    output_price: Decimal = Field(Decimal(0), ge=0)
    cassette: str = ""
    cassette_mode: CassetteMode = "record"
    quick: QuickModel | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> "LlmSettings":
        if bool(self.base_url) != bool(self.model):
            raise ValueError(
                "base_url and model belong together: set both, or neither for the offline analyst"
            )
        if self.quick is not None and self.offline:
            raise ValueError("quick goes with base_url and model: set them too, or remove quick")
        return self

    @property
    def offline(self) -> bool:
        """Whether the offline analyst is used."""
        return not self.base_url

    def of(self, role: ModelRole) -> "LlmSettings":
        """The settings of one role, complete; the quick role without a section of its own is the deep one."""
        if role == "deep" or self.quick is None:
            return self.model_copy(update={"quick": None})
        given = self.quick.model_dump(exclude_none=True, exclude={"base_url", "api_key"})
        same_server = self.quick.base_url in ("", self.base_url)
        key = self.quick.api_key
        if same_server and not key.get_secret_value():
            key = self.api_key
        where = {"base_url": self.quick.base_url or self.base_url, "api_key": key, "quick": None}
        return self.model_copy(update=given | where)


class BudgetSettings(Section):
    """Bounds on model use. A decision past its bound abstains; exits never wait for a budget.

    `decisions_per_day` counts analyses; past it no new entry is looked for, holdings are still managed.
    """

    calls_per_decision: int = Field(24, ge=1)
    tokens_per_decision: int = Field(80_000, ge=1_000)
    seconds_per_decision: float = Field(300, gt=0)
    calls_per_day: int = Field(2_000, ge=1)
    cost_per_day: Decimal = Field(Decimal(50), ge=0)
    decisions_per_day: int = Field(200, ge=1)


class BrainSettings(Section):
    """How a decision is made. `language` is that of the prompts, and so of what a model writes.

    Texts from outside change how much a plan buys by at most `text_weight_cap` (0: they are not read).
    At most `text_reads` of the last `text_days` days are read for a decision.
    """

    language: Literal["zh", "en"] = "zh"
    tool_steps: int = Field(4, ge=1, le=12)
    debate: bool = True
    min_strength: Ratio = 0.7
    lessons: bool = True
    latency: float = Field(5.0, ge=0, le=600)
    history_bars: int = Field(250, ge=60, le=2_000)
    text_weight_cap: float = Field(0.1, ge=0, le=0.3, allow_inf_nan=False)
    text_reads: int = Field(5, ge=1, le=10)
    text_days: int = Field(7, ge=1, le=60)


class ScanSettings(Section):
    """The deterministic scan before any model is asked."""

    max_symbols: int = Field(10, ge=1, le=200)
    min_history: int = Field(61, ge=30, le=500)


class AutoPool(Section):
    """The automatic pool: besides `universe`, the most active symbols of the last complete day."""

    size: int = Field(20, ge=1, le=200)
