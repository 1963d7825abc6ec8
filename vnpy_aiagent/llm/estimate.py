"""What a day of decisions may cost, before it is begun: from timetable, scan, accounts, budget and prices.

Typical figures rest on measurements, which the constants name; a real model studies and writes more or less.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from vnpy_aiagent.config import LlmSettings, ModelRole, Settings
from vnpy_aiagent.domain import RequestKind, Style, Text, say
from vnpy_aiagent.llm.pricing import MILLION


class TokenUse(NamedTuple):
    """Model calls, and the tokens that they read and write."""

    calls: float
    prompt: float
    completion: float

    def times(self, factor: float) -> "TokenUse":
        """So many of it."""
        return TokenUse(self.calls * factor, self.prompt * factor, self.completion * factor)

    def plus(self, other: "TokenUse") -> "TokenUse":
        """Both together."""
        return TokenUse(
            self.calls + other.calls, self.prompt + other.prompt, self.completion + other.completion
        )


# Measured by tests/unit/brain/test_brain_token_use.py: Chinese prompts, data for every role, default
# settings, tokens counted by llm/pricing on the high side. The study is one question to each of five analysts
# and one round of tools.
STUDY = TokenUse(6, 15_192, 439)
SPEECH = TokenUse(1, 5_250, 408)

# Measured by benchmarks/model_use.py: 50 symbols, 213 days of one pass, 10 places, three accounts, offline
# analyst. Decisions a pass and place (REPLAN: a day and place), and speeches of a decision's debate.
DECISIONS = {RequestKind.OPEN: 0.45, RequestKind.MANAGE: 0.60, RequestKind.REPLAN: 0.24}
SPEECHES = {RequestKind.OPEN: 1.28, RequestKind.MANAGE: 2.31, RequestKind.REPLAN: 1.58}
MEASURED_SPEAKERS = 3


@dataclass(frozen=True, slots=True)
class DayCost:
    """Model use of one day. `cost` in CNY, None where a price that it needs is not known (0)."""

    calls: int
    tokens: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """A day's model use: as measured runs suggest, and what budget and limits allow at most.

    What people ask for by hand comes on top; the day's budget bounds it, too.
    """

    typical: DayCost
    at_most: DayCost

    def sentence(self) -> Text:
        """For people."""
        typical, most = self.typical, self.at_most
        if typical.calls == 0:
            return say("离线分析员不用模型，没有费用")
        if typical.cost is None or most.cost is None:
            return say(
                "每天通常约 {calls} 次调用、{tokens} 个 token，至多 {most} 次；没有填写单价，费用未知",
                calls=typical.calls,
                tokens=typical.tokens,
                most=most.calls,
            )
        return say(
            "每天通常约 {calls} 次调用、{tokens} 个 token、{cost} 元；至多 {most} 次、{most_cost} 元",
            calls=typical.calls,
            tokens=typical.tokens,
            cost=f"{typical.cost:.2f}",
            most=most.calls,
            most_cost=f"{most.cost:.2f}",
        )


def daily_cost(settings: Settings) -> CostEstimate:
    """The estimate for a day on which the market is open; all zero for the offline analyst."""
    if settings.llm.offline:
        nothing = DayCost(0, 0, Decimal(0))
        return CostEstimate(nothing, nothing)
    return CostEstimate(_typical(settings), _at_most(settings))


def _typical(settings: Settings) -> DayCost:
    share = _speakers(settings) / MEASURED_SPEAKERS
    study = STUDY.times(_study_calls(settings) / STUDY.calls)
    use = TokenUse(0, 0, 0)
    cost: Decimal | None = Decimal(0)
    for kind, rate in DECISIONS.items():
        times = _places(settings) * rate * (1 if kind is RequestKind.REPLAN else _passes(settings))
        of_kind = study.plus(SPEECH.times(SPEECHES[kind] * share)).times(times)
        use = use.plus(of_kind)
        price = _price(settings.llm, "quick" if kind is RequestKind.MANAGE else "deep")
        cost = None if cost is None or price is None else cost + _priced(of_kind, *price)
    budget = settings.budget
    cost = None if cost is None else min(cost, budget.cost_per_day)
    calls = min(round(use.calls), budget.calls_per_day)
    return DayCost(calls, round((use.prompt + use.completion) * calls / max(1, round(use.calls))), cost)


def _study_calls(settings: Settings) -> int:
    """Questions to the analysts who have a weight, and one round of tools, within their quota."""
    asked = sum(1 for weight in settings.brain.weights.model_dump().values() if weight)
    return min(asked + 1, settings.brain.study_calls)


def _at_most(settings: Settings) -> DayCost:
    """Every place asked about at every pass, every trigger's re-analysis, every decision to its bound."""
    budget = settings.budget
    asked = settings.scan.max_symbols * _passes(settings)
    managed = asked
    opened = min(asked, budget.decisions_per_day) if len(settings.accounts) > 1 else 0
    positions = sum(account.risk.max_positions for account in settings.accounts)
    decisions = managed + opened + positions * settings.reanalysis.per_day
    calls = min(decisions * budget.calls_per_decision, budget.calls_per_day)
    tokens = min(decisions, calls) * budget.tokens_per_decision
    prices = [_price(settings.llm, role) for role in _roles(settings.llm)]
    if any(price is None for price in prices):
        return DayCost(calls, tokens, None)
    dearest = max(max(price) for price in prices if price is not None)
    return DayCost(calls, tokens, min(tokens * dearest / MILLION, budget.cost_per_day))


def _passes(settings: Settings) -> int:
    """How often a session day the picks are decided on."""
    return sum(1 for job in settings.schedule if job.enabled and job.task in ("decide", "update"))


def _places(settings: Settings) -> int:
    """How many symbols a pass may pick; an empty universe says nothing yet."""
    universe = len(settings.universe) + (settings.auto_pool.size if settings.auto_pool else 0)
    return min(settings.scan.max_symbols, universe) if universe else settings.scan.max_symbols


def _speakers(settings: Settings) -> int:
    """Styles that speak in a debate; the conservative attacks a lone account's plan."""
    styles = {account.style for account in settings.accounts}
    return len(styles | {Style.CONSERVATIVE}) if settings.brain.debate else len(styles)


def _roles(llm: LlmSettings) -> tuple[ModelRole, ...]:
    return ("deep",) if llm.quick is None else ("deep", "quick")


def _price(llm: LlmSettings, role: ModelRole) -> tuple[Decimal, Decimal] | None:
    """CNY per million tokens read and written; None where neither is known."""
    chosen = llm.of(role)
    prices = chosen.input_price, chosen.output_price
    return prices if any(prices) else None


def _priced(use: TokenUse, prompt: Decimal, completion: Decimal) -> Decimal:
    return (prompt * round(use.prompt) + completion * round(use.completion)) / MILLION
