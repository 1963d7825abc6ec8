"""Typed settings. A YAML or JSON file, then environment variables AIAGENT_… with `__` for nesting.

Unknown keys are refused. Ratios are 0..1, money in CNY, times in seconds unless said otherwise.
"""

from vnpy_aiagent.config.accounts import (
    STYLE_LIMITS,
    AccountSettings,
    Approvals,
    LiveSettings,
    ReconcileSettings,
    RiskLimits,
    default_accounts,
)
from vnpy_aiagent.config.base import Ratio, Section
from vnpy_aiagent.config.data import DataSettings, RequestLimits, SourceName, TushareSettings
from vnpy_aiagent.config.execution import (
    ExecutionSettings,
    PatienceSettings,
    ReanalysisSettings,
    SimSettings,
    SlicingSettings,
    TimeoutSettings,
)
from vnpy_aiagent.config.facts import FactsSettings, RecorderSettings
from vnpy_aiagent.config.files import parse_yaml, read_file
from vnpy_aiagent.config.models import (
    AskedRole,
    AutoPool,
    BrainSettings,
    BudgetSettings,
    CassetteMode,
    Fallback,
    LlmSettings,
    ModelRole,
    QuickModel,
    RoleWeights,
    ScanSettings,
)
from vnpy_aiagent.config.settings import (
    ENV_PREFIX,
    OTHER_VARIABLES,
    CalendarSettings,
    Settings,
    StoreSettings,
    load_settings,
)
from vnpy_aiagent.config.timetable import DEFAULT_JOBS, Job

__all__ = [
    "DEFAULT_JOBS",
    "ENV_PREFIX",
    "OTHER_VARIABLES",
    "STYLE_LIMITS",
    "AccountSettings",
    "Approvals",
    "AskedRole",
    "AutoPool",
    "BrainSettings",
    "BudgetSettings",
    "CalendarSettings",
    "CassetteMode",
    "DataSettings",
    "ExecutionSettings",
    "FactsSettings",
    "Fallback",
    "Job",
    "LiveSettings",
    "LlmSettings",
    "ModelRole",
    "PatienceSettings",
    "QuickModel",
    "Ratio",
    "ReanalysisSettings",
    "ReconcileSettings",
    "RecorderSettings",
    "RequestLimits",
    "RiskLimits",
    "RoleWeights",
    "ScanSettings",
    "Section",
    "Settings",
    "SimSettings",
    "SlicingSettings",
    "SourceName",
    "StoreSettings",
    "TimeoutSettings",
    "TushareSettings",
    "default_accounts",
    "load_settings",
    "parse_yaml",
    "read_file",
]
