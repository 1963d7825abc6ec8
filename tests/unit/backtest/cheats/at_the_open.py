"""Called when an order arrives at the open of a daily bar, they cancel it: the cheat by the day's close."""

from vnpy.trader.constant import Status
from vnpy.trader.object import BarData, OrderData
from vnpy_ctastrategy import CtaTemplate


class CancelsByTheClose(CtaTemplate):
    """At 09:30 it takes back the order that the day's close would make a bad one."""

    author = "cheat"

    def on_init(self) -> None:
        """Nothing to prepare."""

    def on_bar(self, bar: BarData) -> None:
        self.cancel_all()
        if self.pos:
            self.sell(round(bar.close_price * 0.95, 2), self.pos)
        else:
            self.buy(round(bar.close_price * 0.995, 2), 1000)

    def on_order(self, order: OrderData) -> None:
        if order.status is Status.NOTTRADED and self.bad():
            self.cancel_order(order.vt_orderid)

    def bad(self) -> bool:
        today = self.cta_engine.bar
        return bool(today.close_price < today.open_price)


class CancelsByTheOpen(CancelsByTheClose):
    """At 09:30 it takes back the order if the open gapped up."""

    def bad(self) -> bool:
        return bool(self.cta_engine.bar.open_price > 44)
