"""Bars, a scripted brain and a plain backtesting engine for tests of the CTA room."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from vnpy.trader.constant import Exchange, Interval
from vnpy.trader.object import BarData
from vnpy_ctastrategy.backtesting import BacktestingEngine

from vnpy_aiagent.brain import BrainAnswer
from vnpy_aiagent.cta import AiAgentStrategy
from vnpy_aiagent.domain import (
    MARKET_TZ,
    Action,
    AnalysisRequest,
    Decision,
    PriceBasis,
    PriceRef,
    Proposal,
    TokenUsage,
    TriggerPlan,
)
from vnpy_aiagent.market.calendar import default_calendar
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

HOURS = ((9, 30), (10, 30), (13, 0), (14, 0))


def bar(when: datetime, prices: Sequence[float], interval: Interval, volume: float = 1e6) -> BarData:
    first, high, low, last = (round(price, 2) for price in prices)
    return BarData(
        symbol="600000",
        exchange=Exchange.SSE,
        datetime=when,
        interval=interval,
        volume=volume,
        open_price=first,
        high_price=high,
        low_price=low,
        close_price=last,
        gateway_name="TEST",
    )


def sessions(count: int) -> list[date]:
    first = date(2024, 1, 2)
    return default_calendar().sessions(first, first + timedelta(days=2 * count + 20))[:count]


def daily_bars(closes: Sequence[float], spread: float = 0.01) -> list[BarData]:
    """A day opens at the close before it."""
    bars, before = [], closes[0]
    for day, close in zip(sessions(len(closes)), closes, strict=True):
        prices = before, max(before, close) * (1 + spread), min(before, close) * (1 - spread), close
        bars.append(bar(datetime(day.year, day.month, day.day, tzinfo=MARKET_TZ), prices, Interval.DAILY))
        before = close
    return bars


def hourly_bars(closes: Sequence[float], ends: Mapping[int, str] | None = None) -> list[BarData]:
    """Four bars a day, from one close to the next in equal steps.

    `ends` makes days irregular by their number: "early" has no last bar, "print" has one more at 15:00.
    """
    bars, before = [], closes[0]
    for index, (day, close) in enumerate(zip(sessions(len(closes)), closes, strict=True)):
        end_of_day = (ends or {}).get(index, "")
        for number, (hour, minute) in enumerate(HOURS):
            start = before + (close - before) * number / 4
            end = before + (close - before) * (number + 1) / 4
            when = datetime(day.year, day.month, day.day, hour, minute, tzinfo=MARKET_TZ)
            prices = start, max(start, end) * 1.004, min(start, end) * 0.996, end
            if not (end_of_day == "early" and number == 3):
                bars.append(bar(when, prices, Interval.HOUR))
            if end_of_day == "print" and number == 3:
                bars.append(bar(when.replace(hour=15), prices, Interval.HOUR))
        before = close
    return bars


def rising(count: int, rate: float = 0.004, start: float = 10.0) -> list[float]:
    return [start * (1 + rate) ** n for n in range(count)]


class Closeable:
    """Stands for the model."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


@dataclass
class Wish:
    """What the scripted brain proposes; percentages of price."""

    action: Action
    weight: float = 0.3
    stop: float = -5.0
    triggers: tuple[TriggerPlan, ...] = ()
    confidence: float = 0.9


class ScriptedBrain:
    """Answers with what `choose(snapshot)` says, and keeps what it was asked."""

    def __init__(self, choose: Callable[[AnalysisRequest, DecisionSnapshot], Wish]) -> None:
        self.choose = choose
        self.model = Closeable()
        self.asked: list[tuple[AnalysisRequest, DecisionSnapshot]] = []

    def close(self) -> None:
        self.model.close()

    def decide(self, request: AnalysisRequest, snapshot: DecisionSnapshot) -> BrainAnswer:
        self.asked.append((request, snapshot))
        wish = self.choose(request, snapshot)
        entry = wish.action in (Action.BUY, Action.ADD)
        proposal = Proposal(
            id="",
            at=snapshot.at,
            account=snapshot.accounts[0].name,
            request_id=request.id,
            decision_id="",
            symbol=request.symbol,
            action=wish.action,
            target_weight=wish.weight,
            entry=PriceRef(basis=PriceBasis.LAST) if entry else None,
            stop=PriceRef(basis=PriceBasis.ENTRY, offset=wish.stop)
            if entry or wish.action is Action.ADJUST
            else None,
            confidence=wish.confidence,
            setup=request.setup,
            triggers=wish.triggers,
            valid_until=request.deadline,
        )
        decision = Decision(
            id="",
            at=snapshot.at,
            request_id=request.id,
            symbol=request.symbol,
            model="scripted",
            is_llm=False,
            evidence=(),
            findings=(),
            debate=(),
            lessons=(),
            prompt_hash="",
            usage=TokenUsage(),
        )
        return BrainAnswer(request.id, decision, (proposal,))


def buy_then_close(request: AnalysisRequest, snapshot: DecisionSnapshot) -> Wish:
    """Wants in while flat and out while not: the most trades that a brain can ask for."""
    return Wish(Action.CLOSE if snapshot.accounts[0].position else Action.BUY)


class Backtest:
    """One run of AiAgentStrategy in vnpy's own engine."""

    def __init__(self, bars: list[BarData], brain: ScriptedBrain | None, **setting: Any) -> None:
        engine = BacktestingEngine()
        self.output: list[str] = []
        engine.output = self.output.append  # type: ignore[method-assign]
        engine.set_parameters(
            vt_symbol=bars[0].vt_symbol,
            interval=bars[0].interval,  # type: ignore[arg-type]
            start=datetime(2024, 1, 1, tzinfo=MARKET_TZ),
            end=datetime(2026, 1, 1, tzinfo=MARKET_TZ),
            rate=0.0,
            slippage=0.0,
            size=1,
            pricetick=0.01,
            capital=1_000_000,
        )
        engine.add_strategy(_with(brain) if brain else AiAgentStrategy, setting)
        engine.history_data = bars
        engine.run_backtesting()
        errors = [line for line in self.output if "Traceback" in line]
        assert errors == [], errors
        self.engine = engine
        assert isinstance(engine.strategy, AiAgentStrategy)
        self.strategy = engine.strategy
        self.trades = list(engine.trades.values())

    @property
    def signed(self) -> list[tuple[date, int]]:
        """Day and shares of each fill, sales negative."""
        result = []
        for trade in self.trades:
            assert trade.datetime is not None
            sign = 1 if trade.direction is not None and trade.direction.name == "LONG" else -1
            result.append((trade.datetime.date(), sign * int(trade.volume)))
        return result


def _with(brain: ScriptedBrain) -> type[AiAgentStrategy]:
    class Scripted(AiAgentStrategy):
        def on_init(self) -> None:
            super().on_init()
            assert self.desk is not None
            self.desk.brain = brain  # type: ignore[assignment]

    return Scripted


@pytest.fixture(scope="session")
def lab() -> SimpleNamespace:
    """The helpers of this file."""
    return SimpleNamespace(
        bar=bar,
        daily_bars=daily_bars,
        hourly_bars=hourly_bars,
        rising=rising,
        Wish=Wish,
        ScriptedBrain=ScriptedBrain,
        buy_then_close=buy_then_close,
        Backtest=Backtest,
    )
