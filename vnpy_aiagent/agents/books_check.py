"""Whether an account's book says what the simulated exchange says of the same account."""

from vnpy_aiagent.portfolio import AccountBook
from vnpy_aiagent.sim.account import SimAccount


def differences(book: AccountBook, account: SimAccount) -> list[str]:
    """Cash (CNY) and shares that differ, each as `what book / exchange`; empty where both agree.

    The last one compares the book's cash with what its own fills give.
    """
    found = [] if book.cash == account.cash else [f"CNY {book.cash} / {account.cash}"]
    for symbol in sorted({*book.positions, *account.holdings}):
        ours, theirs = book.volume(symbol), account.holding(symbol).volume
        if ours != theirs:
            found.append(f"{symbol} {ours} / {theirs}")
    if book.cash_off:
        found.append(f"CNY {book.cash} / {book.cash - book.cash_off}")
    return found
