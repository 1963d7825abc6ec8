"""Facts beside bars: reported values, events and texts, each with its source and when it became known.

Every fact belongs to one symbol, which is a column of the fact and is never read out of a text. Names of
values and events come from the closed lists below, so that no free words pass through them.
"""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, ClassVar, Literal, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

METRICS: dict[str, str] = {
    "pe_ttm": "times",
    "pb": "times",
    "ps_ttm": "times",
    "market_cap": "CNY",
    "free_float_cap": "CNY",
    "revenue": "CNY",
    "net_profit": "CNY",
    "operating_cash_flow": "CNY",
    "total_assets": "CNY",
    "goodwill": "CNY",
    "margin_balance": "CNY",
    "eps": "CNY/share",
    "book_value_per_share": "CNY/share",
    "dividend_per_share": "CNY/share",
    "roe": "ratio",
    "gross_margin": "ratio",
    "debt_to_assets": "ratio",
    "revenue_growth": "ratio",
    "profit_growth": "ratio",
    "pledge_ratio": "ratio",
    "institution_ratio": "ratio",
    "turnover_rate": "ratio",
}
"""Names of values and the one unit of each; a ratio of 0.12 is 12 %."""

EVENTS: dict[str, str] = {
    "report_due": "",
    "ex_dividend": "CNY/share",
    "unlock": "share",
    "pledge": "share",
    "buyback": "CNY",
    "holder_reduction": "share",
    "holder_increase": "share",
    "suspension": "",
    "resumption": "",
    "regulator_inquiry": "",
    "index_change": "",
}
"""Kinds of events and the unit of their figure, empty where they have none."""

TextKind = Literal["news", "filing", "policy", "social"]
MAX_TITLE, MAX_BODY = 300, 8_000
Source = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[\w.\-]+$")]


class _Fact(BaseModel):
    """What all facts have: the symbol, who says it, and when it could first be known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]

    vt_symbol: str
    source: Source
    available_at: AwareDatetime

    @property
    @abstractmethod
    def key(self) -> tuple[str, str]:
        """What the fact is about, beside its symbol: two facts of one key are versions of each other."""

    @property
    def id(self) -> str:
        """A name made of the whole content, the same on every machine."""
        return "f" + sha256(f"{self.kind}\n{self.model_dump_json()}".encode()).hexdigest()[:15]


class ValueFact(_Fact):
    """One reported number. `period` is the day that it describes, such as the end of a quarter."""

    kind: ClassVar[str] = "value"

    metric: str
    period: date
    value: Decimal
    unit: str = ""

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str) -> str:
        if metric not in METRICS:
            raise ValueError(f"is no known value; use one of {', '.join(METRICS)}")
        return metric

    @model_validator(mode="after")
    def _sound(self) -> "ValueFact":
        if not self.value.is_finite():
            raise ValueError("value is not finite")
        if self.unit != METRICS[self.metric]:
            raise ValueError(f"unit of {self.metric} is {METRICS[self.metric]}, not {self.unit or 'empty'!r}")
        if self.period > self.available_at.date():
            raise ValueError("period ends after available_at; nobody knew the value then")
        return self

    @property
    def key(self) -> tuple[str, str]:
        """The metric and its period."""
        return self.metric, self.period.isoformat()


class EventFact(_Fact):
    """Something that happens to the symbol on a day, which may lie ahead of `available_at`."""

    kind: ClassVar[str] = "event"

    event: str
    on: date
    value: Decimal | None = None
    unit: str = ""

    @field_validator("event")
    @classmethod
    def _known(cls, event: str) -> str:
        if event not in EVENTS:
            raise ValueError(f"is no known event; use one of {', '.join(EVENTS)}")
        return event

    @model_validator(mode="after")
    def _sound(self) -> "EventFact":
        wanted = EVENTS[self.event]
        if self.value is None:
            if self.unit:
                raise ValueError("unit is given without a value")
            return self
        if not wanted:
            raise ValueError(f"{self.event} has no value; leave value and unit empty")
        if not self.value.is_finite():
            raise ValueError("value is not finite")
        if self.unit != wanted:
            raise ValueError(f"unit of {self.event} is {wanted}, not {self.unit or 'empty'!r}")
        return self

    @property
    def key(self) -> tuple[str, str]:
        """The event and its day."""
        return self.event, self.on.isoformat()


class TextFact(_Fact):
    """A text from outside, as it came but for its length (characters): tainted, for the quarantine alone."""

    kind: ClassVar[str] = "text"

    text_kind: TextKind
    title: Annotated[str, Field(max_length=MAX_TITLE)] = ""
    body: Annotated[str, Field(max_length=MAX_BODY)] = ""

    @model_validator(mode="after")
    def _sound(self) -> "TextFact":
        if not (self.title.strip() or self.body.strip()):
            raise ValueError("title and body are both empty")
        return self

    @property
    def key(self) -> tuple[str, str]:
        """The text itself: texts have no versions."""
        return self.text_kind, self.id


Fact = ValueFact | EventFact | TextFact
FACT_KINDS: dict[str, type[ValueFact] | type[EventFact] | type[TextFact]] = {
    "value": ValueFact,
    "event": EventFact,
    "text": TextFact,
}


@dataclass(frozen=True, slots=True)
class FactView:
    """What was known of one symbol at one moment; immutable, so that it may go to another process.

    `values` holds the newest version of the latest period of each metric, `events` the newest version of
    each, `texts` the latest ones, newest first.
    """

    values: tuple[ValueFact, ...] = ()
    events: tuple[EventFact, ...] = ()
    texts: tuple[TextFact, ...] = ()


class FactSource(Protocol):
    """Where facts come from. An implementation never waits long: it is asked on the event thread."""

    def view(self, vt_symbol: str, at: datetime) -> FactView:
        """What was known of the symbol at `at`; DataError where it cannot be read."""
        ...


class NoFacts:
    """No facts at all: simulations without a file of facts."""

    def view(self, vt_symbol: str, at: datetime) -> FactView:
        """Nothing."""
        return FactView()


NO_FACTS = NoFacts()


def latest_events(facts: Iterable[EventFact], at: datetime) -> tuple[EventFact, ...]:
    """Of each event and day the newest version known at `at`, in order of their days."""
    best: dict[tuple[str, str], EventFact] = {}
    for fact in facts:
        known = best.get(fact.key)
        if fact.available_at <= at and (known is None or _rank(fact) > _rank(known)):
            best[fact.key] = fact
    return tuple(sorted(best.values(), key=lambda fact: (fact.on, fact.event)))


def _rank(fact: Fact) -> tuple[datetime, str, str]:
    return fact.available_at, fact.source, fact.id
