"""Typed settings. A YAML or JSON file, then environment variables AIAGENT_… with `__` for nesting.

Unknown keys are refused. Ratios are 0..1, money in CNY, times in seconds unless said otherwise.
"""

import json
import locale
import os
import re
from datetime import time
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from vnpy_aiagent.domain import Mode, Route, Style, typed
from vnpy_aiagent.errors import ConfigError

Ratio = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
ModelRole = Literal["deep", "quick"]
Approvals = Literal["all", "entries", "none"]
ENV_PREFIX = "AIAGENT_"
OTHER_VARIABLES = ("AIAGENT_SHARED", "AIAGENT_TEST_", "AIAGENT_CI_")


class Section(BaseModel):
    """One part of the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    """How a decision is made. `language` is that of the prompts, and so of what a model writes."""

    language: Literal["zh", "en"] = "zh"
    tool_steps: int = Field(4, ge=1, le=12)
    debate: bool = True
    min_strength: Ratio = 0.7
    lessons: bool = True
    latency: float = Field(5.0, ge=0, le=600)
    history_bars: int = Field(250, ge=60, le=2_000)


class ScanSettings(Section):
    """The deterministic scan before any model is asked."""

    max_symbols: int = Field(10, ge=1, le=200)
    min_history: int = Field(61, ge=30, le=500)


class AutoPool(Section):
    """The automatic pool: besides `universe`, the most active symbols of the last complete day."""

    size: int = Field(20, ge=1, le=200)


class RiskLimits(Section):
    """Limits of one account. Weights are ratios of the account's equity."""

    max_weight_share: Ratio = 0.10
    max_weight_fund: Ratio = 0.60
    max_exposure: Ratio = 0.80
    max_positions: int = Field(6, ge=1)
    risk_per_trade: Ratio = 0.01
    min_confidence: Ratio = 0.60
    low_confidence_scale: Ratio = 0.5
    daily_loss: Ratio = 0.03
    max_drawdown: Ratio = 0.20
    max_stop_distance: Ratio = 0.15
    min_stop_distance: Ratio = 0.005
    max_volume_share: Ratio = 0.05
    max_entries_per_day: int = Field(2, ge=0)
    max_entry_premium: Ratio = 0.03


STYLE_LIMITS: dict[Style, RiskLimits] = {
    Style.AGGRESSIVE: RiskLimits(
        max_weight_fund=0.90,
        max_exposure=0.95,
        max_positions=8,
        risk_per_trade=0.012,
        min_confidence=0.55,
        max_entries_per_day=3,
    ),
    Style.CONSERVATIVE: RiskLimits(
        max_weight_share=0.06,
        max_weight_fund=0.40,
        max_exposure=0.50,
        max_positions=5,
        risk_per_trade=0.006,
        min_confidence=0.65,
        max_entries_per_day=1,
    ),
    Style.JUDGE: RiskLimits(),
}


class AccountSettings(Section):
    """One account: its gateway in vnpy, starting cash when simulated (CNY), and temperament."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")
    style: Style
    gateway: str = ""
    cash: Decimal = Field(Decimal(1_000_000), gt=0)
    route: Route = Route.DIRECT
    limits: RiskLimits | None = None

    @property
    def gateway_name(self) -> str:
        """The gateway's name in vnpy; a simulated one is named after the account."""
        return self.gateway or f"SIM-{self.name.upper()}"

    @property
    def risk(self) -> RiskLimits:
        """Own limits, else those of the style."""
        return self.limits or STYLE_LIMITS[self.style]


class Job(Section):
    """One entry of the timetable, in market time. `on` says on which days, `enabled` whether at all."""

    name: str
    at: time
    on: Literal["session", "sunday", "month_end", "quarter_end"] = "session"
    task: Literal["plan", "decide", "update", "note", "review"]
    enabled: bool = True

    @field_validator("at")
    @classmethod
    def _market_time(cls, at: time) -> time:
        if at.tzinfo is not None:
            raise ValueError("is market time (Asia/Shanghai) already; write it without a zone, like 09:35")
        return at


DEFAULT_JOBS: tuple[Job, ...] = (
    Job(name="plan", at=time(7, 0), task="plan"),
    Job(name="daily", at=time(9, 35), task="decide"),
    Job(name="hourly-1035", at=time(10, 35), task="update"),
    Job(name="midday", at=time(11, 30), task="note"),
    Job(name="hourly-1135", at=time(11, 35), task="update"),
    Job(name="hourly-1405", at=time(14, 5), task="update"),
    Job(name="hourly-1505", at=time(15, 5), task="update"),
    Job(name="review", at=time(16, 0), task="review"),
    Job(name="weekly", at=time(20, 0), on="sunday", task="review"),
    Job(name="monthly", at=time(20, 30), on="month_end", task="review"),
    Job(name="quarterly", at=time(21, 0), on="quarter_end", task="review"),
)


