"""A small house whose gateway is faulty and whose process can end at any journal entry, and comes back."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from vnpy.event import Event
from vnpy.trader.event import EVENT_TRADE
from vnpy.trader.object import TradeData

from vnpy_aiagent.config import ExecutionSettings
from vnpy_aiagent.domain import Message, parse_message
from vnpy_aiagent.store.journal import Draft
from vnpy_aiagent.testing.faulty_gateway import Faults, FaultyGateway

from ..unit.engine.small_house import SmallHouse  # noqa: TID252 - the test tree is no package

FAST = ExecutionSettings(max_orders_per_second=299)
CRASHED = "the process ended"


class Crash(BaseException):
    """The process ends here. No handler's guard catches it, as none survives a `kill -9`."""


class FusedWriter:
    """A journal writer that notes what it wrote, and ends the process once its fuse has burnt down."""

    def __init__(self, inner: Any, written: list[Message]) -> None:
        self.inner = inner
        self.written = written
        self.fuse: int | None = None

    def submit(self, draft: Draft, on_durable: Callable[[Draft], None] | None = None) -> None:
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                raise Crash(CRASHED)
        self.written.append(parse_message(draft.kind, draft.body))
        self.inner.submit(draft, on_durable)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class OrderHouse:
    """One account's engine over a FaultyGateway. `written` is the whole journal, over all restarts.

    `delivered` are the trades that reached the present run's event engine; `sent` the references of orders
    that reached a gateway in earlier runs.
    """

    def __init__(self, journal: Path, moment: str, execution: ExecutionSettings = FAST) -> None:
        self.journal = journal
        self.execution = execution
        self.moment = moment
        self.approvals = "none"
        self.faults = Faults()
        self.written: list[Message] = []
        self.sent: list[str] = []
        self.delivered: list[TradeData] = []
        self.fuses: list[int] = []  # one for each start after a crash: how many entries that run writes
        self.alive = False
        self.begin()

    def begin(self) -> None:
        """The process starts, and finds what the journal holds."""
        settings: Any = {"approvals": self.approvals, "execution": self.execution}
        self.house = house = SmallHouse(self.journal, self.moment, **settings)
        self.writer = FusedWriter(house.engine._parts.writer, self.written)  # type: ignore[union-attr]
        self.writer.fuse = self.fuses.pop(0) if self.fuses else None
        house.engine._parts.writer = self.writer  # type: ignore[union-attr]
        self.gateway: Any = house.main.add_gateway(FaultyGateway, house.settings.accounts[0].gateway_name)
        self.delivered.clear()
        house.events.register(EVENT_TRADE, lambda event: self.delivered.append(event.data))
        house.__enter__()
        self.alive = True
        self.gateway.use(self.faults)

    def act(self, action: Callable[[], object]) -> None:
        """Do something and let all events follow; where the process ends meanwhile, it starts again."""
        try:
            action()
            self.house.events.drain()
        except Crash:
            self.abandon()
            self.come_back()

    def come_back(self) -> None:
        """Start again after a crash; it may end again while it starts."""
        while True:
            try:
                self.begin()
            except Crash:
                self.abandon()
            else:
                return

    def abandon(self) -> None:
        """The process is gone: nothing is closed in order, only what the operating system takes back."""
        house = self.house
        self._remember()
        house.engine.bus.unsubscribe_all()
        house.events.discard()
        house.engine.closed = True
        self.writer.fuse = None
        self.writer.inner.close()
        house.__exit__()

    def end(self) -> None:
        """The process ends in order."""
        self.writer.fuse = None
        self._remember()
        self.house.__exit__()
        self.alive = False

    def _remember(self) -> None:
        self.moment = f"{self.house.clock.moment:%Y-%m-%d %H:%M:%S}"
        self.sent += [request.reference for request in self.gateway.requests]

    # short names

    @property
    def engine(self) -> Any:
        return self.house.engine

    @property
    def book(self) -> Any:
        return self.engine.house.portfolio.books["judge"]

    @property
    def today(self) -> date:
        return self.house.clock.moment.date()

    def references(self) -> list[str]:
        """References of all orders that ever reached a gateway, this run's included."""
        return self.sent + [request.reference for request in self.gateway.requests]

    def tell(self, event: str, data: object) -> None:
        """A broker's message from outside."""
        self.house.events.put(Event(event, data))
