"""Where bars and facts come from."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from vnpy_aiagent.config.base import Section

SourceName = Literal["akshare", "tushare", "baostock", "gateway"]


class RequestLimits(Section):
    """Requests a minute that each source is sent at most, over any of its tables.

    Whoever asks counts for itself: the engine's bars, the collection of facts, each command of the terminal.
    """

    akshare: float = Field(60, gt=0, le=6_000)
    tushare: float = Field(50, gt=0, le=6_000)
    baostock: float = Field(60, gt=0, le=6_000)
    gateway: float = Field(30, gt=0, le=6_000)


class TushareSettings(Section):
    """Tushare Pro. Without a token here the one that `aiagent data token` stored is used."""

    token: SecretStr = SecretStr("")
    address: str = "http://api.tushare.pro"


class DataSettings(Section):
    """Sources in order of preference; vnpy's database always comes first.

    `cache_days`: how long an answer is used without asking again. `check_minutes`: how often a running engine
    asks each source whether it still answers (0: never). `wait`: seconds to wait for a turn within `limits`.
    """

    order: tuple[SourceName, ...] = ("akshare", "tushare", "baostock", "gateway")
    cache_days: float = Field(7, ge=0, le=90)
    check_minutes: float = Field(60, ge=0, le=1_440)
    wait: float = Field(30, ge=0, le=600)
    limits: RequestLimits = RequestLimits()
    tushare: TushareSettings = TushareSettings()

    @field_validator("order")
    @classmethod
    def _each_once(cls, order: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(order)) != len(order):
            raise ValueError(f"name each source once: {', '.join(order)}")
        return order
