"""Facts beside bars: reported values, events and texts, each with its source and when it became known.

Every fact belongs to one subject, which is a column of the fact and is never read out of a text: a symbol,
the whole A-share market (`A.MARKET`) or a Shenwan level-1 industry (`801780.SWS`). Names of values and
events come from the closed lists below, so that no free words pass through them.
"""

import re
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, ClassVar, Literal, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

MARKET_SUBJECT = "A.MARKET"
"""The whole A-share market: Shanghai, Shenzhen and Beijing together."""

INDUSTRY_SUBJECT = re.compile(r"\d{6}\.SWS")
"""A level-1 industry by the index code that Shenwan Hongyuan publishes for it."""

SYMBOL_METRICS: dict[str, str] = {
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
    "institution_count": "count",
    "northbound_ratio": "ratio",
    "main_net_inflow": "CNY",
    "super_large_net_inflow": "CNY",
    "short_balance": "CNY",
    "sw_industry": "code",
    "goodwill_to_equity": "ratio",
}

MARKET_METRICS: dict[str, str] = {
    "advancers": "count",
    "decliners": "count",
    "limit_up_count": "count",
    "limit_down_count": "count",
    "market_turnover": "CNY",
    "market_margin_balance": "CNY",
    "northbound_turnover": "CNY",
    "qvix_50": "percent",
    "qvix_300": "percent",
    "lpr_1y": "ratio",
    "lpr_5y": "ratio",
    "shibor_overnight": "ratio",
    "reserve_requirement_ratio": "ratio",
}

INDUSTRY_METRICS: dict[str, str] = {
    "industry_pe": "times",
    "industry_pb": "times",
    "industry_return_5d": "ratio",
    "industry_return_20d": "ratio",
    "industry_roe": "ratio",
    "industry_debt_to_assets": "ratio",
}

METRICS: dict[str, str] = {**SYMBOL_METRICS, **MARKET_METRICS, **INDUSTRY_METRICS}
"""Names of values and the one unit of each; a ratio of 0.12 is 12 %, a percent of 18 is a QVIX of 18.

`sw_industry` is the number of the symbol's industry subject: 801780 for 801780.SWS.
"""

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
    "earnings_preview": "",
    "shareholder_meeting": "",
    "earnings_date": "",
}
"""Kinds of events and the unit of their figure, empty where they have none."""

TextKind = Literal["news", "filing", "policy", "social"]
TEXT_KINDS: tuple[TextKind, ...] = ("news", "filing", "policy", "social")
DATASETS = frozenset({*METRICS, *EVENTS, *TEXT_KINDS, "northbound_net_inflow"})
"""What may be said to be absent: a value, an event, texts of a kind, and what is published no more."""

AbsenceReason = Literal["discontinued", "failed", "no_data", "not_published", "no_source"]
ABSENCE_REASONS: dict[AbsenceReason, str] = {
    "discontinued": "it is published no more",
    "failed": "every source of it failed",
    "no_data": "the sources hold none",
    "not_published": "it is not published for this subject",
    "no_source": "no source of it is set up",
}
"""Why a dataset is absent, in the words that a model reads."""

MAX_TITLE, MAX_BODY = 300, 8_000
LARGEST = Decimal("1e18")
"""No figure of any unit here is as large: all deposits of China are 3e14 CNY."""
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
        _check_figure(self.value)
        if self.metric not in metrics_of(self.vt_symbol):
            raise ValueError(f"{self.metric} is no value of {self.vt_symbol}; see docs/facts.md for subjects")
        if self.metric == "sw_industry" and not _is_code(self.value):
            raise ValueError("sw_industry is no whole number of six digits")
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
        _check_figure(self.value)
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


