"""Market data: bars with the moment at which each is known, their sources, and point-in-time access.

`vnpy_database` and `sources` are imported where they are used: both decide vnpy's folder.
"""

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.csv_import import load_csv
from vnpy_aiagent.data.folder import load_folder
from vnpy_aiagent.data.hs300 import load_hs300
from vnpy_aiagent.data.market_data import Instrument, MarketData
from vnpy_aiagent.data.point_in_time import PointInTime
from vnpy_aiagent.data.resample import resample
from vnpy_aiagent.data.symbols import parse_symbol

__all__ = [
    "BarSeries",
    "Instrument",
    "MarketData",
    "PointInTime",
    "load_csv",
    "load_folder",
    "load_hs300",
    "parse_symbol",
    "resample",
]
