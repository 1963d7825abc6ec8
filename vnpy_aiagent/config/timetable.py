"""The timetable of the day."""

from datetime import time
from typing import Literal

from pydantic import field_validator

from vnpy_aiagent.config.base import Section


class Job(Section):
    """One entry of the timetable, in market time. `on` says on which days, `enabled` whether at all."""

    name: str
    at: time
    on: Literal["session", "sunday", "month_end", "quarter_end"] = "session"
    task: Literal["plan", "decide", "update", "note", "review"]
    enabled: bool = True

    @field_validator("at")
    @classmethod
    def _market_time(cls, at: time) -> time:
        if at.tzinfo is not None:
            raise ValueError("is market time (Asia/Shanghai) already; write it without a zone, like 09:35")
        return at


DEFAULT_JOBS: tuple[Job, ...] = (
    Job(name="plan", at=time(7, 0), task="plan"),
    Job(name="daily", at=time(9, 35), task="decide"),
    Job(name="hourly-1035", at=time(10, 35), task="update"),
    Job(name="midday", at=time(11, 30), task="note"),
    Job(name="hourly-1135", at=time(11, 35), task="update"),
    Job(name="hourly-1405", at=time(14, 5), task="update"),
    Job(name="hourly-1505", at=time(15, 5), task="update"),
    Job(name="review", at=time(16, 0), task="review"),
    Job(name="weekly", at=time(20, 0), on="sunday", task="review"),
    Job(name="monthly", at=time(20, 30), on="month_end", task="review"),
    Job(name="quarterly", at=time(21, 0), on="quarter_end", task="review"),
)
