"""vnpy's unmodified CtpGateway against the stand-in exchange, in a process of its own.

    python driver.py FOLDER SCENARIO QUOTES

FOLDER holds `.vntrader`; QUOTES is the file that `quotes.py` writes. LD_LIBRARY_PATH begins with the folder
of the stand-in. Prints one JSON object. The exchange moves only when told to: nothing here depends on speed.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from tests.ctp_standin.desk import CONTRACTS_KNOWN, INDEX, NETWORK_READ_FAILED, REBAR, Desk


def open_session(desk: Desk) -> dict[str, Any]:
    """Log in and look: log, contracts, quotes, account."""
    desk.open()
    desk.gateway.query_account()
    desk.until(lambda: bool(desk.main.get_all_accounts()), "an account")
    account = desk.main.get_all_accounts()[0]
    contracts = {
        each.vt_symbol: [each.name, each.size, each.pricetick, each.product.name]
        for each in desk.main.get_all_contracts()
    }
    ticks = [
        [each.vt_symbol, each.datetime.isoformat(), each.last_price, each.ask_price_1, each.limit_up]
        for each in desk.ticks
    ]
    return {
        "logs": list(desk.logs),
        "contracts": contracts,
        "ticks": ticks,
        "account": [account.accountid, account.balance, account.available],
    }


def fill_in_parts(desk: Desk) -> dict[str, Any]:
    """An order takes what is offered, the rest from later quotes."""
    desk.open()
    order = desk.send_and_settle(INDEX, "LONG", "OPEN", 5240.0, 3, until="PARTTRADED")
    first = desk.main.get_order(order).traded
    published = 0
    while desk.states[order][-1] != "ALLTRADED":
        desk.exchange.publish()
        published += 1
        desk.until(lambda: _told_and_taken(desk, order), "the report of a fill")
    desk.until(lambda: sum(fill[2] for fill in desk.fills(order)) == 3, "all fills")
    return {
        "traded_first": first,
        "states": desk.states[order],
        "fills": desk.fills(order),
        "ticks_until_full": published,
        "moment": desk.main.get_order(order).datetime.isoformat(),
    }


def _told_and_taken(desk: Desk, vt_orderid: str) -> bool:
    """Whether vnpy knows as much of its one order as the exchange, and its state too."""
    *_, traded, state = desk.exchange.orders()[0]
    names = {"PARTIAL": "PARTTRADED", "FILLED": "ALLTRADED"}
    told = desk.main.get_order(vt_orderid)
    return bool(told.traded == float(traded) and desk.states[vt_orderid][-1] == names[state])


def cancel_orders(desk: Desk) -> dict[str, Any]:
    """Cancel an order that rests, then one that has ended."""
    desk.open()
    resting = desk.send_and_settle(INDEX, "LONG", "OPEN", 4700.0, 1, until="NOTTRADED")
    desk.cancel(resting)
    desk.until_state(resting, "CANCELLED")
    log_after_cancel = list(desk.logs)
    desk.cancel(resting)
    return {
        "states": desk.states[resting],
        "quiet": not any("状态更新" in line for line in log_after_cancel),
        "second": desk.until_logged("交易撤单失败"),
    }


def rejections(desk: Desk) -> dict[str, Any]:
    """What the front refuses, and what the exchange refuses."""
    desk.open()
    outside = desk.send_and_settle(INDEX, "LONG", "OPEN", 6000.0, 1, until="REJECTED")
    by_exchange = desk.until_logged("状态更新")
    poor = desk.send_and_settle(INDEX, "LONG", "OPEN", 5240.0, 100, until="REJECTED")
    by_front = desk.until_logged("交易委托失败")
    empty = desk.send_and_settle(INDEX, "SHORT", "CLOSE", 5000.0, 1, until="REJECTED")
    nothing_held = desk.until_logged("交易委托失败", times=2)
    unknown_offset = desk.send(INDEX, "LONG", "NONE", 5240.0, 1)
    return {
        "states": [desk.states[each] for each in (outside, poor, empty)],
        "by_exchange": by_exchange,
        "by_front": by_front,
        "nothing_held": nothing_held,
        "unknown_offset": [unknown_offset, desk.until_logged("开平方向")],
        "alive": desk.events._thread.is_alive(),
    }


def close_today(desk: Desk) -> dict[str, Any]:
    """SHFE: three contracts from yesterday, two bought today; each closed with its own offset."""
    desk.open()
    bought = desk.send_and_settle(REBAR, "LONG", "OPEN", 4350.0, 2, until="ALLTRADED")
    desk.send_and_settle(INDEX, "LONG", "OPEN", 5240.0, 1, until="ALLTRADED")
    before = desk.volumes()
    today = desk.send_and_settle(REBAR, "SHORT", "CLOSETODAY", 4349.0, 1, until="ALLTRADED")
    too_many = desk.send_and_settle(REBAR, "SHORT", "CLOSETODAY", 4349.0, 2, until="REJECTED")
    refusal = desk.until_logged("交易委托失败")
    yesterday = desk.send_and_settle(REBAR, "SHORT", "CLOSEYESTERDAY", 4349.0, 1, until="ALLTRADED")
    after = desk.volumes()
    parts = _close_through_converter(desk, 3)
    return {
        "before": before,
        "after": after,
        "fills": [desk.fills(each) for each in (bought, today, yesterday)],
        "refusal": refusal,
        "refused_state": desk.states[too_many][-1],
        "split": parts,
        "at_exchange": [row[1:4] + row[5:] for row in desk.exchange.orders()],
    }


def _close_through_converter(desk: Desk, volume: int) -> list[list[Any]]:
    """Close as vnpy's CTA engine does: one order becomes one for today and one for yesterday."""
    request = desk.request(REBAR, "SHORT", "CLOSE", 4345.0, volume)
    parts = desk.main.convert_order_request(request, "CTP", False, False)
    for part in parts:
        sent = desk.main.send_order(part, "CTP")
        desk.main.update_order_request(part, sent, "CTP")
        desk.exchange.settle()
    return [[part.offset.name, part.volume] for part in parts]


