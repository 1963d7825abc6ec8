"""AiAgent in mode LIVE on a MainEngine with a broker's gateway, as the drivers of the stand-ins use it.

What it does is read from its journal, as a human would after the day.
"""

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from vnpy_aiagent.base import EVENT_AI_PROPOSAL, EVENT_AI_SIGNAL
from vnpy_aiagent.config import load_settings
from vnpy_aiagent.domain import Action, PriceBasis, PriceRef, Proposal, Side, Signal, parse_message, say
from vnpy_aiagent.engine import AiAgentEngine
from vnpy_aiagent.i18n import show, translator
from vnpy_aiagent.store.reader import JournalReader
from vnpy_aiagent.testing.speed_clock import SpeedClock
from vnpy_aiagent.wiring import journal_target

ACCOUNT = "judge"
PATIENCE = 30.0


class LiveApp:
    """The app beside a gateway of one name; `begin` is the market's time when it starts."""

    def __init__(
        self, main_engine: Any, gateway: str, universe: list[str], begin: datetime, capital: str = "900000"
    ) -> None:
        """Nothing runs before `start`. Every order up to `capital` (CNY) is allowed without a human."""
        self.main = main_engine
        self.gateway = gateway
        self.settings = load_settings(
            mode="LIVE",
            universe=universe,
            quote_gateway=gateway,
            language="zh",
            schedule=[],
            accounts=[{"name": ACCOUNT, "style": "JUDGE", "gateway": gateway}],
            live={
                "capital_limit": capital,
                "allowlist": universe,
                "approvals": "none",
                "program_trading_reported": True,
            },
            reconcile={"settle": 0.5, "every": 5},
        )
        self.clock = SpeedClock(begin, ())
        self.engine: AiAgentEngine = main_engine.add_engine(AiAgentEngine)

    def start(self) -> None:
        """Start the engine; the gateway may be connected before or after."""
        self.engine.start(self.settings, self.clock)

    def until(self, condition: Callable[[], Any], what: str) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() >= deadline:
                raise AssertionError(
                    f"this did not happen: {what}; the journal ends with {self.said()[-12:]}"
                )
            time.sleep(0.02)

    def until_reconciled(self) -> None:
        """Wait until the account agrees with its broker."""
        self.until(self.is_reconciled, "the account agrees with its broker")

    def is_reconciled(self) -> bool:
        """Whether orders may be sent."""
        reconciler = self.engine.reconciler
        return reconciler is not None and reconciler.is_reconciled(ACCOUNT)

    def messages(self, *kinds: str) -> list[Any]:
        """What the journal holds of some kinds, of this run and those before it, oldest first."""
        self.engine.parts.writer.flush()
        reader = JournalReader.open(journal_target(self.settings))
        try:
            rows = list(reader.read(kinds=kinds) if kinds else reader.read())
        finally:
            reader.close()
        return [parse_message(row.kind, row.body) for row in rows]

    def said(self) -> list[str]:
        """Alerts, what was withheld and every state of an order, as sentences."""
        chinese = translator("zh")
        lines = []
        for each in self.messages("Alert", "Withheld", "OrderUpdate", "HandlerFailed"):
            if each.kind == "Alert":
                lines.append(show(each.text, chinese))
            elif each.kind == "Withheld":
                lines.append("withheld: " + show(each.reason, chinese))
            elif each.kind == "OrderUpdate":
                lines.append(f"{each.vt_orderid} {each.state.name} {each.traded}")
            else:
                lines.append(f"FAILED {each.handler}: {each.error}")
        return lines

    def told(self, words: str) -> str:
        """Wait for an alert with some words; the first such one."""
        self.until(lambda: any(words in line for line in self.said()), f"{words!r} is told")
        return next(line for line in self.said() if words in line)

    def states(self) -> list[list[Any]]:
        """State and cumulative volume of our orders, as they came."""
        return [[each.state.name, each.traded] for each in self.messages("OrderUpdate")]

    def fills(self) -> list[list[Any]]:
        """Side, price, volume and trade id of every booked fill."""
        return [[f.side.name, str(f.price), f.volume, f.tradeid] for f in self.messages("Fill")]

    def counted(self) -> dict[str, int]:
        """How many messages of the kinds that must not be doubled the journal holds."""
        kinds = (
            "Signal",
            "Intent",
            "Sent",
            "Withheld",
            "Fill",
            "HoldingAdjusted",
            "CashAdjusted",
            "HandlerFailed",
        )
        return {kind: len(self.messages(kind)) for kind in kinds}

    def book(self) -> dict[str, Any]:
        """Cash, holdings, those that are not the app's, and what orders hold back."""
        book = self.engine.house.portfolio.books[ACCOUNT]
        return {
            "cash": str(book.cash),
            "available": str(book.available),
            "held": {symbol: position.volume for symbol, position in sorted(book.positions.items())},
            "external": dict(sorted(book.external.items())),
        }

    def propose(self, symbol: str, action: str, weight: float = 0.0) -> None:
        """Hand in a proposal, as the brain does; risk rules decide what becomes of it."""
        entry = PriceRef(basis=PriceBasis.LAST) if action == "BUY" else None
        proposal = Proposal(
            id="",
            at=self.clock.now(),
            account=ACCOUNT,
            request_id="test",
            decision_id="test",
            symbol=symbol,
            action=Action[action],
            target_weight=weight,
            entry=entry,
            stop=PriceRef(basis=PriceBasis.ENTRY, offset=-4.0) if entry else None,
            confidence=0.9,
            setup="test",
            valid_until=self.clock.now() + timedelta(hours=1),
        )
        self.engine.bus.adopt(proposal, EVENT_AI_PROPOSAL)

    def signal(self, symbol: str, side: str, volume: int, limit: str) -> None:
        """Post an approved signal, past the risk rules."""
        price = Decimal(limit)
        self.engine.bus.post(
            Signal,
            EVENT_AI_SIGNAL,
            cause=None,
            account=ACCOUNT,
            symbol=symbol,
            side=Side[side],
            volume=volume,
            limit=price,
            low=price,
            high=price,
            stop=price * Decimal("0.9") if side == "BUY" else None,
            confidence=0.9,
            setup="test",
            reason=say("测试"),
            valid_until=self.clock.now() + timedelta(hours=1),
        )

    def until_sent(self, count: int = 1) -> str:
        """Wait until so many orders in all are out; the broker's id of the last."""
        self.until(lambda: len(self.messages("Sent")) >= count, f"{count} orders are sent")
        return str(self.messages("Sent")[-1].vt_orderids[-1]).partition(".")[2]

    def cancel_all(self) -> None:
        """Take back what works, as a human's command does."""
        with self.engine.bus.turn:
            self.engine.execution.cancel_all()

    def ended(self) -> bool:
        """Whether no order works any more."""
        return not self.engine.execution.desk.parents

    def result(self, **facts: Any) -> dict[str, Any]:
        """What a driver prints at the end: the facts, and what holds for every run."""
        return {
            **facts,
            "book": self.book(),
            "counted": self.counted(),
            "handler_failures": self.engine.bus.failures,
        }


def print_result(result: dict[str, Any]) -> None:
    """One JSON object on standard output."""
    print(json.dumps(result, ensure_ascii=False, default=str), flush=True)
