"""Features of the order book from the five levels of the last tick, and of the ticks of late.

Bars tell no order book: in a simulation over bars there is none.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from vnpy_aiagent.errors import ToolError
from vnpy_aiagent.tools.registry import NoArguments, Tool, ToolResult
from vnpy_aiagent.tools.snapshot import BookLevel, DecisionSnapshot, OrderBookView, TickWindow
from vnpy_aiagent.tools.told import DIGITS


def get_order_book(snapshot: DecisionSnapshot, arguments: NoArguments) -> ToolResult:
    """Spread, imbalance, depth and weighted mid; prices in CNY, volumes in shares."""
    book = snapshot.book
    if book is None:
        raise ToolError(
            "there is no order book: bars tell none, and so do ticks without levels; judge by bars and quote"
        )
    bid, ask = (side[0] if side else None for side in (book.bids, book.asks))
    data = {
        "symbol": snapshot.instrument.vt_symbol,
        "at": book.at.isoformat(timespec="seconds"),
        "best_bid": _price(bid),
        "best_ask": _price(ask),
        "spread_ticks": _spread(bid, ask, snapshot.instrument.tick),
        "weighted_mid": _weighted_mid(bid, ask),
        "imbalance_1": _imbalance(book.bids[:1], book.asks[:1]),
        "imbalance_5": _imbalance(book.bids, book.asks),
        "bid": _depth(book.bids),
        "ask": _depth(book.asks),
        "one_sided": _one_sided(book),
        "recent": _recent(book.window),
        "large_order_share": None,
        "large_order_share_absent": "ticks add orders up; see get_money_flow where it is offered",
    }
    return ToolResult(data, book.at)


def _price(level: BookLevel | None) -> float | None:
    return float(level.price) if level is not None else None


def _spread(bid: BookLevel | None, ask: BookLevel | None, tick: Decimal) -> float | None:
    if bid is None or ask is None or tick <= 0:
        return None
    return round(float((ask.price - bid.price) / tick), 2)


def _weighted_mid(bid: BookLevel | None, ask: BookLevel | None) -> float | None:
    """The mid weighted by what stands on the other side: near the price that is about to give way."""
    if bid is None or ask is None:
        return None
    total = bid.volume + ask.volume
    return round(float((bid.price * ask.volume + ask.price * bid.volume) / total), DIGITS)


def _imbalance(bids: Sequence[BookLevel], asks: Sequence[BookLevel]) -> float | None:
    """(bid - ask) / (bid + ask) of the volumes, from -1 to 1; None where a side is empty."""
    if not bids or not asks:
        return None
    bid, ask = (sum(level.volume for level in side) for side in (bids, asks))
    return round((bid - ask) / (bid + ask), DIGITS)


def _depth(side: Sequence[BookLevel]) -> dict[str, Any]:
    worth = sum((level.price * level.volume for level in side), Decimal(0))
    return {"levels": len(side), "shares": sum(level.volume for level in side), "cny": round(float(worth), 2)}


def _one_sided(book: OrderBookView) -> str | None:
    """Which side is empty: at the upper limit nobody sells, at the lower nobody buys."""
    if not book.asks:
        return "no sellers"
    return None if book.bids else "no buyers"


def _recent(window: TickWindow | None) -> dict[str, Any] | None:
    if window is None:
        return None
    return {
        "ticks": window.ticks,
        "seconds": window.seconds,
        "shares": window.volume,
        "cny": None if window.turnover is None else float(window.turnover),
        "shares_at_ask": window.at_ask,
        "shares_at_bid": window.at_bid,
        "mean_imbalance_1": window.mean_imbalance,
    }


ORDER_BOOK_TOOLS = (
    Tool(
        "get_order_book",
        "Order book of the last tick: spread in ticks, imbalance, depth, weighted mid, trades by side.",
        NoArguments,
        get_order_book,
        lambda snapshot: snapshot.book is not None,
        1_200,
    ),
)
