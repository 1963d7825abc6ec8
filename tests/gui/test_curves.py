"""The equity curves' first days: no empty axis, no lonely line that cannot be seen."""

from datetime import UTC, date, datetime
from decimal import Decimal

from shiboken6 import delete

from vnpy_aiagent.domain import EquityMark
from vnpy_aiagent.ui.curves import EquityCurves
from vnpy_aiagent.ui.words import Words


def mark(account: str, day: int, equity: str) -> EquityMark:
    return EquityMark(
        id=f"{account}{day}",
        at=datetime(2025, 3, day, 15, tzinfo=UTC),
        account=account,
        day=date(2025, 3, day),
        cash=Decimal(equity),
        market_value=Decimal(0),
        positions={},
    )


def test_before_the_second_close_a_hint_stands_in_for_the_empty_axis(qapp):
    curves = EquityCurves(Words("zh"))
    curves.show()
    curves.take([mark("judge", 3, "100")])
    assert curves.hint.text() == "收盘后显示净值曲线"
    assert (curves.hint.isVisible(), curves.plot.isVisible()) == (True, False)
    curves.take([mark("judge", 4, "101"), mark("aggressive", 4, "100")])
    assert (curves.hint.isVisible(), curves.plot.isVisible()) == (False, True)
    symbols = {curve.name(): curve.opts["symbol"] for curve in curves._curves.values()}
    assert symbols == {"judge": None, "aggressive": "o"}
    assert not curves.plot.getAxis("left").autoSIPrefix
    curves.close()
    delete(curves)
