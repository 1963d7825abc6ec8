"""Point-in-time adjustment: on an ex-day, the prices that a strategy remembers are put on the new level."""

import numpy as np
from vnpy.trader.utility import ArrayManager
from vnpy_ctastrategy.template import CtaTemplate


def rescale_history(strategy: CtaTemplate, price_factor: float) -> None:
    """Multiply the prices in the strategy's ArrayManagers, and divide their volumes, by a factor.

    Later bars keep their traded prices, so orders stay real; nothing from after the ex-day is used. Prices
    that a strategy keeps elsewhere are its own to adjust, in a method `on_adjust(factor)` if it has one.
    """
    for value in vars(strategy).values():
        if isinstance(value, ArrayManager):
            for array in (value.open_array, value.high_array, value.low_array, value.close_array):
                np.multiply(array, price_factor, out=array)
            np.divide(value.volume_array, price_factor, out=value.volume_array)
    adjust = getattr(strategy, "on_adjust", None)
    if adjust is not None:
        adjust(price_factor)
