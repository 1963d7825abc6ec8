"""Whether an account's book says what the simulated exchange says of the same account."""

from vnpy.trader.constant import Direction

from vnpy_aiagent.market.futures import is_contract
from vnpy_aiagent.portfolio import AccountBook
from vnpy_aiagent.sim.account import SimAccount


def differences(book: AccountBook, account: SimAccount) -> list[str]:
    """Cash (CNY), shares and contracts that differ, each as `what book / exchange`; empty where both agree.

    The app holds no short contracts, so that any at the exchange differ.

    The last one compares the book's cash with what its own fills give.
    """
    found = [] if book.cash == account.cash else [f"CNY {book.cash} / {account.cash}"]
    for symbol in sorted({*book.positions, *account.holdings, *account.contracts.symbols}):
        ours, theirs = book.volume(symbol), _held(account, symbol)
        if ours != theirs:
            found.append(f"{symbol} {ours} / {theirs}")
    for symbol in account.contracts.symbols:
        short = account.contracts.volume(symbol, Direction.SHORT)
        if short:
            found.append(f"{symbol} 0 / -{short}")
    if book.cash_off:
        found.append(f"CNY {book.cash} / {book.cash - book.cash_off}")
    return found


def _held(account: SimAccount, vt_symbol: str) -> int:
    """Shares, or long contracts, at the exchange."""
    if is_contract(vt_symbol):
        return account.contracts.volume(vt_symbol)
    return account.holding(vt_symbol).volume