class ExecutionSettings(Section):
    """How signals become orders. `slippage` is a ratio of price around the last price.

    `beside_external` allows entries in a symbol of which the account holds shares that a human took over.
    """

    slippage: Ratio = 0.002
    bounds: Ratio = 0.01
    stop_slippage: Ratio = 0.02
    max_orders_per_second: int = Field(5, ge=1, le=299)
    max_orders_per_day: int = Field(1_000, ge=1, le=19_999)
    beside_external: bool = False


class SimSettings(Section):
    """The simulated exchange: share of traded volume one account may take, adverse ticks paid."""

    participation: Ratio = 0.10
    slippage_ticks: int = Field(1, ge=0, le=100)


class ReanalysisSettings(Section):
    """How often a trigger may ask the model again; protective stops ask nobody and are not concerned.

    A price trigger nearer to the last price than `min_distance` (a ratio) or `min_ticks` ticks, whichever is
    more, is not registered. After a re-analysis of an account's position the next one waits `cooldown`
    seconds, and there are at most `per_day`.
    """

    min_distance: Ratio = 0.003
    min_ticks: int = Field(3, ge=0, le=1_000)
    cooldown: float = Field(600.0, ge=0, le=86_400)
    per_day: int = Field(6, ge=0, le=1_000)


class CalendarSettings(Section):
    """The trading calendar; a file may add official years past the package's known end."""

    extra_years_file: Path | None = None


class StoreSettings(Section):
    """Where the journal lies: a file (default: journal.db in the app's folder) or a postgresql:// URL."""

    journal: str = ""


class LiveSettings(Section):
    """Real orders. Both the capital limit (CNY) and the allowlist are needed."""

    capital_limit: Decimal = Field(gt=0)
    allowlist: tuple[str, ...] = Field(min_length=1)
    approvals: Approvals = "all"
    program_trading_reported: bool = False


def default_accounts() -> tuple[AccountSettings, ...]:
    """Aggressive, conservative and judge, 1,000,000 CNY each, on simulated gateways."""
    return tuple(AccountSettings(name=style.name.lower(), style=style) for style in Style)


