"""Equity curves of accounts and baselines, from the journal's valuations at the close."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyqtgraph as pg  # type: ignore[import-untyped]
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from vnpy_aiagent.domain import AccountOpened, BaselineMark, EquityMark, Message
from vnpy_aiagent.ui.theme import CURVE_COLOURS, MUTED
from vnpy_aiagent.ui.words import Words

MAX_DAYS = 5_000
LEGEND = (25, 35, 45, 190)
NOON = time(12, tzinfo=UTC)
MONTH_SECONDS = 27 * 86_400


class DayAxis(pg.DateAxisItem):  # type: ignore[misc]
    """Dates as figures, the same in every language."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:  # noqa: N802 - Qt
        """ISO dates, without the day where a tick is a month or more."""
        pattern = "%Y-%m" if spacing >= MONTH_SECONDS else "%m-%d"
        return [f"{datetime.fromtimestamp(value, UTC):{pattern}}" for value in values]


class EquityCurves(QWidget):
    """Return of each account and baseline in percent of its beginning; baselines are dashed."""

    def __init__(self, words: Words, parent: QWidget | None = None) -> None:
        """Begin without curves."""
        super().__init__(parent)
        self._words = words
        self._cash: dict[str, Decimal] = {}
        self._values: dict[tuple[str, bool], dict[date, Decimal]] = {}
        self._curves: dict[tuple[str, bool], pg.PlotDataItem] = {}
        axis = DayAxis(orientation="bottom", utcOffset=0)
        axis.setHeight(30)
        self.plot = pg.PlotWidget(axisItems={"bottom": axis})
        self.plot.setBackground(None)
        self.plot.showGrid(x=True, y=True, alpha=0.15)
        self.plot.setMenuEnabled(False)
        for name in ("left", "bottom"):
            self.plot.getAxis(name).setTextPen(MUTED)
            self.plot.getAxis(name).setPen(MUTED)
        self.plot.getAxis("left").enableAutoSIPrefix(False)
        self.plot.setLabel("left", words("收益率 %"), color=MUTED)
        self.plot.addLegend(offset=(10, 2), colCount=5, horSpacing=18, labelTextColor=MUTED, brush=LEGEND)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.hint = QLabel(words("收盘后显示净值曲线"))
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setStyleSheet(f"color: {MUTED};")
        layout.addWidget(self.hint, 1)
        layout.addWidget(self.plot, 1)
        self.plot.hide()

    @property
    def names(self) -> list[str]:
        """Names of the curves that are drawn."""
        return [str(curve.name()) for curve in self._curves.values()]

    def take(self, messages: Iterable[Message]) -> None:
        """Add valuations; only curves with a new point are drawn again."""
        changed = {key for key in map(self._note, messages) if key is not None}
        for key in sorted(changed, key=lambda key: (key[1], key[0])):
            self._draw(key)
        drawable = any(len(days) > 1 for days in self._values.values())
        self.hint.setVisible(not drawable)
        self.plot.setVisible(drawable)

    def _note(self, message: Message) -> tuple[str, bool] | None:
        match message:
            case AccountOpened():
                self._cash.setdefault(message.account, message.cash)
                return None
            case EquityMark():
                key, day, value = (message.account, False), message.day, message.equity
            case BaselineMark():
                key, day, value = (self._words.show(message.label), True), message.day, message.value
            case _:
                return None
        days = self._values.setdefault(key, {})
        days[day] = value
        if len(days) > MAX_DAYS:
            del days[min(days)]
        return key

    def _draw(self, key: tuple[str, bool]) -> None:
        days = sorted(self._values[key].items())
        name, baseline = key
        base = self._base(key, days[0][1])
        x = [datetime.combine(day, NOON).timestamp() for day, _ in days]
        y = [float(value / base - 1) * 100 if base else 0.0 for _, value in days]
        curve = self._curves.get(key)
        if curve is None:
            colour = CURVE_COLOURS[len(self._curves) % len(CURVE_COLOURS)]
            style = Qt.PenStyle.DashLine if baseline else Qt.PenStyle.SolidLine
            pen = pg.mkPen(colour, width=1 if baseline else 2, style=style)
            curve = self._curves[key] = self.plot.plot(name=name, pen=pen)
        curve.setData(x, y, symbol="o" if len(x) == 1 else None)

    def _base(self, key: tuple[str, bool], first: Decimal) -> Decimal:
        """An account's own cash; a baseline begins with the same cash as the first account."""
        if not key[1]:
            return self._cash.get(key[0], first)
        return next(iter(self._cash.values()), first)
