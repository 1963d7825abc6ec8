"""AiAgent in mode LIVE on vnpy's unmodified XtpGateway and the stand-in broker, in a process of its own.

    python driver.py FOLDER SCENARIO SHARED

FOLDER holds `.vntrader` with the daily bars; SHARED the recorded hours whose prices the quotes have.
LD_LIBRARY_PATH begins with the folder of the stand-in. Prints one JSON object. The broker moves only when
told to.
"""

import ctypes
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.slow.live_app import LiveApp, print_result
from tests.slow.paper_market import at, load_day

BANK, METAL = "601288.SSE", "601600.SSE"
SETTING = {
    "账号": "demo",
    "密码": "right",
    "客户号": 1,
    "行情地址": "127.0.0.1",
    "行情端口": 2,
    "交易地址": "127.0.0.1",
    "交易端口": 2,
    "行情协议": "TCP",
    "日志级别": "INFO",
    "授权码": "key",
}
SHANGHAI = 1
BROKERS_DAY = "broker.day"
COLUMNS = ("id", "ticker", "side", "effect", "business", "price_type", "price", "volume", "traded", "status")


class Broker:
    """The stand-in's handle: the library that both gateway modules have loaded."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL("libxtp_standin.so")
        self.library.standin_cash.restype = ctypes.c_double

    def settle(self) -> None:
        """Answer what waits, accept orders, tell what was missed."""
        self.library.standin_settle()

    def fill(
        self, number: str, volume: int, price: float, fee: Decimal, *, event_first: bool = False
    ) -> None:
        """Fill some of an order."""
        arguments = (ctypes.c_uint64(int(number)), ctypes.c_int64(volume), ctypes.c_double(price))
        assert self.library.standin_fill(*arguments, ctypes.c_double(float(fee)), int(event_first)) == 0

    def cancel_before_its_trade(self, number: str, volume: int, price: float, fee: Decimal) -> None:
        """Cancel the rest of an order that has just filled a part; the cancel is told first."""
        arguments = (ctypes.c_uint64(int(number)), ctypes.c_int64(volume), ctypes.c_double(price))
        assert self.library.standin_cancel_before_its_trade(*arguments, ctypes.c_double(float(fee))) == 0

    def reject(self, number: str, code: int, text: str) -> None:
        """Refuse an order that was taken."""
        assert self.library.standin_reject(ctypes.c_uint64(int(number)), code, text.encode()) == 0

    def hold(self, ticker: str, total: int, sellable: int, price: float) -> None:
        """Shares that the account has already."""
        market = 2  # XTP_MKT_SH_A
        volumes = (ctypes.c_int64(total), ctypes.c_int64(sellable))
        self.library.standin_hold(ticker.encode(), market, *volumes, ctypes.c_double(price))

    @property
    def cash(self) -> str:
        """Cash of the account (CNY)."""
        return f"{self.library.standin_cash():.2f}"

    def orders(self) -> list[dict[str, str]]:
        """Every order that the broker took."""
        size = self.library.standin_orders(None, 0) + 1
        buffer = ctypes.create_string_buffer(size)
        self.library.standin_orders(buffer, size)
        return [
            dict(zip(COLUMNS, line.split(","), strict=True)) for line in buffer.value.decode().splitlines()
        ]


class Desk:
    """MainEngine with the XTP gateway, the app, and the broker behind the gateway."""

    def __init__(self, shared: Path) -> None:
        from vnpy.event import EventEngine
        from vnpy.trader.engine import MainEngine
        from vnpy.trader.event import EVENT_LOG
        from vnpy_xtp import XtpGateway

        self.logs: list[str] = []
        self.events = EventEngine(interval=0.1)  # vnpy's gateways ask for cash and positions every few ticks
        self.main = MainEngine(self.events)
        self.events.register(EVENT_LOG, lambda event: self.logs.append(event.data.msg))
        self.gateway = self.main.add_gateway(XtpGateway)
        self.broker = Broker()
        self.tapes = {tape.vt_symbol: tape for tape in load_day(shared).tapes.values()}
        self.app = LiveApp(self.main, "XTP", [BANK, METAL], at(10, 28))

    def connect(self, changes: Mapping[str, Any] = MappingProxyType({})) -> None:
        """Log in."""
        self.main.connect({**SETTING, **changes}, "XTP")

    def open(self) -> None:
        """The app runs, the gateway is logged in, both agree, both symbols have a quote of this minute."""
        self.app.start()
        self.connect()
        self.broker.settle()
        self.app.until_reconciled()
        self.quote()

    def quote(self) -> None:
        """The last price of the recorded hour, for both symbols; the app has seen them."""
        quotes = self.app.engine.house.portfolio.quotes
        now = self.app.clock.now()
        for symbol in (BANK, METAL):
            self.app.until(lambda symbol=symbol: self._publish(symbol, now), f"{symbol} is subscribed")
            self.app.until(
                lambda symbol=symbol: (quotes.at(symbol) or at(9, 0)) >= now - timedelta(seconds=1), "a quote"
            )

    def _publish(self, symbol: str, now: Any) -> bool:
        tape = self.tapes[symbol]
        close, last = tape.prev_close, tape.bars[0].close
        band = self.app.engine.house.portfolio.rules(symbol).price_band(close)
        assert band is not None
        figures = [last, close, float(band.up), float(band.down), last - 0.01, last]
        shown = self.broker.library.standin_quote(
            symbol.partition(".")[0].encode(),
            SHANGHAI,
            *(ctypes.c_double(each) for each in figures),
            ctypes.c_int64(int(tape.bars[0].volume)),
            ctypes.c_int64(int(f"{now:%Y%m%d%H%M%S}{now.microsecond // 1000:03d}")),
        )
        return bool(shown)

    def fee(self, symbol: str, side: str, price: float, volume: int, before: int = 0) -> Decimal:
        """What a fill adds to its order's fees by the exchange's rules, all at one price."""
        from vnpy_aiagent.domain import Side

        rules, worth = self.app.engine.house.portfolio.rules(symbol), Decimal(str(price))
        after = rules.order_fees(Side[side], worth * (before + volume), before + volume).total
        return after - (rules.order_fees(Side[side], worth * before, before).total if before else Decimal(0))

    def buy(self, weight: float = 0.01) -> tuple[str, int, float]:
        """A proposal to buy the bank's shares becomes an order that is accepted: its id, volume and limit."""
        sent = len(self.app.messages("Sent"))
        self.app.propose(BANK, "BUY", weight)
        number = self.app.until_sent(sent + 1)
        self.broker.settle()
        self.app.until(lambda: self.app.states() and self.app.states()[-1][0] == "ACCEPTED", "it is accepted")
        order = self.broker.orders()[-1]
        return number, int(order["volume"]), float(order["price"])

    def until_book_agrees(self) -> None:
        """Wait until cash and shares of the book are those of the broker."""
        self.app.until(lambda: self.app.book()["cash"] == self.broker.cash, "the book's cash is the broker's")