class Settings(BaseSettings):
    """All settings, given or by default; `load_settings` gathers them from the file and the environment."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    mode: Mode = Mode.PAPER
    language: Literal["auto", "zh", "en"] = "auto"
    universe: tuple[str, ...] = ()
    auto_pool: AutoPool | None = None
    quote_gateway: str = ""
    llm: LlmSettings = LlmSettings()
    budget: BudgetSettings = BudgetSettings()
    brain: BrainSettings = BrainSettings()
    scan: ScanSettings = ScanSettings()
    accounts: tuple[AccountSettings, ...] = Field(default_factory=default_accounts, min_length=1)
    schedule: tuple[Job, ...] = DEFAULT_JOBS
    execution: ExecutionSettings = ExecutionSettings()
    sim: SimSettings = SimSettings()
    reanalysis: ReanalysisSettings = ReanalysisSettings()
    calendar: CalendarSettings = CalendarSettings()
    store: StoreSettings = StoreSettings()
    approvals: Approvals = "none"
    approval_lapse: float = Field(60.0, ge=1, le=300)
    live: LiveSettings | None = None

    @field_validator("universe")
    @classmethod
    def _symbols_are_text(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        for symbol in symbols:
            if symbol != typed(symbol):
                raise ValueError(f"{typed(symbol)!r} holds characters that no symbol has; write 600519.SSE")
        return symbols

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Settings":
        for what, names in (
            ("account names", [account.name for account in self.accounts]),
            ("account gateways", [account.gateway_name for account in self.accounts]),
            ("job names", [job.name for job in self.schedule]),
        ):
            if len(set(names)) != len(names):
                raise ValueError(f"{what} must differ: {', '.join(names)}")
        return self

    @model_validator(mode="after")
    def _live_is_explicit(self) -> "Settings":
        if self.mode is Mode.LIVE and self.live is None:
            raise ValueError("mode LIVE needs a section `live` with capital_limit and allowlist")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is given; `load_settings` reads the file and the environment."""
        return (init_settings,)

    def digest(self) -> str:
        """SHA-256 over what decides a run: all settings but secrets, paths and the display language."""
        values = self.model_dump(
            mode="json",
            exclude={"llm": {"api_key": True, "quick": {"api_key"}}, "store": True, "language": True},
        )
        values.pop("calendar")
        return sha256(json.dumps(values, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    @property
    def asks_for(self) -> Approvals:
        """Which signals wait for a human: `live.approvals` for real orders, else `approvals`."""
        return self.live.approvals if self.mode is Mode.LIVE and self.live else self.approvals

    @property
    def display_language(self) -> Literal["zh", "en"]:
        """Language of what people read: as set, else Chinese where the system speaks it."""
        if self.language != "auto":
            return self.language
        names = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
        system = next((name for name in names if name), "") or (locale.getlocale()[0] or "")
        return "zh" if system.lower().startswith(("zh", "chinese")) else "en"


def load_settings(path: Path | None = None, **overrides: Any) -> Settings:
    """Settings from a file (optional), then environment variables, then overrides; the later ones win.

    Raises ConfigError with one line that names the key.
    """
    values = read_file(path) if path else {}
    _refuse_unknown_variables()
    try:
        return Settings(**(_merged(values, EnvSettingsSource(Settings)()) | overrides))
    except ValidationError as error:
        raise ConfigError(_one_line(error, path)) from None
    except SettingsError as error:
        raise ConfigError(_bad_variable(error)) from None
    except RecursionError:
        raise ConfigError("the settings are nested too deeply; write them as the example does") from None


def _bad_variable(error: SettingsError) -> str:
    """One line on an environment variable whose value is no JSON; the value itself is not shown."""
    field = re.search(r'field "(\w+)"', str(error))
    name = f"{ENV_PREFIX}{field[1].upper()}" if field else f"{ENV_PREFIX}…"
    return f'environment variable {name} is not valid JSON; write lists like ["600519.SSE"]'


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Nested dicts key by key; elsewhere `above` wins."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _merged(old, value)
        else:
            merged[key] = value
    return merged


def read_file(path: Path) -> dict[str, Any]:
    """Keys and values of a settings file as they stand in it, nothing checked but its form."""
    try:
        content = path.read_text(encoding="utf-8-sig")
        values = json.loads(content) if path.suffix.lower() == ".json" else parse_yaml(content)
    except FileNotFoundError:
        raise ConfigError(f"config file {path} does not exist; give an existing file to --config") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"config file {path} cannot be read: {error}") from None
    except RecursionError:
        raise ConfigError(f"config file {path} is nested too deeply; write it as the example does") from None
    except yaml.YAMLError as error:  # its own text quotes the file, where an api_key may stand
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise ConfigError(f"config file {path} is not valid YAML{where}; correct it") from None
    except ValueError as error:
        raise ConfigError(f"config file {path} is neither valid YAML nor JSON: {error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ConfigError(f"config file {path} must hold keys and values at its top level")
    return values


class _YamlLoader(yaml.SafeLoader):
    """YAML 1.2 scalars: `on` and 000001 are words, 16:00 a time, where YAML 1.1 reads True, 1 and 960."""


_SCALARS = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    "float": (r"[-+]?((\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)", "-+0123456789."),
    "null": (r"~|null|Null|NULL|", "~nN\0"),
    "merge": (r"<<", "<"),
}
_YamlLoader.yaml_implicit_resolvers = {}
for _tag, (_pattern, _first) in _SCALARS.items():
    _YamlLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), ["", *_first]
    )


def parse_yaml(content: str) -> Any:
    """What a settings file in YAML says; yaml.YAMLError where it is none."""
    return yaml.load(content, Loader=_YamlLoader)  # noqa: S506 - a SafeLoader


def _refuse_unknown_variables() -> None:
    known = set(Settings.model_fields)
    for name in os.environ:
        upper = name.upper()
        if not upper.startswith(ENV_PREFIX) or upper.startswith(OTHER_VARIABLES):
            continue
        key = upper.removeprefix(ENV_PREFIX).split("__")[0].lower()
        if key not in known:
            raise ConfigError(
                f"environment variable {name} names no setting; known: {', '.join(sorted(known))}"
            )


def _one_line(error: ValidationError, path: Path | None) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"]) or "settings"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "is no known setting; remove or correct it"
    more = len(error.errors()) - 1
    where = f" in {path}" if path else ""
    return f"setting {key}{where}: {message}" + (f" (and {more} more)" if more else "")
