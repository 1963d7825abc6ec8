"""A fetcher over fake providers, at one moment, without waiting."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

from vnpy_aiagent.data.fact_sources.catalogue import FAMILIES
from vnpy_aiagent.data.fact_sources.dataset import Dataset, Family, Scope
from vnpy_aiagent.data.fact_sources.fetch import FactFetcher
from vnpy_aiagent.data.fact_sources.providers import AkshareProvider, Provider
from vnpy_aiagent.data.sources.cache import AnswerCache
from vnpy_aiagent.data.sources.health import HealthBoard
from vnpy_aiagent.data.sources.limits import RateLimits
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock
from vnpy_aiagent.market import default_calendar

NOW = datetime(2025, 11, 3, 17, 45, tzinfo=MARKET_TZ)
MOUTAI, BANK = "600519.SSE", "000001.SZSE"
SHARES = (MOUTAI, BANK)


def clock(at: datetime = NOW) -> VirtualClock:
    """A clock that stands at a moment."""
    return VirtualClock(at)


def fetcher(
    client: Any = None,
    *,
    at: VirtualClock | None = None,
    cache: Path | None = None,
    providers: dict[str, Provider] | None = None,
    stopped: Event | None = None,
) -> FactFetcher:
    """A fetcher over akshare's stand-in, or over given providers."""
    own = at or clock()
    found = providers if providers is not None else {"akshare": AkshareProvider(client)}
    return FactFetcher(
        found,
        own,
        default_calendar(),
        board=HealthBoard(own, lambda: 0.0),
        limits=RateLimits({}, lambda: 0.0, lambda _: None),
        monotonic=lambda: 0.0,
        cache=AnswerCache(cache) if cache is not None else None,
        stopped=stopped,
    )


def alone(dataset: Dataset) -> Family:
    """A family of one dataset."""
    return Family(dataset.name, (dataset,))


def datasets(provider: str) -> list[Dataset]:
    """All datasets of a provider."""
    found = {d.name: d for family in FAMILIES for d in family.datasets if d.provider == provider}
    return list(found.values())


def told(facts: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Facts as short rows: subject, what, day, value, when known."""
    return sorted(
        (
            fact.vt_symbol,
            *fact.key[:1],
            str(getattr(fact, "period", getattr(fact, "on", fact.available_at.date()))),
            None if getattr(fact, "value", None) is None else f"{fact.value:f}",
            f"{fact.available_at:%m-%d %H:%M}",
        )
        for fact in facts
    )


def units_of(dataset: Dataset) -> tuple[str, ...]:
    """Whom a dataset is asked about in these tests."""
    return SHARES if dataset.scope in (Scope.SYMBOL, Scope.TABLE) else ()
