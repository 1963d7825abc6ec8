"""Which part of an account's cash and shares lies at which gateway, for accounts at two brokers."""

from decimal import Decimal

ZERO = Decimal(0)


class Venues:
    """Cash (CNY) and shares by gateway, as fills and adjustments moved them.

    What no gateway was named for (a daily settlement, an ex-day) lies at the account's first one.
    """

    def __init__(self) -> None:
        """Nothing was moved yet."""
        self.cash: dict[str, Decimal] = {}
        self.shares: dict[str, dict[str, int]] = {}

    def move(self, gateway: str, symbol: str, volume: int, cash: Decimal) -> None:
        """Shares and cash that came to a gateway, negative where they left."""
        self.cash[gateway] = self.cash.get(gateway, ZERO) + cash
        if volume:
            held = self.shares.setdefault(gateway, {})
            held[symbol] = held.get(symbol, 0) + volume
            if not held[symbol]:
                del held[symbol]

    def cash_at(self, gateway: str, others: tuple[str, ...], total: Decimal) -> Decimal:
        """Cash at a gateway: at the first one (which has `others`), all that lies at none of these."""
        if not others:
            return self.cash.get(gateway, ZERO)
        return total - sum((self.cash.get(other, ZERO) for other in others), ZERO)

    def shares_at(self, gateway: str, others: tuple[str, ...], total: dict[str, int]) -> dict[str, int]:
        """Shares at a gateway by symbol, in the same way."""
        if not others:
            return dict(self.shares.get(gateway, {}))
        left = {
            symbol: volume - sum(self.shares.get(other, {}).get(symbol, 0) for other in others)
            for symbol, volume in total.items()
        }
        return {symbol: volume for symbol, volume in left.items() if volume}
