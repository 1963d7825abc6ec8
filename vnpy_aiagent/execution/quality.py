"""How well orders were worked, over many of their reports."""

from collections.abc import Iterable
from dataclasses import dataclass

from vnpy_aiagent.domain import ExecutionReport


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures over parent orders. Ratios; delays in seconds; None where nothing was filled.

    `slippage` is the mean against the arrival price, weighted by what was traded, positive where it was worse
    for us. `fill_rate` is filled over approved shares. `delay` is the mean from signal to first fill.
    """

    orders: int
    children: int
    cancels: int
    fill_rate: float | None
    slippage: float | None
    delay: float | None

    def as_json(self) -> dict[str, object]:
        """Plain JSON values."""
        return {
            "orders": self.orders,
            "children": self.children,
            "cancels": self.cancels,
            "fill_rate": self.fill_rate,
            "slippage": self.slippage,
            "first_fill_seconds": self.delay,
        }


def quality_of(reports: Iterable[ExecutionReport]) -> Quality:
    """The figures of some reports."""
    taken = list(reports)
    approved = sum(report.volume for report in taken)
    delays = [report.first_fill for report in taken if report.first_fill is not None]
    weighed = [
        (report.slippage, float(report.average_price * report.filled))
        for report in taken
        if report.slippage is not None and report.average_price is not None
    ]
    turnover = sum(worth for _, worth in weighed)
    return Quality(
        orders=len(taken),
        children=sum(report.children for report in taken),
        cancels=sum(report.cancels for report in taken),
        fill_rate=round(sum(report.filled for report in taken) / approved, 6) if approved else None,
        slippage=round(sum(ratio * worth for ratio, worth in weighed) / turnover, 6) if turnover else None,
        delay=round(sum(delays) / len(delays), 3) if delays else None,
    )
