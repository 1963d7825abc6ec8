"""Which ticks count: of the set gateway, well formed, of now, and believable. What does not is told."""

from collections import Counter
from datetime import date, timedelta

from vnpy.trader.engine import MainEngine
from vnpy.trader.object import TickData

from vnpy_aiagent.agents import AgentContext
from vnpy_aiagent.domain import MARKET_TZ, Mode, Severity, say
from vnpy_aiagent.other_apps import PAPER_GATEWAY, swallows_orders
from vnpy_aiagent.portfolio.quotes import is_absurd, is_malformed
from vnpy_aiagent.sim.gateway import SimGateway

MAX_TICK_AGE = timedelta(seconds=180)


class TickGate:
    """Looks at every tick before anything else does. `absurd` counts those refused, by symbol and day."""

    def __init__(self, house: AgentContext, main_engine: MainEngine, *, live: bool) -> None:
        """`live`: whether ticks come at the clock's own time, so that one far from it is refused."""
        self.house = house
        self.live = live
        self.absurd: Counter[tuple[str, date]] = Counter()
        self._main_engine = main_engine
        self._off_time_on: date | None = None

    def refuses(self, tick: TickData) -> bool:
        """Whether a tick is not to be used."""
        if self._is_strange(tick) or self._is_malformed(tick):
            return True
        return self._is_off_time(tick) or self._is_absurd(tick)

    def _is_strange(self, tick: TickData) -> bool:
        """On paper with a set quotes' gateway, whether a tick is of another one that is not simulated."""
        settings, name = self.house.settings, tick.gateway_name
        if settings.mode is not Mode.PAPER or settings.quote_gateway in ("", name):
            return False
        if name == PAPER_GATEWAY and swallows_orders(self._main_engine):
            return False  # vnpy_paperaccount puts its own name on every tick: whose it was is not known
        return not isinstance(self._main_engine.gateways.get(name), SimGateway)

    def _is_off_time(self, tick: TickData) -> bool:
        """Whether a live tick is far from the clock's time; in a session that is logged, once a day."""
        if not self.live:
            return False
        now, at = self.house.clock.now(), tick.datetime.astimezone(MARKET_TZ)
        if abs(now - at) <= MAX_TICK_AGE:
            return False
        ours = tick.vt_symbol in self.house.universe.symbols  # others may have no rules here, as futures
        if ours and self._off_time_on != now.date() and self.house.in_session(tick.vt_symbol):
            self._off_time_on = now.date()
            sentence = say(
                "{symbol} 的行情时间 {at} 与本机时间 {now} 相差超过 3 分钟，未采用；"
                "如反复出现，请核对本机时钟和行情接口",
                symbol=tick.vt_symbol,
                at=f"{at:%Y-%m-%d %H:%M:%S}",
                now=f"{now:%Y-%m-%d %H:%M:%S}",
            )
            self.house.bus.say_log(sentence, Severity.WARNING)
        return True

    def _is_malformed(self, tick: TickData) -> bool:
        """Whether a tick has no time or figures that are no numbers; counted and told as absurd ones are."""
        if not is_malformed(tick):
            return False
        self.absurd[tick.vt_symbol, self.house.today()] += 1
        if self.absurd[tick.vt_symbol, self.house.today()] == 1:
            sentence = say(
                "{symbol} 的行情缺少时间或含有非数字字段（时间 {at}，最新价 {price}），未采用；"
                "请核对行情接口，今日同类行情不再提示",
                symbol=tick.vt_symbol,
                at=tick.datetime,
                price=tick.last_price,
            )
            self.house.bus.say_log(sentence, Severity.WARNING)
        return True

    def _is_absurd(self, tick: TickData) -> bool:
        """Whether a tick cannot be true; counted in `absurd`, and told once a symbol and day."""
        today = self.house.today()
        if not is_absurd(tick, today):
            return False
        self.absurd[tick.vt_symbol, today] += 1
        if self.absurd[tick.vt_symbol, today] == 1:
            sentence = say(
                "{symbol} 的行情 {price}（时间 {at}，涨跌停 {low}～{high}，昨收 {close}）不合理，未采用；"
                "请核对行情接口，今日同类行情不再提示",
                symbol=tick.vt_symbol,
                price=tick.last_price,
                at=f"{tick.datetime.astimezone(MARKET_TZ):%Y-%m-%d %H:%M:%S}",
                low=tick.limit_down,
                high=tick.limit_up,
                close=tick.pre_close,
            )
            self.house.bus.say_log(sentence, Severity.WARNING)
        return True