class Absence(_Fact):
    """A dataset that its sources do not give from the day `since` on. It ends with a later value of it."""

    kind: ClassVar[str] = "absence"

    dataset: str
    since: date
    reason: AbsenceReason

    @field_validator("dataset")
    @classmethod
    def _known(cls, dataset: str) -> str:
        if dataset not in DATASETS:
            raise ValueError("is no value, event or kind of text; see docs/facts.md")
        return dataset

    @property
    def key(self) -> tuple[str, str]:
        """The dataset and the day from which on it is absent."""
        return self.dataset, self.since.isoformat()


Fact = ValueFact | EventFact | TextFact | Absence
FACT_KINDS: dict[str, type[ValueFact] | type[EventFact] | type[TextFact] | type[Absence]] = {
    "value": ValueFact,
    "event": EventFact,
    "text": TextFact,
    "absence": Absence,
}


@dataclass(frozen=True, slots=True)
class TextCount:
    """How many texts of a kind and source there were on a subject of late, and when the newest came."""

    vt_symbol: str
    text_kind: TextKind
    source: Source
    count: int
    newest: AwareDatetime


@dataclass(frozen=True, slots=True)
class FactView:
    """What was known of one symbol at one moment; immutable, so that it may go to another process.

    `values` holds the newest version of the latest period of each metric, `events` the newest version of
    each, `texts` the latest ones, newest first. `market` and `industry` are values of the whole market and
    of the symbol's industry, `absences` what is known to be missing of all three, `text_counts` how many
    texts there were on each.
    """

    values: tuple[ValueFact, ...] = ()
    events: tuple[EventFact, ...] = ()
    texts: tuple[TextFact, ...] = ()
    market: tuple[ValueFact, ...] = ()
    industry: tuple[ValueFact, ...] = ()
    absences: tuple[Absence, ...] = ()
    text_counts: tuple[TextCount, ...] = ()


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


def metrics_of(subject: str) -> dict[str, str]:
    """The values that a subject may have, with their units."""
    if subject == MARKET_SUBJECT:
        return MARKET_METRICS
    return INDUSTRY_METRICS if INDUSTRY_SUBJECT.fullmatch(subject) else SYMBOL_METRICS


def industry_of(values: Iterable[ValueFact]) -> str | None:
    """The subject of the symbol's industry; None where its values do not name it."""
    code = next((fact.value for fact in values if fact.metric == "sw_industry"), None)
    return None if code is None else f"{int(code)}.SWS"


def open_absences(absences: Iterable[Absence], known: Iterable[Fact], at: datetime) -> tuple[Absence, ...]:
    """Of each dataset the newest absence known at `at` that no later fact of `known` ended, by name."""
    newest: dict[str, datetime] = {}
    for fact in known:
        name = fact.key[0]
        newest[name] = max(newest.get(name, fact.available_at), fact.available_at)
    best: dict[str, Absence] = {}
    for absence in absences:
        before = best.get(absence.dataset)
        if absence.available_at <= at and (before is None or _rank(absence) > _rank(before)):
            best[absence.dataset] = absence
    return tuple(
        best[name] for name in sorted(best) if name not in newest or best[name].available_at >= newest[name]
    )


def latest_events(facts: Iterable[EventFact], at: datetime) -> tuple[EventFact, ...]:
    """Of each event and day the newest version known at `at`, in order of their days."""
    best: dict[tuple[str, str], EventFact] = {}
    for fact in facts:
        known = best.get(fact.key)
        if fact.available_at <= at and (known is None or _rank(fact) > _rank(known)):
            best[fact.key] = fact
    return tuple(sorted(best.values(), key=lambda fact: (fact.on, fact.event)))


def _check_figure(value: Decimal) -> None:
    """Raise ValueError where no source can mean such a number."""
    if not value.is_finite():
        raise ValueError("value is not finite")
    if value.copy_abs().compare(LARGEST) >= 0:
        raise ValueError("value is too large to be true; check its unit")


def _is_code(value: Decimal) -> bool:
    return value == value.to_integral_value() and 100_000 <= value <= 999_999


def _rank(fact: Fact) -> tuple[datetime, str, str]:
    return fact.available_at, fact.source, fact.id
