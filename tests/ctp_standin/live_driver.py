"""AiAgent in mode LIVE on vnpy's unmodified CtpGateway and the stand-in exchange, in a process of its own.

    python live_driver.py FOLDER SCENARIO QUOTES

As driver.py, which has the gateway alone. The market's time is the morning of the recorded quotes.
"""

import os
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.ctp_standin.desk import CONTRACTS_KNOWN, INDEX, NETWORK_READ_FAILED, REBAR, Desk
from tests.slow.live_app import ACCOUNT, LiveApp, print_result
from vnpy_aiagent.domain import MARKET_TZ

BEGIN = datetime(2021, 1, 4, 9, 30, 2, tzinfo=MARKET_TZ)
EXCHANGES_DAY = "exchange.day"
TIMER = 0.1  # seconds; vnpy's own is 1


class LiveDesk(Desk):
    """A desk with the app beside the gateway."""

    def __init__(self, quotes: str) -> None:
        super().__init__(quotes, TIMER)
        self.app = LiveApp(self.main, "CTP", [INDEX, REBAR], BEGIN, capital="9000000")

    def open(self) -> None:
        """The app runs, the gateway logs in, both agree, both contracts have a quote."""
        self.app.start()
        self.connect()
        self.until_logged(CONTRACTS_KNOWN)
        self.until_logged("行情服务器登录成功")
        self.until(lambda: self.main.get_contract(REBAR) is not None, "contracts are announced")
        self.app.until_reconciled()
        self.publish(3)

    def publish(self, count: int) -> None:
        """Show the next quotes; the app has seen the last."""
        before = len(self.ticks)
        self.exchange.publish(count)
        self.until(lambda: len(self.ticks) >= before + count, "ticks")
        quotes = self.app.engine.house.portfolio.quotes
        last = self.ticks[-1]
        self.app.until(lambda: quotes.at(last.vt_symbol) == last.datetime, "the app has the last quote")

    def trade(self, symbol: str, side: str, volume: int, limit: str, orders: int = 1) -> None:
        """A signal becomes an order that reaches the exchange, which has `orders` in all then."""
        sent = len(self.app.messages("Sent"))
        self.app.signal(symbol, side, volume, limit)
        self.app.until_sent(sent + 1)
        self.until(lambda: len(self.exchange.orders()) == orders, f"{orders} orders at the exchange")
        self.exchange.settle()


def trade_day(desk: LiveDesk) -> dict[str, Any]:
    """An order fills in part and then fully as quotes offer volume; another one is cancelled."""
    desk.open()
    desk.trade(INDEX, "BUY", 3, "5240.0")
    desk.app.until(lambda: len(desk.app.fills()) == 1, "the first fill")
    after_part = desk.app.states()[-1]
    while desk.exchange.orders()[0][7] != "FILLED":
        desk.publish(1)
    desk.app.until(desk.app.ended, "the order ends")
    desk.trade(INDEX, "BUY", 1, "4900.0", orders=2)
    desk.app.until(lambda: desk.app.states()[-1][0] == "ACCEPTED", "it rests")
    desk.app.cancel_all()
    desk.app.until(desk.app.ended, "it is cancelled")
    account = desk.main.get_all_accounts()[0]
    return desk.app.result(
        logs=[line for line in desk.logs if line.startswith(("交易服务器", "结算", "合约"))],
        at_exchange=[row[1:] for row in desk.exchange.orders()],
        after_part=after_part,
        states=desk.app.states(),
        fills=desk.app.fills(),
        said=desk.app.said(),
        account=[account.balance, account.available],
    )


def proposal(desk: LiveDesk) -> dict[str, Any]:
    """A proposal goes through the risk rules into the market."""
    desk.open()
    desk.app.propose(INDEX, "BUY", 0.1)
    desk.app.until(lambda: desk.app.messages("Verdict"), "a verdict")
    verdict = desk.app.messages("Verdict")[0]
    lines = [[line.rule, line.passed, line.max_volume, str(line.text)] for line in verdict.lines]
    return desk.app.result(outcome=verdict.outcome.name, volume=verdict.volume, lines=lines)


def rejections(desk: LiveDesk) -> dict[str, Any]:
    """The exchange and the front refuse, each with a Chinese sentence."""
    desk.open()
    desk.exchange.library.standin_refuse_orders(0, 1)
    desk.trade(INDEX, "BUY", 1, "5240.0")
    by_exchange = desk.app.told("当前状态禁止此项操作")
    desk.app.until(desk.app.ended, "the first ends")
    desk.exchange.library.standin_refuse_orders(1, 0)
    desk.app.signal(INDEX, "BUY", 2, "5240.0")
    desk.app.until_sent(2)
    desk.exchange.settle()
    by_front = desk.app.told("资金不足")
    desk.app.until(desk.app.ended, "the second ends")
    return desk.app.result(
        by_exchange=by_exchange, by_front=by_front, states=desk.app.states(), said=desk.app.said()
    )


