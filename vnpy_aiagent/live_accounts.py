"""Mode LIVE: accounts at real brokers. What must be so before the start, and the reconciler's place in it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vnpy.trader.engine import MainEngine
from vnpy.trader.event import EVENT_ACCOUNT, EVENT_LOG, EVENT_ORDER, EVENT_TRADE

from vnpy_aiagent.agents.adjustments import OFF_LIMIT, Adjuster
from vnpy_aiagent.agents.broker_link import Explained
from vnpy_aiagent.agents.reconciliation import RECONCILE_TIMER, Reconciler
from vnpy_aiagent.agents.restore import Restored
from vnpy_aiagent.config import Settings
from vnpy_aiagent.domain import Mode
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.sim.gateway import SimGateway

if TYPE_CHECKING:
    from vnpy_aiagent.engine import AiAgentEngine

TimerHandlers = dict[str, Callable[[Any], object]]


def require_live_accounts(main_engine: MainEngine, settings: Settings, restored: Restored) -> None:
    """ConfigError where LIVE accounts have no real gateway, or where a journal mixes real and paper money."""
    live = settings.mode is Mode.LIVE
    for account in settings.accounts if live else ():
        if not account.gateway:
            raise ConfigError(
                f"mode LIVE needs a gateway for account {account.name}: set `gateway`, such as CTP or XTP, "
                "or remove the account"
            )
        for name in account.gateways:
            gateway = main_engine.gateways.get(name)
            if gateway is None:
                raise ConfigError(
                    f"gateway {name} of account {account.name} is not loaded in VeighNa; load and connect it "
                    "before the start"
                )
            if isinstance(gateway, SimGateway):
                raise ConfigError(
                    f"gateway {name} of account {account.name} is simulated; use mode PAPER for it"
                )
    others = sorted(name for name, mode in restored.opened_in.items() if (mode is Mode.LIVE) is not live)
    if others:
        kept = Mode.PAPER.name if live else Mode.LIVE.name
        raise ConfigError(
            f"the journal holds account {others[0]} of mode {kept}; set `store.journal` to another file for "
            f"mode {settings.mode.name}"
        )


def reconciled(
    engine: "AiAgentEngine", restored: Restored, halt: Callable[[str], None], timers: TimerHandlers
) -> Reconciler | None:
    """The reconciler in mode LIVE, subscribed to what brokers say; None in any other mode."""
    house = engine.house
    if house.settings.mode is not Mode.LIVE:
        return None
    adjuster = Adjuster(house, engine.monitoring, halt, engine.ex_days.claims)
    reconciler = Reconciler(house, engine.execution, engine.main_engine, adjuster, restored.books)
    for gateway, cash in restored.explained.items():
        if gateway in reconciler.links:
            reconciler.links[gateway].explained = Explained(cash, abs(cash) * OFF_LIMIT)
    house.bus.subscribe(EVENT_ACCOUNT, reconciler.on_account)
    house.bus.subscribe(EVENT_ORDER, reconciler.on_order)
    house.bus.subscribe(EVENT_TRADE, reconciler.on_trade)
    house.bus.subscribe(EVENT_LOG, reconciler.on_log)
    timers[RECONCILE_TIMER] = reconciler.on_timer
    return reconciler