def trade_day(desk: Desk) -> dict[str, Any]:
    """A proposal becomes an order, which fills in part, then fully; the sale is refused by T+1."""
    desk.open()
    number, volume, limit = desk.buy()
    part = volume // 200 * 100
    price = desk.tapes[BANK].bars[0].close
    desk.broker.fill(number, part, price, desk.fee(BANK, "BUY", price, part))
    desk.app.until(lambda: len(desk.app.fills()) == 1, "the first fill")
    doubled = desk.main.get_order(f"XTP.{number}")
    after_part = desk.app.states()[-1]
    rest = volume - part
    desk.broker.fill(number, rest, price, desk.fee(BANK, "BUY", price, rest, part), event_first=True)
    desk.app.until(desk.app.ended, "the order ends")
    desk.until_book_agrees()
    desk.app.propose(BANK, "CLOSE")
    desk.app.until(lambda: len(desk.app.messages("Verdict")) == 2, "the sale is judged")
    verdict = desk.app.messages("Verdict")[-1]
    return desk.app.result(
        logs=[line for line in desk.logs if "服务器" in line or "合约信息" in line],
        order=desk.broker.orders()[0],
        limit=limit,
        part=part,
        host_says=[doubled.status.name, doubled.traded],
        after_part=after_part,
        states=desk.app.states(),
        fills=desk.app.fills(),
        sale=[verdict.outcome.name, [line.rule for line in verdict.lines if not line.passed]],
        protected=[each.state.name for each in desk.app.messages("StopUpdate")][-1:],
        cash=desk.broker.cash,
    )