def close_today(desk: LiveDesk) -> dict[str, Any]:
    """SHFE: three contracts from yesterday, handed over, two bought today; the app closes all five."""
    desk.open()
    opened = desk.app.book()
    desk.app.engine.hand_back(ACCOUNT, REBAR)
    desk.trade(REBAR, "BUY", 2, "4350")
    desk.app.until(desk.app.ended, "bought")
    bought = desk.app.book()
    desk.app.signal(REBAR, "SELL", 4, "4345")
    desk.until(lambda: len(desk.exchange.orders()) == 3, "two orders of one sale")
    desk.exchange.settle()
    desk.app.until(desk.app.ended, "sold")
    sent = [list(each.vt_orderids) for each in desk.app.messages("Sent")]
    return desk.app.result(
        opened=opened,
        bought=bought,
        at_exchange=[row[1:4] + row[5:] for row in desk.exchange.orders()],
        parts=[len(each) for each in sent],
        fills=desk.app.fills(),
        said=desk.app.said(),
    )


def reconnect(desk: LiveDesk) -> dict[str, Any]:
    """The line breaks while an order works; it fills meanwhile; the front tells the whole day again."""
    desk.open()
    desk.trade(INDEX, "BUY", 3, "5240.0")
    desk.app.until(lambda: len(desk.app.fills()) == 1, "the first fill")
    desk.exchange.library.standin_disconnect(NETWORK_READ_FAILED)
    lost = desk.app.told("交易服务器连接断开")
    desk.app.until(lambda: not desk.app.is_reconciled(), "orders are held back")
    desk.app.signal(INDEX, "BUY", 1, "5100.0")
    time.sleep(0.5)
    held_back = len(desk.exchange.orders())
    desk.exchange.publish(20)
    desk.exchange.library.standin_connect()
    desk.until_logged(CONTRACTS_KNOWN, times=2)
    desk.app.until(lambda: len(desk.app.fills()) >= 3, "the missed fills arrive")
    desk.app.until_reconciled()
    desk.until_logged("行情服务器登录成功", times=2)
    desk.publish(1)
    return desk.app.result(
        lost=lost,
        held_back=held_back,
        fills=desk.app.fills(),
        states=desk.app.states(),
        checked=[each.reconciled for each in desk.app.messages("AccountChecked")],
        trade_events=len(desk.trades),
        said=desk.app.said(),
        index_orders=[row[1:] for row in desk.exchange.orders() if row[1] == "IF2101"],
    )


def crash(desk: LiveDesk) -> dict[str, Any]:
    """The process dies with an order half filled; it fills on without us."""
    desk.open()
    desk.trade(INDEX, "BUY", 3, "5240.0")
    desk.app.until(lambda: len(desk.app.fills()) == 1, "the first fill")
    result = desk.app.result(fills=desk.app.fills())
    desk.exchange.publish(1)
    desk.exchange.save(EXCHANGES_DAY)
    print_result(result)
    os._exit(9)


def crash_before_sent(desk: LiveDesk) -> dict[str, Any]:
    """The process dies when the exchange has the order and the journal does not know its id."""
    desk.open()

    def die(*_: Any) -> None:
        desk.exchange.settle()
        desk.exchange.save(EXCHANGES_DAY)
        print_result({"orders": len(desk.exchange.orders())})
        os._exit(9)

    desk.app.engine.execution.sender.hearing.is_out = die
    desk.app.signal(INDEX, "BUY", 3, "5240.0")
    time.sleep(60)
    raise AssertionError("the order was not sent")


def after_the_crash(desk: LiveDesk) -> dict[str, Any]:
    """The next process of the day: the order is ours again, and nothing is counted twice."""
    desk.exchange.restore(EXCHANGES_DAY)
    desk.open()
    known = desk.app.fills()
    while desk.exchange.orders()[0][7] != "FILLED":
        desk.publish(1)
    desk.app.until(desk.app.ended, "the order ends")
    return desk.app.result(
        known=known,
        fills=desk.app.fills(),
        at_exchange=[row[1:] for row in desk.exchange.orders()],
        said=desk.app.said(),
    )


def wrong_password(desk: LiveDesk) -> dict[str, Any]:
    """A password that the front does not know: one alert, nothing is sent."""
    desk.app.start()
    desk.connect({"密码": "wrong"})
    told = desk.app.told("交易服务器登录失败")
    desk.app.signal(INDEX, "BUY", 1, "5240.0")
    desk.app.until(lambda: desk.app.messages("Intent"), "an intent")
    time.sleep(0.5)
    return {"told": told, "reconciled": desk.app.is_reconciled(), "orders": desk.exchange.orders()}


SCENARIOS: dict[str, Callable[[LiveDesk], dict[str, Any]]] = {
    each.__name__: each
    for each in (
        trade_day,
        proposal,
        rejections,
        close_today,
        reconnect,
        crash,
        crash_before_sent,
        after_the_crash,
        wrong_password,
    )
}


def main() -> None:
    """Run one scenario, and leave as the app's commands do."""
    folder, scenario, quotes = sys.argv[1:]
    os.chdir(folder)
    from vnpy_aiagent import brokers

    desk = LiveDesk(quotes)
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
