"""The app in mode LIVE on a remote exchange, both in this process: for what goes wrong around an engine."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.remote_house import NOW, SYMBOL, Client, House, until
from vnpy_aiagent import AiAgentApp, wiring
from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.config import load_settings
from vnpy_aiagent.domain import Severity, Side, Signal, Text, parse_message
from vnpy_aiagent.domain import say as sentence
from vnpy_aiagent.store.journal import JournalReader, verify

ACCOUNT = "main"
RATE = 5.0


class JumpClock:
    """Five market seconds in a second of the machine, and a jump whenever a test wants one."""

    def __init__(self) -> None:
        self._origin = time.monotonic()
        self._jumped = timedelta()

    def now(self) -> datetime:
        """Market time."""
        return NOW + self._jumped + timedelta(seconds=(time.monotonic() - self._origin) * RATE)

    def wall_seconds(self, until: datetime) -> float:
        """Seconds of the machine until the clock shows a time, if it does not jump."""
        return (until - self.now()).total_seconds() / RATE

    def jump(self, by: timedelta) -> None:
        """The time is another one from here on."""
        self._jumped += by


class NoBrain:
    """Stands for the brain's process."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Nothing to start."""

    def submit(self, *_: Any) -> None:
        """The timetable of these tests is empty."""
        raise AssertionError("no decision is asked for")

    def cancel(self, reason: str) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """Nothing to end."""


class LiveHouse(House):
    """A remote exchange, a trader on it in mode LIVE, and a market that repeats its last price."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, trader_clock: JumpClock | None = None
    ) -> None:
        """`trader_clock` is the trading machine's own where it may go wrong; else both share one."""
        super().__init__(JumpClock())
        monkeypatch.setattr(wiring, "ProcessRunner", NoBrain)
        self.journal = folder / "live.db"
        self.trader = Client(self.ports, {})
        self.clients.append(self.trader)
        until(lambda: self.trader.gateway.connected)
        self.engine: Any = self.trader.main.add_app(AiAgentApp)
        settings = load_settings(
            mode="LIVE",
            universe=[SYMBOL],
            accounts=[{"name": ACCOUNT, "style": "JUDGE", "gateway": "REMOTE"}],
            live={"capital_limit": 5_000_000, "allowlist": [SYMBOL], "approvals": "none"},
            schedule=[],
            store={"journal": str(self.journal)},
            reconcile={"account_max_age": 60},  # twelve seconds of a machine that may be busy
        )
        self.engine.start(settings, trader_clock or self.clock)
        self.until(self.reconciled)

    def until(self, condition: Callable[[], Any], price: str = "40.00") -> None:
        """Wait, with quotes that go on; they trade nothing."""

        def quoted() -> Any:
            self.price(price, liquidity=0)
            return condition()

        until(quoted)

    def reconciled(self) -> bool:
        """Whether the account agrees with the exchange."""
        found: bool = self.engine.reconciler.is_reconciled(ACCOUNT)
        return found

    def signal(self, price: str, volume: int = 200, side: Side = Side.BUY, seconds: float = 3_000) -> Signal:
        """Post one as the risk agent does."""
        posted: Signal = self.engine.bus.post(
            Signal,
            EVENT_AI_SIGNAL,
            cause=None,
            account=ACCOUNT,
            symbol=SYMBOL,
            side=side,
            volume=volume,
            limit=Decimal(price),
            low=Decimal(price),
            high=Decimal(price),
            stop=Decimal("37.00") if side is Side.BUY else None,
            reason=sentence("{why}", why="test"),
            valid_until=self.engine.house.clock.now() + timedelta(seconds=seconds),
        )
        return posted

    def rest(self, price: str = "39.60", volume: int = 200) -> None:
        """A buy that works at the exchange, and that the app knows to work."""
        count = self.working()
        self.signal(price, volume)
        self.until(lambda: self.working() == count + 1)
        self.until(lambda: all(state == "ACCEPTED" for state in self.states()))

    def working(self) -> int:
        """Orders that work at the exchange."""
        with self.exchange.still():
            return len(self.exchange.account(ACCOUNT).orders)

    def states(self) -> list[str]:
        """The app's own orders that have not ended."""
        return [child.state.name for _, child in self.engine.execution.desk.working()]

    def held(self) -> int:
        """Shares in the app's book."""
        found: int = self.engine.house.portfolio.books[ACCOUNT].volume(SYMBOL)
        return found

    def messages(self, kind: str) -> list[Any]:
        """Everything of a kind in the journal."""
        assert self.engine.parts.writer.flush()
        with JournalReader.open(self.journal) as reader:
            return [parse_message(entry.kind, entry.body) for entry in reader.read([kind])]

    def reasons(self) -> list[str]:
        """Why signals became no order."""
        return [str(message.reason) for message in self.messages("Withheld")]

    def alerts(self, severity: Severity) -> list[Text]:
        """What a human was told."""
        return [message.text for message in self.messages("Alert") if message.severity is severity]

    def agree(self) -> None:
        """Book and exchange say the same, to the cent; the journal is whole, the position has its stop."""
        self.until(lambda: self.states() == [] and not self.working())
        book, there = self.engine.house.portfolio.books[ACCOUNT], self.exchange.account(ACCOUNT)
        assert book.volume(SYMBOL) == there.holding(SYMBOL).volume
        assert book.cash == there.cash
        assert self.messages("HoldingAdjusted") == []
        assert self.messages("CashAdjusted") == []
        assert self.messages("HandlerFailed") == []
        assert verify(self.journal).ok
        if book.volume(SYMBOL):
            assert self.engine.monitoring.stops.get(ACCOUNT, SYMBOL) is not None
