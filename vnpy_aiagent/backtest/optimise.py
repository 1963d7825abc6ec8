"""Optimisation that keeps the rules: vnpy's own builds a plain engine in its worker processes."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from vnpy.trader.optimize import (
    OptimizationSetting,
    check_optimization_setting,
    run_bf_optimization,
    run_ga_optimization,
)
from vnpy_ctastrategy.backtesting import BacktestingEngine, get_target_value

from vnpy_aiagent.backtest.metrics import daily_returns
from vnpy_aiagent.backtest.run_curve import curve_of_engine
from vnpy_aiagent.backtest.trials import RETURNS, TrialsResult, judge_trials

if TYPE_CHECKING:
    from vnpy_aiagent.backtest.engine import AShareBacktestingEngine

Result = tuple[dict[str, Any], float, dict[str, Any]]


def evaluate(
    build: Callable[[], "AShareBacktestingEngine"],
    parameters: dict[str, Any],
    strategy_class: type[Any],
    target_name: str,
    setting: dict[str, Any],
) -> Result:
    """One run in a worker process: setting, target, statistics."""
    engine = build()
    setattr(engine, "output", _silent)  # noqa: B010 - a method of the instance, as vnpy's own windows set it
    engine.set_parameters(**parameters)
    engine.add_strategy(strategy_class, setting)
    engine.load_data()
    engine.run_backtesting()
    engine.calculate_result()
    statistics: dict[str, Any] = engine.calculate_statistics(output=False)
    statistics[RETURNS] = [float(each) for each in daily_returns(curve_of_engine(engine)[1])]
    return setting, statistics.get(target_name, 0), statistics


def _silent(_: str) -> None:
    """Worker processes do not print."""


class RulesOptimiser(BacktestingEngine):
    """The two optimisers of vnpy's engine, with engines of the own kind in the workers.

    `trials` judges the last optimisation by how many settings it tried; None before one.
    """

    trials: TrialsResult | None = None

    def build_like(self) -> Callable[[], "AShareBacktestingEngine"]:
        """A picklable function that builds an engine with the same rules."""
        raise TypeError("an optimiser needs an engine that says how to build another one")

    def run_bf_optimization(
        self, optimization_setting: OptimizationSetting, output: bool = True, max_workers: int | None = None
    ) -> list[Result]:
        """Every combination; the best first."""
        if not check_optimization_setting(optimization_setting):
            return []
        evaluate_one: Any = self._evaluate(optimization_setting)  # vnpy annotates its callbacks as dicts
        results: list[Any] = run_bf_optimization(
            evaluate_one,
            optimization_setting,
            get_target_value,
            max_workers=max_workers,
            output=self.output,
        )
        return self._show(results, output)

    run_optimization = run_bf_optimization

    def run_ga_optimization(
        self,
        optimization_setting: OptimizationSetting,
        output: bool = True,
        max_workers: int | None = None,
        pop_size: int = 100,
        ngen: int = 30,
        mu: int | None = None,
        lambda_: int | None = None,
        cxpb: float = 0.95,
        mutpb: float | None = None,
        indpb: float = 1.0,
    ) -> list[Result]:
        """A genetic search; the best first."""
        if not check_optimization_setting(optimization_setting):
            return []
        evaluate_one: Any = self._evaluate(optimization_setting)
        results: list[Any] = run_ga_optimization(
            evaluate_one,
            optimization_setting,
            get_target_value,
            max_workers=max_workers,
            pop_size=pop_size,
            ngen=ngen,
            mu=mu,
            lambda_=lambda_,
            cxpb=cxpb,
            mutpb=mutpb,
            indpb=indpb,
            output=self.output,
        )
        return self._show(results, output)

    def _evaluate(self, setting: OptimizationSetting) -> Callable[..., Result]:
        parameters = {
            "vt_symbol": self.vt_symbol,
            "interval": self.interval,
            "start": self.start,
            "rate": self.rate,
            "slippage": self.slippage,
            "size": self.size,
            "pricetick": self.pricetick,
            "capital": self.capital,
            "end": self.end,
            "mode": self.mode,
        }
        return partial(evaluate, self.build_like(), parameters, self.strategy_class, setting.target_name)

    def _show(self, results: list[Result], output: bool) -> list[Result]:
        self.trials = judge_trials(results)
        for setting, target, _ in results if output else ():
            self.output(f"参数：{setting}, 目标：{target}")
        if output and self.trials is not None:
            self.output(_verdict(self.trials))
        return results


def _verdict(found: TrialsResult) -> str:
    """What the best setting is worth, in one line."""
    parts = [f"共试 {found.trials} 组参数"]
    if found.best_sharpe is not None:
        parts.append(f"首选夏普 {found.best_sharpe:.2f}，无优势时的最大期望 {found.expected_max:.2f}")
    if found.deflated is not None:
        parts.append(f"扣除尝试次数后真实夏普为正的概率 {found.deflated:.1%}")
    if found.overfitting is not None:
        parts.append(f"过拟合概率 {found.overfitting.probability:.1%}")
    return "；".join(parts)
