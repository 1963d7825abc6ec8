"""Builds a backtest's desk from a strategy's parameters and the user's settings."""

from datetime import date
from decimal import Decimal
from functools import cache
from math import isfinite

from vnpy_aiagent.brain.build import BrainSetup, build_brain
from vnpy_aiagent.config import STYLE_LIMITS, BudgetSettings, LlmSettings, RiskLimits, load_settings
from vnpy_aiagent.cta.desk import BacktestDesk
from vnpy_aiagent.domain import Style, to_decimal
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.llm.factory import cassette_file
from vnpy_aiagent.market import InstrumentRules, TradingCalendar, instrument_rules, require_cash_market
from vnpy_aiagent.places import default_config, user_folder
from vnpy_aiagent.portfolio import AccountBook


def build_desk(
    vt_symbol: str,
    *,
    account: str,
    style: str,
    capital: float,
    weight: float,
    cadence_days: int,
    use_model: bool,
) -> BacktestDesk:
    """The desk; the offline analyst decides unless `use_model` asks for the model of the user's settings.

    `capital` in CNY, `weight` a ratio of equity. ConfigError with one sentence for a wrong value.
    """
    chosen = _style(style)
    if not isfinite(capital) or capital <= 0:
        raise ConfigError(f"capital must be an amount in CNY above 0, not {capital}")
    if not 0 < weight <= 1:
        raise ConfigError(f"weight must be a ratio above 0 and at most 1, not {weight}")
    if int(cadence_days) != cadence_days or cadence_days < 1:
        raise ConfigError(f"cadence_days must be a whole number from 1, not {cadence_days}")
    settings = load_settings(default_config())
    llm = settings.llm if use_model else LlmSettings()
    budget = settings.budget if use_model else BudgetSettings()
    cassette = cassette_file(llm, user_folder())
    return BacktestDesk(
        vt_symbol,
        AccountBook(account, chosen, Decimal(to_decimal(capital))),
        one_symbol_limits(chosen, weight),
        build_brain(BrainSetup(llm, budget, settings.brain, cassette=cassette), monotonic=None),
        settings,
        TradingCalendar(settings.calendar.extra_years_file),
        rules_for,
        int(cadence_days),
    )


def one_symbol_limits(style: Style, weight: float) -> RiskLimits:
    """The style's limits, with the whole account's room given to one symbol."""
    limits = STYLE_LIMITS[style]
    return limits.model_copy(
        update={
            "max_weight_share": weight,
            "max_weight_fund": weight,
            "max_exposure": max(weight, limits.max_exposure),
        }
    )


@cache
def rules_for(vt_symbol: str, on: date) -> InstrumentRules:
    """The exchange's rules of a symbol on a day; RuleUnknown for futures."""
    return require_cash_market(instrument_rules(vt_symbol, on))


def _style(name: str) -> Style:
    try:
        return Style[name.strip().upper()]
    except KeyError:
        known = ", ".join(style.name for style in Style)
        raise ConfigError(f"style {name!r} is not known; use one of {known}") from None
