"""A small world for decisions: hand-made bars, a quote, accounts; and scripts for a fake model."""

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import (
    MARKET_TZ,
    AnalysisRequest,
    BarInterval,
    Lesson,
    RequestKind,
    Style,
    say,
)
from vnpy_aiagent.llm.port import ModelReply, ToolCall
from vnpy_aiagent.tools.snapshot import (
    AccountView,
    DecisionSnapshot,
    InstrumentView,
    MarketOverview,
    PositionView,
    QuoteView,
)

SYMBOL = "600036.SSE"
NOW = datetime(2024, 5, 6, 9, 35, tzinfo=MARKET_TZ)
FIRST = date(2024, 1, 2)


def daily(closes: Sequence[float], volumes: Sequence[float] | None = None, symbol: str = SYMBOL) -> BarSeries:
    """One bar a calendar day from FIRST on; the range is 1 % around the close."""
    rows = [
        (FIRST + timedelta(days=i), c, c * 1.01, c * 0.99, c, 1_000_000.0 if volumes is None else volumes[i])
        for i, c in enumerate(closes)
    ]
    return BarSeries.from_rows(symbol, BarInterval.DAILY, rows, volume_required=False)


def rising(days: int = 90, step: float = 0.1) -> list[float]:
    """Closes that rise by a step a day, with a small dip every fifth day."""
    return [round(10 + step * i - (0.15 if i % 5 == 4 else 0), 2) for i in range(days)]


def falling(days: int = 90) -> list[float]:
    """The rising closes turned round."""
    return rising(days)[::-1]


def climbing(days: int = 90) -> list[float]:
    """Closes that rise faster and faster, with a dip every third day."""
    return [round(10 + 0.0012 * i * i - (0.4 if i % 3 == 1 else 0), 2) for i in range(days)]


def sinking(days: int = 90) -> list[float]:
    """Closes that fall faster and faster, with a rise every third day."""
    return [round(25 - 0.0015 * i * i + (0.5 if i % 3 == 1 else 0), 2) for i in range(days)]


def quote(last: str = "20.00", at: datetime = NOW) -> QuoteView:
    price = Decimal(last)
    return QuoteView(
        at, price, price, price, price, Decimal("19.90"), Decimal("21.89"), Decimal("17.91"), 12_000
    )


def position(**changes: Any) -> PositionView:
    fields: dict[str, Any] = {
        "vt_symbol": SYMBOL,
        "volume": 1000,
        "sellable": 1000,
        "cost": Decimal("19.00"),
        "last": Decimal("20.00"),
        "opened": date(2024, 4, 25),
        "sessions": 4,
        "setup": "trend",
        "stop": Decimal("18.00"),
        "triggers": 2,
    }
    return PositionView(**(fields | changes))


def account(style: Style, held: PositionView | None = None) -> AccountView:
    weights = {SYMBOL: 0.02} if held else {}
    return AccountView(style.name.lower(), style, Decimal(1_000_000), Decimal(1_000_000), held, weights, 0.1)


def snapshot(**changes: Any) -> DecisionSnapshot:
    fields: dict[str, Any] = {
        "at": NOW,
        "instrument": InstrumentView(SYMBOL, "招商银行", "SSE_MAIN", Decimal("0.01"), 100, 100, 1, False),
        "bars": {BarInterval.DAILY: daily(rising())},
        "quote": quote(),
        "accounts": tuple(account(style) for style in Style),
        "market": MarketOverview(50, 0.7, "UP", 0.01),
        "valid_until": NOW + timedelta(hours=5),
    }
    return DecisionSnapshot(**(fields | changes))


def lesson(**changes: Any) -> Lesson:
    fields: dict[str, Any] = {
        "id": "l1",
        "at": NOW - timedelta(days=1),
        "setup": "trend",
        "regime": "UP",
        "wins": 1,
        "losses": 4,
        "mean_return": -0.02,
        "adjustment": -0.1,
        "confirmed": True,
        "trades": (),
        "text": say("x"),
    }
    return Lesson(**(fields | changes))


def request(kind: RequestKind = RequestKind.OPEN, name: str = "r1-0000001") -> AnalysisRequest:
    return AnalysisRequest(
        id=name,
        at=NOW,
        request=kind,
        symbol=SYMBOL,
        accounts=tuple(style.name.lower() for style in Style),
        reason=say("扫描入选"),
        setup="trend",
        deadline=NOW + timedelta(minutes=10),
    )


def calls(*names: str, **arguments: Any) -> ModelReply:
    """A reply that asks for tools."""
    return ModelReply(
        tool_calls=tuple(
            ToolCall(id=f"c-{name}", name=name, arguments=json.dumps(arguments)) for name in names
        )
    )


def answer(**content: Any) -> ModelReply:
    """A reply with a JSON answer."""
    return ModelReply(text=json.dumps(content, ensure_ascii=False))


def finding(**changes: Any) -> ModelReply:
    """A strong bullish finding that cites the first tool result."""
    content = {"stance": "BULLISH", "strength": 0.9, "confidence": 0.8, "text": "strong", "evidence": ["e1"]}
    return answer(**(content | changes))


PLAN: dict[str, Any] = {
    "symbol": SYMBOL,
    "stance": "BULLISH",
    "action": "BUY",
    "confidence": 0.7,
    "target_weight": 0.1,
    "entry": {"basis": "LAST", "offset": 0.0},
    "stop": {"basis": "ENTRY", "offset": -5.0},
    "target": {"basis": "ENTRY", "offset": 10.0},
    "argument": {"text": "buy it", "evidence": ["e1"]},
    "triggers": [{"trigger": "PRICE_AT_OR_ABOVE", "price": {"basis": "ENTRY", "offset": 6.0}}],
}


def plan(**changes: Any) -> ModelReply:
    """A valid plan to buy."""
    return answer(**(PLAN | changes))


HOLD = {"action": "HOLD", "target_weight": 0.0, "entry": None, "stop": None, "target": None, "triggers": []}
