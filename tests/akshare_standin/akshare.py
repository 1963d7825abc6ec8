"""Stands for akshare where there is no network: its functions, its documented columns, and its faults.

Put this folder first on the path. Prices climb by a fen a day; volume is in hands, turnover in CNY. For
600000 there is no network, 605999 does not exist.
"""

import pandas as pd

DAYS = ("2025-11-17", "2025-11-18", "2025-11-19", "2025-11-20")
ENDS = {"60": ("10:30", "11:30", "14:00", "15:00"), "1": ("09:31", "09:32", "15:00")}


def _row(step: int, scale: float = 1.0) -> dict[str, float]:
    price = (10 + step / 100) * scale
    prices = {"开盘": price, "收盘": price, "最高": price + 0.1, "最低": price - 0.1}
    return {**prices, "成交量": 1_000, "成交额": round(price * 100_000, 2), "换手率": 0.1}


def _fault(symbol: str) -> None:
    if symbol == "600000":
        raise ConnectionError("no route to push2his.eastmoney.com")


def stock_zh_a_hist(
    symbol: str, period: str, start_date: str, end_date: str, adjust: str = ""
) -> pd.DataFrame:
    """东方财富网-沪深京 A 股-日频率."""
    _fault(symbol)
    days = [day for day in DAYS if start_date <= day.replace("-", "") <= end_date and symbol != "605999"]
    return pd.DataFrame(
        [
            {"日期": pd.Timestamp(day).date(), "股票代码": symbol, **_row(step)}
            for step, day in enumerate(days)
        ]
    )


fund_etf_hist_em = stock_zh_a_hist


def stock_zh_index_daily_em(symbol: str, start_date: str, end_date: str) -> pd.DataFrame:
    """东方财富网-股票指数数据, with English columns."""
    words = {
        "开盘": "open",
        "收盘": "close",
        "最高": "high",
        "最低": "low",
        "成交量": "volume",
        "成交额": "amount",
    }
    rows = [{"date": day, **_row(step, 400)} for step, day in enumerate(DAYS)]
    return pd.DataFrame(rows).rename(columns=words).drop(columns="换手率")


def stock_zh_a_hist_min_em(
    symbol: str, start_date: str, end_date: str, period: str, adjust: str = ""
) -> pd.DataFrame:
    """东方财富网-每日分时行情; as akshare, it takes apart what is not there."""
    _fault(symbol)
    if symbol == "605999":
        raise TypeError("'NoneType' object is not subscriptable")
    ends = [f"{day} {end}:00" for day in DAYS for end in ENDS[period]]
    return pd.DataFrame(
        [{"时间": end, **_row(step)} for step, end in enumerate(ends) if start_date <= end <= end_date]
    )


fund_etf_hist_min_em = stock_zh_a_hist_min_em
index_zh_a_hist_min_em = stock_zh_a_hist_min_em
