"""The model, its budget, how decisions are made, and what is looked at."""

from decimal import Decimal
from typing import Literal

from pydantic import Field, SecretStr, model_validator

from vnpy_aiagent.config.base import Ratio, Section

ModelRole = Literal["deep", "quick"]
AskedRole = Literal[
    "technical_analyst",
    "fundamental_analyst",
    "policy_analyst",
    "environment_analyst",
    "risk_analyst",
    "aggressive",
    "conservative",
    "judge",
    "quarantine_reader",
]
"""Who asks a model within a decision."""
CassetteMode = Literal["off", "record", "replay", "auto"]


class Fallback(Section):
    """A server that is asked where those before it are down, refuse or are over their quota.

    Its prices are its own, 0 where not known; what else is not given is that of the model it stands in for,
    but for the key, which no other server is sent.
    """

    base_url: str = Field(min_length=1)
    model: str = Field(min_length=1)
    api_key: SecretStr = SecretStr("")
    timeout: float | None = Field(None, gt=0, le=600)
    max_retries: int | None = Field(None, ge=0, le=10)
    input_price: Decimal = Field(Decimal(0), ge=0)
    output_price: Decimal = Field(Decimal(0), ge=0)


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
    fallbacks: tuple[Fallback, ...] = Field((), max_length=8)


class LlmSettings(Section):
    """The model. No `base_url` and no `model` mean the offline analyst, which is no language model.

    Prices in CNY per million tokens; 0 where not known, and cost is then not counted. `quick` answers MANAGE
    requests where it is given; OPEN and REPLAN are this model's own. `roles` sets it for single roles, in all
    requests. `fallbacks` are asked in order where a server is down, refuses or is over its quota; the quick
    model has those of `llm` where it has none of its own. `stream`: answers are shown while they are written.

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
    roles: dict[AskedRole, ModelRole] = Field(default_factory=dict)
    fallbacks: tuple[Fallback, ...] = Field((), max_length=8)
    stream: bool = True

    @model_validator(mode="after")
    def _both_or_neither(self) -> "LlmSettings":
        if bool(self.base_url) != bool(self.model):
            raise ValueError(
                "base_url and model belong together: set both, or neither for the offline analyst"
            )
        if self.quick is not None and self.offline:
            raise ValueError("quick goes with base_url and model: set them too, or remove quick")
        if self.fallbacks and self.offline:
            raise ValueError("fallbacks go with base_url and model: set them too, or remove fallbacks")
        if self.quick is None and "quick" in self.roles.values():
            raise ValueError("roles name the quick model: set quick, or take it out of roles")
        return self

    @property
    def offline(self) -> bool:
        """Whether the offline analyst is used."""
        return not self.base_url

    def of(self, role: ModelRole) -> "LlmSettings":
        """The settings of one role, complete; the quick role without a section of its own is the deep one."""
        if role == "deep" or self.quick is None:
            return self.model_copy(update={"quick": None})
        given = self.quick.model_dump(exclude_none=True, exclude={"base_url", "api_key", "fallbacks"})
        same_server = self.quick.base_url in ("", self.base_url)
        key = self.quick.api_key
        if same_server and not key.get_secret_value():
            key = self.api_key
        where = {"base_url": self.quick.base_url or self.base_url, "api_key": key, "quick": None}
        spares = self.quick.fallbacks or self.fallbacks
        return self.model_copy(update=given | where | {"fallbacks": spares})

    def servers(self) -> "tuple[LlmSettings, ...]":
        """The settings of each server in the order in which they are asked, each complete."""
        alone = self.model_copy(update={"fallbacks": ()})
        return alone, *(_standing_in(alone, spare) for spare in self.fallbacks)


def _standing_in(llm: LlmSettings, spare: Fallback) -> LlmSettings:
    given = {name: getattr(spare, name) for name in Fallback.model_fields}
    if spare.base_url.rstrip("/") == llm.base_url.rstrip("/") and not spare.api_key.get_secret_value():
        given["api_key"] = llm.api_key
    return llm.model_copy(update={name: value for name, value in given.items() if value is not None})


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


class RoleWeights(Section):
    """What each analyst's finding weighs in the signal, ratios to one another. 0: the role is not asked."""

    technical: Ratio = 0.35
    fundamental: Ratio = 0.25
    policy: Ratio = 0.1
    environment: Ratio = 0.15
    special_risk: Ratio = 0.15

    @model_validator(mode="after")
    def _some_weight(self) -> "RoleWeights":
        if not any(self.model_dump().values()):
            raise ValueError("all weights are 0; give at least one role a weight")
        return self


class BrainSettings(Section):
    """How a decision is made. `language` is that of the prompts, and so of what a model writes.

    A signal opens something from `min_strength` on, if the roles behind it have `min_support` of the weight
    of all that had fresh data. The analysts share `study_calls` questions to the model; `parallel_roles` of
    them are asked at a time in paper and live, one after another in simulation.

    `concurrency` decisions are at work at a time in paper and live.

    `mask`: models see stand-ins for names, codes and dates, to measure how much they only remember.

    Texts from outside change how much a plan buys by at most `text_weight_cap` (0: they are not read).
    At most `text_reads` of the last `text_days` days are read for a decision.

    A debate has at most `debate_rounds` rounds; after one in which no confidence moved by more than
    `debate_settled`, and no stance or action changed, there is no other. It makes at most `debate_calls`
    calls with `debate_prompt_tokens` tokens of prompts. A plan with a confidence below `low_certainty` is
    marked, and buys the account's `low_confidence_scale` of it. What a plan to buy leaves out is a stop
    `swing_stop` below the entry, a target `swing_target` above it, and a new look after `swing_sessions`.
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
    debate_rounds: int = Field(1, ge=1, le=5)
    debate_settled: Ratio = 0.1
    debate_calls: int = Field(12, ge=1)
    debate_prompt_tokens: int = Field(40_000, ge=1_000)
    low_certainty: Ratio = 0.6
    swing_stop: float = Field(0.08, gt=0, le=0.3)
    swing_target: float = Field(0.15, gt=0, le=0.3)
    swing_sessions: int = Field(10, ge=1, le=60)
    min_support: Ratio = 0.33
    weights: RoleWeights = RoleWeights()
    study_calls: int = Field(7, ge=1, le=24)
    parallel_roles: int = Field(5, ge=1, le=16)
    concurrency: int = Field(4, ge=1, le=64)
    mask: bool = False


class ScanSettings(Section):
    """The deterministic scan before any model is asked."""

    max_symbols: int = Field(10, ge=1, le=200)
    min_history: int = Field(61, ge=30, le=500)


class AutoPool(Section):
    """The automatic pool: besides `universe`, the most active symbols of the last complete day."""

    size: int = Field(20, ge=1, le=200)