def reconnect(desk: Desk) -> dict[str, Any]:
    """The line breaks while an order works; it fills meanwhile; everything is known again afterwards."""
    desk.open()
    order = desk.send_and_settle(INDEX, "LONG", "OPEN", 5240.0, 3, until="PARTTRADED")
    desk.until(lambda: len(desk.trades) == 1, "the first fill")
    desk.exchange.library.standin_disconnect(NETWORK_READ_FAILED)
    lost = [desk.until_logged("交易服务器连接断开"), desk.until_logged("行情服务器连接断开")]
    while_down = desk.send(INDEX, "LONG", "OPEN", 5240.0, 1)
    refused = desk.until_logged("委托请求发送失败")
    ticks_before = len(desk.ticks)
    desk.exchange.publish(20)
    at_exchange = desk.exchange.orders()[0][6:]
    state_unknowing = desk.states[order][-1]
    desk.exchange.library.standin_connect()
    desk.until_logged(CONTRACTS_KNOWN, times=2)
    desk.until_logged("行情服务器登录成功", times=2)
    desk.until_state(order, "ALLTRADED")
    desk.until(lambda: sum(fill[2] for fill in desk.fills(order)) == 3, "all fills")
    missed = len(desk.ticks) - ticks_before
    desk.exchange.publish()
    desk.until(lambda: len(desk.ticks) > ticks_before, "quotes without asking for them again")
    later = desk.send_and_settle(INDEX, "SHORT", "CLOSE", 5000.0, 1, until="ALLTRADED")
    return {
        "lost": lost,
        "while_down": while_down,
        "refused": refused,
        "at_exchange": at_exchange,
        "state_unknowing": state_unknowing,
        "missed_ticks_shown": missed,
        "states": desk.states[order],
        "fills": desk.fills(order),
        "trade_events": len([t for t in desk.trades if t.vt_orderid == order]),
        "sessions": [order.split("_")[1], later.split("_")[1]],
    }


def wrong_password(desk: Desk) -> dict[str, Any]:
    """A password that the front does not know."""
    desk.connect({"密码": "wrong"})
    said = desk.until_logged("交易服务器登录失败")
    desk.until_logged("行情服务器登录成功")
    desk.connect()  # the right one, in the same process
    desk.until_logged("交易服务器授权验证成功", times=2)
    return {
        "said": said,
        "contracts": len(desk.main.get_all_contracts()),
        "gives_up": desk.gateway.td_api.login_failed,
    }


def wrong_auth_code(desk: Desk) -> dict[str, Any]:
    """An authentication code that the front does not know."""
    desk.connect({"授权编码": "1111111111111111"})
    return {
        "said": desk.until_logged("交易服务器授权验证失败"),
        "contracts": len(desk.main.get_all_contracts()),
    }


def busy_front(desk: Desk) -> dict[str, Any]:
    """The front refuses the first query as one too many."""
    desk.exchange.library.standin_refuse_queries(1)
    desk.connect()
    desk.until_logged(CONTRACTS_KNOWN)
    desk.until(lambda: len(desk.main.get_all_contracts()) == 2, "both contracts")
    return {"contracts": sorted(each.vt_symbol for each in desk.main.get_all_contracts())}


def beside_the_app(desk: Desk) -> dict[str, Any]:
    """AiAgent in paper mode on CTP's quotes, through a broken line: it sends nothing there."""
    from vnpy_aiagent import AiAgentApp

    os.environ["AIAGENT_QUOTE_GATEWAY"] = "CTP"
    engine = desk.main.add_app(AiAgentApp)
    engine.start()
    desk.open()
    desk.exchange.publish(50)
    desk.until(lambda: len(desk.ticks) == 53, "quotes")
    desk.exchange.library.standin_disconnect(NETWORK_READ_FAILED)
    desk.until_logged("交易服务器连接断开")
    desk.exchange.library.standin_connect()
    desk.until_logged(CONTRACTS_KNOWN, times=2)
    desk.until_logged("行情服务器登录成功", times=2)
    desk.exchange.publish(50)
    desk.until(lambda: len(desk.ticks) == 103, "quotes after the break")
    status = engine.status()
    return {
        "mode": status["mode"],
        "handler_failures": status["handler_failures"],
        "accounts": [account["name"] for account in status["accounts"]],
        "orders": desk.exchange.orders(),
        "alive": desk.events._thread.is_alive(),
    }


SCENARIOS: dict[str, Callable[[Desk], dict[str, Any]]] = {
    each.__name__: each
    for each in (
        open_session,
        fill_in_parts,
        cancel_orders,
        rejections,
        close_today,
        reconnect,
        wrong_password,
        wrong_auth_code,
        busy_front,
        beside_the_app,
    )
}


def main() -> None:
    """Run one scenario."""
    folder, scenario, quotes = sys.argv[1:]
    os.chdir(folder)
    desk = Desk(quotes)
    try:
        result = SCENARIOS[scenario](desk)
    finally:
        threads = desk.close()
    print(json.dumps({**result, "threads": threads}, ensure_ascii=False))


if __name__ == "__main__":
    main()
