"""The trigger book: price conditions checked on every tick, in pure code, one shot each.

Per symbol two heaps hold the prices above and below; the nearest of each is cached as (low, high), so a tick
that reaches neither costs one lookup and two comparisons. Time conditions are deadlines of the clock and live
with the agent that owns the book.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from vnpy_aiagent.domain import TriggerKind, TriggerSpec

INFINITY = float("inf")
Entry = tuple[float, int, str]
"""Price (negated below), place in the order of registration, id."""


@dataclass(slots=True)
class _SymbolBook:
    """Heaps of one symbol: `above` by rising price, `below` by falling price (stored negated)."""

    above: list[Entry] = field(default_factory=list)
    below: list[Entry] = field(default_factory=list)
    low: float = -INFINITY
    high: float = INFINITY


class TriggerBook:
    """Registered triggers, by id."""

    def __init__(self) -> None:
        """Begin empty."""
        self._specs: dict[str, TriggerSpec] = {}
        self._symbols: dict[str, _SymbolBook] = {}
        self._count = 0

    def __len__(self) -> int:
        """Triggers in the book."""
        return len(self._specs)

    def __iter__(self) -> Iterator[TriggerSpec]:
        """Triggers in order of registration."""
        return iter(self._specs.values())

    def add(self, spec: TriggerSpec) -> None:
        """Register a trigger once. A price trigger without a price raises ValueError."""
        if spec.id in self._specs:
            return
        if spec.trigger is not TriggerKind.TIME_AT:
            if spec.price is None:
                raise ValueError(f"trigger {spec.id} has no price")
            book = self._symbols.setdefault(spec.symbol, _SymbolBook())
            self._count += 1
            if spec.trigger is TriggerKind.PRICE_AT_OR_ABOVE:
                heapq.heappush(book.above, (float(spec.price), self._count, spec.id))
            else:
                heapq.heappush(book.below, (-float(spec.price), self._count, spec.id))
            self._specs[spec.id] = spec
            self._guard(book)
        self._specs[spec.id] = spec

    def get(self, trigger_id: str) -> TriggerSpec | None:
        """The trigger, None once it has left."""
        return self._specs.get(trigger_id)

    def remove(self, trigger_id: str) -> TriggerSpec | None:
        """Take a trigger out; None where it has left already."""
        spec = self._specs.pop(trigger_id, None)
        if spec is not None and spec.symbol in self._symbols:
            self._guard(self._symbols[spec.symbol])
        return spec

    def of(self, account: str, symbol: str) -> list[TriggerSpec]:
        """Triggers of one account's position."""
        return [spec for spec in self._specs.values() if spec.account == account and spec.symbol == symbol]

    def reached(self, symbol: str, price: float) -> bool:
        """Whether a last price (CNY) reaches the nearest trigger: one lookup and two comparisons."""
        book = self._symbols.get(symbol)
        return book is not None and not book.low < price < book.high

    def on_price(self, symbol: str, price: float) -> list[TriggerSpec]:
        """Triggers that a last price (CNY) fires, in order of registration; they leave the book."""
        if not self.reached(symbol, price):
            return []
        book = self._symbols[symbol]
        fired: list[tuple[int, TriggerSpec]] = []
        for heap, reached in ((book.above, price), (book.below, -price)):
            while heap and heap[0][0] <= reached:
                _, place, trigger_id = heapq.heappop(heap)
                spec = self._specs.pop(trigger_id, None)
                if spec is not None:
                    fired.append((place, spec))
        self._guard(book)
        return [spec for _, spec in sorted(fired, key=lambda pair: pair[0])]

    def levels(self, symbol: str) -> list[Decimal]:
        """Prices that are watched in a symbol."""
        return [s.price for s in self._specs.values() if s.symbol == symbol and s.price is not None]

    def _guard(self, book: _SymbolBook) -> None:
        """Drop removed entries from the heaps' tops and cache the nearest prices."""
        for heap in (book.above, book.below):
            while heap and heap[0][2] not in self._specs:
                heapq.heappop(heap)
        book.high = book.above[0][0] if book.above else INFINITY
        book.low = -book.below[0][0] if book.below else -INFINITY
