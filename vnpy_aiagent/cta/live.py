"""A CTA strategy as the one that sends an account's durable intents in one symbol."""

from typing import TYPE_CHECKING

from vnpy.trader.constant import Direction, Offset
from vnpy.trader.engine import MainEngine
from vnpy.trader.object import ContractData
from vnpy_ctastrategy import CtaEngine, CtaTemplate

from vnpy_aiagent.base import APP_NAME
from vnpy_aiagent.domain import Intent, Mode, Side, Text, say
from vnpy_aiagent.other_apps import overhearing, require_own, swallowed, swallows_orders
from vnpy_aiagent.sim.gateway import SimGateway

if TYPE_CHECKING:
    from vnpy_aiagent.engine import AiAgentEngine


def running_engine(main_engine: MainEngine) -> "AiAgentEngine | None":
    """The AiAgent engine of this process, None before it is loaded and started or after it was closed."""
    engine = main_engine.engines.get(APP_NAME)
    if engine is None or not engine.started or engine.closed:  # type: ignore[attr-defined]
        return None
    return engine  # type: ignore[return-value]


class LiveRoute:
    """Registered with the execution agent while the strategy runs.

    The execution agent journals parent order and intent, looks at the trading state and the order rate, and
    then calls `send`; the CTA engine sends, so it knows the order and keeps the strategy's position. Order
    and trade reports reach the app's book as every report of the account's gateway does.
    """

    def __init__(self, strategy: CtaTemplate, engine: "AiAgentEngine", account: str) -> None:
        """Register; ConfigError where the account is not of route CTA or another strategy has the symbol."""
        self._strategy = strategy
        self._engine = engine
        self._account = account
        engine.execution.register_route(account, strategy.vt_symbol, self.send)

    def close(self) -> None:
        """No more intents; what is still working is cancelled by the CTA engine."""
        self._engine.execution.release_route(self._account, self._strategy.vt_symbol, self.send)

    @property
    def held(self) -> int:
        """Shares of the symbol in the account's book."""
        return self._engine.house.portfolio.books[self._account].volume(self._strategy.vt_symbol)

    @property
    def stop(self) -> float:
        """The position's protective stop in CNY, 0 without one."""
        return float(self._engine.house.portfolio.stops.get((self._account, self._strategy.vt_symbol), 0))

    def send(self, intent: Intent) -> tuple[str, ...] | Text:
        """Send exactly what was journaled; the vt_orderids, or why nothing was sent."""
        contract = self._contract(intent)
        if isinstance(contract, Text):
            return contract
        cta: CtaEngine = self._strategy.cta_engine
        buying = intent.side is Side.BUY
        # CtaTemplate.buy() would round the volume to the contract's smallest one, and so change an odd lot
        with overhearing(self._engine.main_engine) as heard:
            taken = tuple(
                cta.send_limit_order(
                    self._strategy,
                    contract,
                    Direction.LONG if buying else Direction.SHORT,
                    Offset.OPEN if buying else Offset.CLOSE,
                    float(intent.price),
                    intent.volume,
                    lock=False,
                    net=False,
                )
            )
        for vt_orderid in taken:
            require_own(vt_orderid, intent.gateway)
        return taken or heard.reason(intent.gateway) or ()

    def _contract(self, intent: Intent) -> ContractData | Text:
        """The contract, or why the intent cannot be sent.

        The CTA engine sends to whichever gateway announced the contract: it must be the account's own.
        """
        if not self._strategy.trading:
            return say("CTA 策略 {name} 未启动，委托未发送", name=self._strategy.strategy_name)
        main_engine = self._engine.main_engine
        contract = main_engine.get_contract(intent.symbol)
        if contract is None:
            return say("CTA 引擎找不到合约 {symbol}，委托未发送", symbol=intent.symbol)
        if contract.gateway_name != intent.gateway:
            return say(
                "合约 {symbol} 属于接口 {owner}，账户使用接口 {gateway}，CTA 委托未发送；请改用 DIRECT 路由",
                symbol=intent.symbol,
                owner=contract.gateway_name,
                gateway=intent.gateway,
            )
        if swallows_orders(main_engine):
            return swallowed(intent.gateway)
        simulated = isinstance(main_engine.gateways.get(intent.gateway), SimGateway)
        if self._engine.parts.settings.mode is not Mode.LIVE and not simulated:
            return say("非实盘模式不向接口 {gateway} 发送委托", gateway=intent.gateway)
        return contract