def cancels(desk: Desk) -> dict[str, Any]:
    """A rest is cancelled; then an order whose cancel is told before the trade that came first."""
    desk.open()
    number, volume, limit = desk.buy()
    desk.broker.fill(number, 100, limit, desk.fee(BANK, "BUY", limit, 100))
    desk.app.until(lambda: len(desk.app.fills()) == 1, "the first fill")
    desk.app.cancel_all()
    desk.broker.settle()
    desk.app.until(desk.app.ended, "the first order ends")
    first = desk.app.states()[-1]
    desk.app.signal(METAL, "BUY", 300, "10.28")
    second = desk.app.until_sent(2)
    desk.broker.settle()
    desk.broker.cancel_before_its_trade(second, 100, 10.28, desk.fee(METAL, "BUY", 10.28, 100))
    desk.app.until(desk.app.ended, "the second order ends")
    last = desk.app.states()[-1]
    desk.until_book_agrees()
    desk.main.get_gateway("XTP").cancel_order(desk.main.get_order(f"XTP.{second}").create_cancel_request())
    desk.broker.settle()
    return desk.app.result(
        volume=volume, first=first, last=last, late=desk.app.told("撤单失败"), fills=desk.app.fills()
    )


def refusals(desk: Desk) -> dict[str, Any]:
    """An order that the library does not take, and one that the broker rejects with a Chinese sentence."""
    desk.open()
    desk.broker.library.standin_refuse_inserts(1)
    desk.app.propose(BANK, "BUY", 0.01)
    desk.app.until(lambda: len(desk.app.messages("Withheld")) == 1, "the order is not sent")
    withheld = desk.app.said()[-1]
    at_broker = len(desk.broker.orders())
    desk.app.signal(METAL, "BUY", 300, "10.28")
    number = desk.app.until_sent()
    desk.broker.settle()
    desk.broker.reject(number, 11000110, "废单：资金不足")
    told = desk.app.told("废单：资金不足")
    desk.app.until(desk.app.ended, "both have ended")
    return desk.app.result(
        withheld=withheld, at_broker=at_broker, told=told, states=desk.app.states(), said=desk.app.said()
    )


def broken_line(desk: Desk) -> dict[str, Any]:
    """The line breaks while an order works, fills meanwhile, and comes back; then it stays away."""
    desk.open()
    number, volume, limit = desk.buy()
    desk.broker.fill(number, 100, limit, desk.fee(BANK, "BUY", limit, 100))
    desk.app.until(lambda: len(desk.app.fills()) == 1, "the first fill")
    desk.broker.library.standin_cut()
    rest = volume - 100
    desk.broker.fill(number, rest, limit, desk.fee(BANK, "BUY", limit, rest, 100))
    unknowing = desk.app.book()["held"]
    desk.broker.library.standin_disconnect(10200001, 0)
    lost = desk.app.told("交易服务器连接断开")
    desk.broker.settle()
    desk.app.until(desk.app.ended, "the missed fill arrives and ends the order")
    desk.until_book_agrees()
    desk.app.until_reconciled()
    desk.quote()
    quoted_again = True
    desk.broker.library.standin_disconnect(10200001, 1)
    refused = desk.app.told("登录失败")
    desk.app.signal(METAL, "BUY", 300, "10.28")
    time.sleep(1.0)
    return desk.app.result(
        lost=lost,
        unknowing=unknowing,
        fills=desk.app.fills(),
        quoted_again=quoted_again,
        refused=refused,
        orders=len(desk.broker.orders()),
        said=desk.app.said(),
    )


