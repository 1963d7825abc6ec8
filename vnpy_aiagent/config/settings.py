"""All settings together: from a file, then environment variables, then overrides."""

import json
import locale
import os
import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from vnpy_aiagent.config.accounts import (
    AccountSettings,
    Approvals,
    LiveSettings,
    ReconcileSettings,
    default_accounts,
)
from vnpy_aiagent.config.base import Section
from vnpy_aiagent.config.data import DataSettings
from vnpy_aiagent.config.execution import ExecutionSettings, ReanalysisSettings, SimSettings
from vnpy_aiagent.config.facts import FactsSettings, RecorderSettings
from vnpy_aiagent.config.files import read_file
from vnpy_aiagent.config.models import AutoPool, BrainSettings, BudgetSettings, LlmSettings, ScanSettings
from vnpy_aiagent.config.timetable import DEFAULT_JOBS, Job
from vnpy_aiagent.domain import Mode, typed
from vnpy_aiagent.errors import ConfigError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

ENV_PREFIX = "AIAGENT_"
OTHER_VARIABLES = ("AIAGENT_SHARED", "AIAGENT_TEST_", "AIAGENT_CI_")
TEXT_SETTINGS = ("text_weight_cap", "text_reads", "text_days")


class CalendarSettings(Section):
    """The trading calendar; a file may add official years past the package's known end."""

    extra_years_file: Path | None = None


class StoreSettings(Section):
    """Where the journal lies: a file (default: journal.db in the app's folder) or a postgresql:// URL."""

    journal: str = ""


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
    data: DataSettings = DataSettings()
    facts: FactsSettings = FactsSettings()
    recorder: RecorderSettings = RecorderSettings()
    calendar: CalendarSettings = CalendarSettings()
    store: StoreSettings = StoreSettings()
    approvals: Approvals = "none"
    approval_lapse: float = Field(60.0, ge=1, le=300)
    live: LiveSettings | None = None
    reconcile: ReconcileSettings = ReconcileSettings()

    @field_validator("universe", mode="before")
    @classmethod
    def _codes_may_be_numbers(cls, symbols: Any) -> Any:
        """YAML reads 600519 as a number; 000001, with its leading zeros, stays a word in `read_file`."""
        if not isinstance(symbols, list | tuple):
            return symbols
        return [str(symbol) if type(symbol) is int else symbol for symbol in symbols]

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
            ("account gateways", [name for account in self.accounts for name in account.gateways]),
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
        """SHA-256 over what decides a run: all settings but secrets, paths, sources and the display language.

        Settings for texts count where they are changed, so a run without texts has the digest of a version
        that knew none.
        """
        values = self.model_dump(
            mode="json",
            exclude={
                "llm": {
                    "api_key": True,
                    "cassette": True,
                    "cassette_mode": True,
                    "stream": True,
                    "fallbacks": {"__all__": {"api_key"}},
                    "quick": {"api_key": True, "fallbacks": {"__all__": {"api_key"}}},
                },
                "store": True,
                "data": True,
                "facts": True,
                "recorder": True,
                "language": True,
            },
        )
        values.pop("calendar")
        for name in TEXT_SETTINGS:
            if values["brain"][name] == BrainSettings.model_fields[name].default:
                values["brain"].pop(name)
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
    first, *others = error.errors(include_url=False, include_input=False)
    key = f"setting {_key(first)}" if first["loc"] else "settings"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "is no known setting; remove or correct it"
    others = [
        each for each in others if each["loc"] != first["loc"][: len(each["loc"])]
    ]  # a list of what failed
    more = f" (and {len(others)} more: {', '.join(map(_key, others))})" if others else ""
    where = f" in {path}" if path else ""
    return f"{key}{where}: {message}{more}"


def _key(error: "ErrorDetails") -> str:
    return ".".join(str(part) for part in error["loc"])
