"""What is collected and recorded in paper and live running."""

from datetime import time

from pydantic import Field, field_validator

from vnpy_aiagent.config.base import Section


class FactsSettings(Section):
    """The collection of facts. `times`: market time, on sessions. `policies`: lists of authorities too."""

    collect: bool = True
    times: tuple[time, ...] = (time(8, 20), time(17, 30))
    policies: bool = True

    @field_validator("times")
    @classmethod
    def _market_time(cls, times: tuple[time, ...]) -> tuple[time, ...]:
        if any(each.tzinfo is not None for each in times):
            raise ValueError("are market time (Asia/Shanghai) already; write them without a zone, like 08:20")
        return tuple(sorted(set(times)))


class RecorderSettings(Section):
    """The recorder. `days`: older files are removed.

    megabytes_per_day, queue: on the disk, and waiting for it; ticks beyond are dropped and counted.
    """

    enabled: bool = True
    megabytes_per_day: float = Field(200, gt=0, le=100_000)
    days: int = Field(30, ge=1, le=10_000)
    queue: int = Field(100_000, ge=100, le=10_000_000)