def shares_of_others(desk: Desk) -> dict[str, Any]:
    """Shares that were there before the app, as XTP tells them (NET), are not the app's to sell."""
    desk.broker.hold("601600", 1000, 600, 9.5)
    desk.open()
    position = desk.main.get_all_positions()[0]
    desk.app.propose(METAL, "CLOSE")
    desk.app.until(lambda: len(desk.app.messages("Verdict")) == 1, "the sale is judged")
    return desk.app.result(
        told=[position.direction.name, position.volume, position.frozen],
        outcome=desk.app.messages("Verdict")[-1].outcome.name,
        orders=len(desk.broker.orders()),
    )


def crash(desk: Desk) -> dict[str, Any]:
    """Half filled, the process dies; the broker's day is kept for the next one."""
    desk.open()
    number, _, limit = desk.buy()
    desk.broker.fill(number, 100, limit, desk.fee(BANK, "BUY", limit, 100))
    desk.app.until(lambda: len(desk.app.fills()) == 1, "the first fill")
    result = desk.app.result(fills=desk.app.fills(), number=number)
    desk.broker.fill(number, 200, limit, desk.fee(BANK, "BUY", limit, 200, 100))
    assert desk.broker.library.standin_save(BROKERS_DAY.encode()) == 0
    print_result(result)
    os._exit(9)


def crash_before_sent(desk: Desk) -> dict[str, Any]:
    """The process dies when the broker has the order and the journal does not know its id."""
    desk.open()

    def die(*_: Any) -> None:
        desk.broker.library.standin_settle()
        assert desk.broker.library.standin_save(BROKERS_DAY.encode()) == 0
        print_result({"orders": len(desk.broker.orders())})
        os._exit(9)

    desk.app.engine.execution.sender.hearing.is_out = die
    desk.app.propose(BANK, "BUY", 0.01)
    time.sleep(60)
    raise AssertionError("the order was not sent")


def after_the_crash(desk: Desk) -> dict[str, Any]:
    """The next process: the gateway tells the day from its beginning, the order is ours again and fills."""
    assert desk.broker.library.standin_load(BROKERS_DAY.encode()) == 0
    desk.open()
    number = desk.broker.orders()[0]["id"]
    known = desk.app.fills()
    working = [child.state.name for _, child in desk.app.engine.execution.desk.working()]
    order = desk.broker.orders()[0]
    left, limit = int(order["volume"]) - int(order["traded"]), float(order["price"])
    desk.broker.fill(number, left, limit, desk.fee(BANK, "BUY", limit, left, int(order["traded"])))
    desk.app.until(desk.app.ended, "the order ends")
    desk.until_book_agrees()
    return desk.app.result(
        known=known,
        working=working,
        fills=desk.app.fills(),
        orders=desk.broker.orders(),
        said=desk.app.said(),
    )


def wrong_password(desk: Desk) -> dict[str, Any]:
    """A password that the broker does not know: one sentence, nothing is sent."""
    desk.app.start()
    desk.connect({"密码": "wrong"})
    told = desk.app.told("交易服务器登录失败")
    return {"told": told, "reconciled": desk.app.is_reconciled()}


SCENARIOS: dict[str, Callable[[Desk], dict[str, Any]]] = {
    each.__name__: each
    for each in (
        trade_day,
        cancels,
        refusals,
        broken_line,
        shares_of_others,
        crash,
        crash_before_sent,
        after_the_crash,
        wrong_password,
    )
}


def main() -> None:
    """Run one scenario, and leave as the app's commands do."""
    folder, scenario, shared = sys.argv[1:]
    os.chdir(folder)
    from vnpy_aiagent import brokers

    desk = Desk(Path(shared))
    status = 1
    try:
        print_result(SCENARIOS[scenario](desk))
        status = 0
    except BaseException:  # noqa: BLE001 - the process ends in `finally` without a word of it
        import traceback

        traceback.print_exc()
        sys.stderr.write("log: " + " | ".join(desk.logs[-20:]) + "\n")
    finally:
        brokers.leave(desk.main)
        brokers.end_process(status)


if __name__ == "__main__":
    main()
