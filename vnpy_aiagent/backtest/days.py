"""A day's result of a backtest with the exchange's fees, dividends and new shares."""

from datetime import date
from decimal import Decimal

from vnpy.trader.constant import Direction
from vnpy_ctastrategy.backtesting import DailyResult


class AShareDailyResult(DailyResult):
    """vnpy's daily result in CNY, with real fees in `commission` and what an ex-day brought."""

    def __init__(self, day: date, close_price: float) -> None:
        """`fees`, `dividend` (after the tax that fell due) and `new_shares` are added as they arise."""
        super().__init__(day, close_price)
        self.fees = Decimal(0)
        self.dividend = Decimal(0)
        self.new_shares = 0

    def calculate_pnl(
        self, pre_close: float, start_pos: float, size: float, rate: float, slippage: float
    ) -> None:
        """As vnpy's, but fees are those booked, and slippage is in the fills' prices already."""
        self.pre_close = pre_close or 1
        self.start_pos = start_pos
        self.end_pos = start_pos + self.new_shares
        self.holding_pnl = self.end_pos * self.close_price - start_pos * self.pre_close + float(self.dividend)
        self.trade_count = len(self.trades)
        for trade in self.trades:
            change = trade.volume if trade.direction == Direction.LONG else -trade.volume
            self.end_pos += change
            self.turnover += trade.volume * trade.price
            self.trading_pnl += change * (self.close_price - trade.price)
        self.commission = float(self.fees)
        self.total_pnl = self.trading_pnl + self.holding_pnl
        self.net_pnl = self.total_pnl - self.commission
