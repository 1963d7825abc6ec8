"""Outside live mode no gateway but a simulated one takes an order, whoever sends it.

The refusal sits on the gateway object itself: a gateway that announces its contracts again after a reconnect
wins them back in vnpy's order management, and whatever routes by contract (the CTA engine, the trading panel)
would reach it. Quotes, queries and cancels are untouched.
"""

from collections.abc import Callable
from datetime import timedelta
from threading import RLock
from typing import Any

from vnpy.trader.engine import MainEngine
from vnpy.trader.gateway import BaseGateway

from vnpy_aiagent.domain import Clock, Mode, Severity, Text, say
from vnpy_aiagent.sim.gateway import SimGateway

GUARDED = ("send_order", "send_quote")
ONE_LINE_EACH = timedelta(seconds=1)
Own = Callable[..., Any]
SayLog = Callable[[Text, Severity], None]


class PaperGuard:
    """Holds the gateways of a MainEngine back from `install` to `remove`.

    `refused` counts the orders that were refused; the log gets at most one line a second, with that count.
    Gateways that are added later are held back too. Orders may come from any thread.
    """

    def __init__(self, main_engine: MainEngine, mode: Mode, clock: Clock, say_log: SayLog) -> None:
        """Nothing is held back before `install`. `mode` is named in the log."""
        self.refused = 0
        self.on = False
        self._main_engine = main_engine
        self._mode = mode
        self._clock = clock
        self._say_log = say_log
        self._lock = RLock()
        self._told: Any = None
        self._untold = 0
        self._ours: list[tuple[Any, str, Own]] = []
        self._held: dict[int, BaseGateway] = {}

    @property
    def gateways(self) -> list[str]:
        """Names of the gateways that are held back, in order."""
        with self._lock:
            return sorted(gateway.gateway_name for gateway in self._held.values())

    def install(self) -> None:
        """Hold back every gateway that is there, and each that is added from now on."""
        add_gateway = self._main_engine.add_gateway

        def add_and_hold(*args: Any, **kwargs: Any) -> BaseGateway:
            gateway = add_gateway(*args, **kwargs)
            self.sweep()
            return gateway

        with self._lock:
            self.on = True
            self._put(self._main_engine, "add_gateway", add_and_hold)
        self.sweep()
        self._say_log(
            say(
                "非实盘模式（{mode}）：除模拟接口外，任何接口都不发送委托，您的手工委托和其他策略的委托也一样；"
                "行情和撤单不受影响",
                mode=self._mode.name,
            ),
            Severity.INFO,
        )

    def sweep(self, _: object = None) -> None:
        """Hold back the gateways that are not yet; also a handler of EVENT_CONTRACT, ignoring its data."""
        for name, gateway in list(self._main_engine.gateways.items()):
            if id(gateway) in self._held or isinstance(gateway, SimGateway):
                continue
            with self._lock:
                if self.on and id(gateway) not in self._held:
                    self._held[id(gateway)] = gateway
                    for method in GUARDED:
                        self._put(gateway, method, self._refusal(name, getattr(gateway, method)))

    def remove(self) -> None:
        """Give every gateway its own methods back, and tell what was refused and not yet logged.

        Where the program ends (vnpy stops its event engine first) they stay held back: the last orders of
        strategies that are being stopped must not reach a broker either.
        """
        with self._lock:
            untold, self._untold = self._untold, 0
            if self._main_engine.event_engine._active:
                self.on = False
                for owner, method, ours in reversed(self._ours):
                    if vars(owner).get(method) is ours:  # where another app wrapped it, ours passes on
                        _put_back(owner, method, ours)
                self._ours.clear()
                self._held.clear()
        if untold:
            sentence = say(
                "非实盘模式下共拒绝了 {count} 笔发往真实接口的委托，其中 {untold} 笔未逐笔记录",
                count=self.refused,
                untold=untold,
            )
            self._say_log(sentence, Severity.WARNING)

    def status(self) -> dict[str, object]:
        """Whether it is on, what it holds back, and how many orders it refused."""
        return {"on": self.on, "gateways": self.gateways, "refused": self.refused}

    def _refusal(self, name: str, original: Own) -> Own:
        def refuse(request: Any) -> Any:
            if not self.on:
                return original(request)
            self._refuse(name, request)
            return ""

        return refuse

    def _refuse(self, name: str, request: Any) -> None:
        with self._lock:
            self.refused += 1
            now = self._clock.now()
            if self._told is not None and abs(now - self._told) < ONE_LINE_EACH:
                self._untold += 1
                return
            self._told, self._untold = now, 0
            count = self.refused
        sentence = say(
            "非实盘模式（{mode}）：接口 {gateway} 的委托已拒绝，未发往柜台（{symbol} {volume} 股，"
            "价格 {price}，本次运行第 {count} 笔）；手工交易请先停止 AiAgent",
            mode=self._mode.name,
            gateway=name,
            symbol=getattr(request, "vt_symbol", "—"),
            volume=getattr(request, "volume", "—"),
            price=getattr(request, "price", "—"),
            count=count,
        )
        self._say_log(sentence, Severity.WARNING)

    def _put(self, owner: Any, method: str, ours: Own) -> None:
        """Set an instance's own method, and remember the one it had as its own, if it had."""
        before = vars(owner).get(method)
        if before is not None:
            ours.__dict__["before"] = before
        setattr(owner, method, ours)
        self._ours.append((owner, method, ours))


def _put_back(owner: Any, method: str, ours: Any) -> None:
    """The instance's own method from before, where it had one; else the class's is seen again."""
    delattr(owner, method)
    if "before" in ours.__dict__:
        setattr(owner, method, ours.__dict__["before"])
