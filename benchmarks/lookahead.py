"""What the future-poison check costs against one plain backtest; prints a table. Nothing here is asserted.

    AIAGENT_SHARED=../shared python benchmarks/lookahead.py

Needs the real data beside the project (AIAGENT_SHARED). docs/lookahead.md holds a measured table.
"""

import time
from datetime import datetime

from scratch import SHARED, enter

enter()

from vnpy.trader.constant import Interval  # noqa: E402
from vnpy.trader.object import BarData  # noqa: E402
from vnpy_ctastrategy.template import CtaTemplate  # noqa: E402

from vnpy_aiagent import cta  # noqa: E402
from vnpy_aiagent.backtest import AShareBacktestingEngine  # noqa: E402
from vnpy_aiagent.backtest.lookahead import LookaheadCheck  # noqa: E402
from vnpy_aiagent.data import load_folder  # noqa: E402
from vnpy_aiagent.data.vnpy_database import to_vnpy_bars  # noqa: E402
from vnpy_aiagent.domain import BarInterval  # noqa: E402

SYMBOL = "600036.SSE"


def plain(strategy: type[CtaTemplate], bars: list[BarData]) -> float:
    """Seconds of one backtest."""
    engine = AShareBacktestingEngine()
    setattr(engine, "output", lambda msg: None)  # noqa: B010
    first: datetime = bars[0].datetime
    engine.set_parameters(
        SYMBOL, Interval.DAILY, first, 0.00025, 0.0, capital=1_000_000, end=bars[-1].datetime
    )
    engine.add_strategy(strategy, {})
    engine.history_data = bars
    began = time.perf_counter()
    engine.run_backtesting()
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    data = load_folder(SHARED / "data" / "sse50", symbols=[SYMBOL])
    bars = list(to_vnpy_bars(data.bars(SYMBOL, BarInterval.DAILY)))
    print("| strategy | bars | decisions | cuts | one backtest | the check | times |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in ("DualAverageStrategy", "TurtleStrategy", "AiAgentStrategy"):
        strategy: type[CtaTemplate] = getattr(cta, name)
        once = min(plain(strategy, bars) for _ in range(3))
        check = LookaheadCheck(lambda chosen=strategy: chosen, SYMBOL, bars, Interval.DAILY)
        began = time.perf_counter()
        found = check.run()
        seconds = time.perf_counter() - began
        counts = f"{found.bars:,} | {found.decisions:,} | {len(found.cuts)}"
        print(f"| {name} | {counts} | {once * 1000:,.0f} ms | {seconds:.1f} s | {seconds / once:,.0f} |")


if __name__ == "__main__":
    main()
