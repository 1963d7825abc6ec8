"""Both optimisers in real worker processes keep the rules of the engine that started them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, sys
from datetime import datetime
from vnpy.trader.constant import Interval
from vnpy.trader.database import get_database
from vnpy.trader.optimize import OptimizationSetting
from vnpy_aiagent.backtest import AShareBacktestingEngine
from vnpy_aiagent.data import load_folder
from vnpy_aiagent.data.vnpy_database import import_market_data, release
from vnpy_aiagent.domain import MARKET_TZ
from own_strategy import SameSize


def engine_for(rules, setting):
    engine = AShareBacktestingEngine(rules=rules, participation=0.05)
    engine.output = lambda msg: None
    engine.set_parameters(
        vt_symbol="600036.SSE", interval=Interval.DAILY, rate=0.00025, slippage=0.01, size=1, pricetick=0.01,
        capital=1_000_000, start=datetime(2025, 1, 2, tzinfo=MARKET_TZ),
        end=datetime(2025, 11, 19, tzinfo=MARKET_TZ),
    )
    engine.add_strategy(SameSize, setting)
    return engine


def one(rules, lots, wait):
    engine = engine_for(rules, {"lots": lots, "wait": wait})
    engine.load_data()
    engine.run_backtesting()
    engine.calculate_result()
    return float(engine.calculate_statistics(output=False)["total_net_pnl"])


def name(item):
    return f"{item['lots']} lots, {item['wait']} days"


if __name__ == "__main__":
    import_market_data(load_folder(sys.argv[1], symbols=["600036.SSE"]), get_database())
    setting = OptimizationSetting()
    setting.set_target("total_net_pnl")
    setting.add_parameter("lots", 1, 3, 2)
    setting.add_parameter("wait", 8, 10, 2)
    engine = engine_for(True, {})
    brute = engine.run_bf_optimization(setting, output=False, max_workers=2)
    judged = engine.trials
    genetic = engine.run_ga_optimization(setting, output=False, max_workers=2, pop_size=2, ngen=1)
    found = {
        "brute": {name(r[0]): float(r[1]) for r in brute},
        "judged": [judged.trials, judged.best_sharpe, judged.deflated, judged.overfitting.splits],
        "genetic": {name(r[0]): float(r[1]) for r in genetic},
        "rules": {name(item): one(True, **item) for item in setting.generate_settings()},
        "plain": {name(item): one(False, **item) for item in setting.generate_settings()},
    }
    release(get_database())
    print(json.dumps(found))
"""

STRATEGY = """
from vnpy_ctastrategy import CtaTemplate


class SameSize(CtaTemplate):
    author = "tests"
    lots = 1
    wait = 10
    parameters = ["lots", "wait"]

    def on_init(self):
        self.n = 0

    def on_bar(self, bar):
        self.n += 1
        if self.n % 20 == 1:
            self.buy(bar.close_price * 1.03, self.lots * 100)
            self.short(bar.close_price * 0.97, self.lots * 100)
        if self.n % 20 == self.wait:
            self.sell(bar.close_price * 0.97, self.lots * 100)
"""


@pytest.mark.slow
def test_every_worker_runs_under_the_rules(shared: Path, tmp_path: Path) -> None:
    (tmp_path / ".vntrader").mkdir()
    (tmp_path / "own_strategy.py").write_text(STRATEGY, encoding="utf-8")
    (tmp_path / "optimise.py").write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "optimise.py", str(shared / "data" / "sse50")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["brute"] == found["rules"]
    assert found["genetic"].items() <= found["rules"].items()
    assert found["genetic"]
    trials, best, deflated, splits = found["judged"]
    assert (trials, splits) == (4, 12_870)
    assert best is not None
    assert 0 < deflated < 1
    assert all(found["rules"][item] != found["plain"][item] for item in found["rules"])
