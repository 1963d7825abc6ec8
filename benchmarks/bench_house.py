"""An engine for benchmarks: one account on the simulated exchange, no brain, a clock that stands still."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

SYMBOL = "600036.SSE"
GATEWAY_NAME = "SIM-JUDGE"


def a_moment() -> datetime:
    """Ten o'clock of a trading day."""
    from vnpy_aiagent.domain import MARKET_TZ

    return datetime.combine(date(2025, 3, 3), datetime.min.time(), MARKET_TZ).replace(hour=10)


class _Brain:
    """Is asked nothing."""

    def submit(self, request: Any, snapshot: Any, deliver: Any) -> None: ...

    def cancel(self, reason: str) -> None: ...

    def close(self) -> None: ...


class _Bars:
    """Forty equal daily bars, of which the liquidity rule takes its average."""

    def bars(self, vt_symbol: str, interval: Any, count: int) -> Any:
        from vnpy_aiagent.data.bars import BarSeries
        from vnpy_aiagent.domain import BarInterval

        first = date(2025, 1, 20)
        days = [first + timedelta(days=number) for number in range(40)]
        rows = [[day, 10.0, 10.1, 9.9, 10.0, 1e9] for day in days] if interval is BarInterval.DAILY else []
        return BarSeries.from_rows(vt_symbol, interval, rows[-count:])


def build(writer: Any, events: Any, *, live: bool = False, **settings: Any) -> Any:
    """An AiAgentEngine on a MainEngine over `events`, not started; `settings` go over the defaults."""
    from vnpy.trader.engine import MainEngine

    from vnpy_aiagent.agents import Universe
    from vnpy_aiagent.agents.restore import Restored
    from vnpy_aiagent.config import AccountSettings, load_settings
    from vnpy_aiagent.domain import BarInterval, Mode, Style, TimerQueue, VirtualClock
    from vnpy_aiagent.engine import AiAgentEngine
    from vnpy_aiagent.market import TradingCalendar
    from vnpy_aiagent.sim.exchange import SimExchange
    from vnpy_aiagent.wiring import Parts, Trouble, rules_provider

    accounts = (AccountSettings(name="judge", style=Style.JUDGE),)
    given = {"universe": [SYMBOL], "schedule": (), "accounts": accounts} | settings
    typed = load_settings(mode=Mode.PAPER, **given)
    clock, rules_for = VirtualClock(a_moment()), rules_provider({})
    parts = Parts(
        settings=typed,
        clock=clock,
        timers=TimerQueue(),
        calendar=TradingCalendar(),
        writer=writer,
        trouble=Trouble(lambda _: None),
        bars=_Bars(),
        universe=Universe((SYMBOL,), {}, (BarInterval.DAILY,)),
        rules_for=rules_for,
        runner=_Brain(),
        exchange=SimExchange(clock, rules_for, typed.sim),
        data_label="benchmark",
        model_name="none",
        is_llm=False,
        live=live,
        restored=Restored(),
    )
    main_engine = MainEngine(events)
    engine = AiAgentEngine(main_engine, events, parts)
    main_engine.engines[engine.engine_name] = engine
    return engine


def percentile(values: list[float], share: float) -> float:
    """The value below which a share (0..1) of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def timed(work: Callable[[], object]) -> float:
    """Seconds of the machine that some work takes."""
    import time

    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
