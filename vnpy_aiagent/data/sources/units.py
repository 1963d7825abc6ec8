"""Volumes in shares: what a source counts in is seen from its own turnover and prices."""

from dataclasses import replace

import numpy as np

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.domain.text import say

HAND = 100  # shares


def in_shares(bars: BarSeries, source: str, label: str, *, stated: int = HAND) -> BarSeries:
    """Volume in shares; turnover over volume shows whether the source counted in hands or in shares.

    `stated`: shares in one of its units by its documents, used where nothing was traded. Volumes that fit
    neither raise SourceAbsence (BAD_DATA).
    """
    traded = (bars.volume > 0) & (bars.turnover > 0)
    ratio = float(stated)
    if traded.any():
        ratio = float(np.median(bars.turnover[traded] / bars.volume[traded] / bars.close[traded]))
    if 0.5 < ratio < 2:
        return bars
    if HAND / 2 < ratio < HAND * 2:
        return replace(bars, volume=bars.volume * HAND)
    raise SourceAbsence(
        source,
        AbsenceKind.BAD_DATA,
        say(
            "{source} 给 {symbol} 的量额与价格对不上（比值 {ratio}，应为 {expected}）；请换别的数据来源",
            source=label,
            symbol=bars.vt_symbol,
            ratio=f"{ratio:.4g}",
            expected=stated,
        ),
    )
