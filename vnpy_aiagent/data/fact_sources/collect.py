"""All families over a universe, one after another: facts and absences into the store, a report for people."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from types import MappingProxyType

from vnpy_aiagent.data.fact_sources.catalogue import BY_NAME, FAMILIES
from vnpy_aiagent.data.fact_sources.dataset import Family, Scope
from vnpy_aiagent.data.fact_sources.fetch import FactFetcher, Outcome
from vnpy_aiagent.data.fact_sources.keep import Keeping, absences, keep
from vnpy_aiagent.data.fact_sources.market import NORTHBOUND_END
from vnpy_aiagent.data.fact_sources.rows import shares_among
from vnpy_aiagent.data.facts import MARKET_SUBJECT, Absence, AbsenceReason, Fact
from vnpy_aiagent.data.sources.absence import AbsenceKind
from vnpy_aiagent.domain.clock import MARKET_TZ, Clock
from vnpy_aiagent.domain.text import Text
from vnpy_aiagent.errors import ConfigError

Progress = Callable[[int, int, str], None]
OnFacts = Callable[[Sequence[Fact]], None]


@dataclass(frozen=True, slots=True)
class FamilyReport:
    """What came of one family. failed: it gave nothing at all; `why` is the last reason of a source."""

    name: str
    new: int
    known: int
    absent: int
    requests: int
    failed: bool
    why: Text | None = None


def chosen(names: Sequence[str]) -> tuple[Family, ...]:
    """Families by name, all where none is named. ConfigError for a name that there is not."""
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise ConfigError(f"no dataset is called {', '.join(unknown)}; there are {', '.join(BY_NAME)}")
    return tuple(BY_NAME[name] for name in dict.fromkeys(names)) or FAMILIES


def collect(
    fetcher: FactFetcher,
    store: Path,
    symbols: Iterable[str],
    clock: Clock,
    *,
    families: Sequence[Family] = FAMILIES,
    progress: Progress = lambda done, total, name: None,
    on_facts: OnFacts = lambda facts: None,
    lost: Mapping[str, str] = MappingProxyType({}),
) -> tuple[FamilyReport, ...]:
    """Fetch and keep. `on_facts` gets what is new, family by family. DataError where the store fails.

    It ends early once the fetcher is stopped; what is stored by then stays. `lost`: names of families that
    are not fetched, and why: they are absent as `failed`.
    """
    shares = shares_among(dict.fromkeys(symbols))
    reports: list[FamilyReport] = []
    shared = _Shared(families)
    found = keep(store, [discontinued()], clock.now())
    on_facts(found.new)
    for done, family in enumerate(families):
        progress(done, len(families), family.name)
        why = lost.get(family.name)
        outcome = fetcher.fetch(family, shares) if why is None else fetcher.lost(family, shares, why)
        if fetcher.stopped:
            break
        shared.hold_back(outcome)
        kept = _store(store, outcome, clock.now())
        on_facts(kept.new)
        reports.append(_report(outcome, kept))
    if not fetcher.stopped:
        whole = len(families) == len(FAMILIES)
        for lacking in (shared.absent(), without_source(shares) if whole else {}):
            told = keep(store, absences(store, lacking, frozenset(), clock.now()), clock.now())
            on_facts(told.new)
    progress(len(families), len(families), "")
    return tuple(reports)


def discontinued() -> Absence:
    """Northbound net inflow: not published since August 2024, and never a zero."""
    return Absence(
        vt_symbol=MARKET_SUBJECT,
        source="exchanges",
        available_at=datetime.combine(NORTHBOUND_END, time(), MARKET_TZ),
        dataset="northbound_net_inflow",
        since=NORTHBOUND_END,
        reason="discontinued",
    )


def without_source(shares: Sequence[str]) -> Mapping[str, Mapping[str, AbsenceReason]]:
    """What no dataset tells of some shares, such as margin balances of the Beijing exchange."""
    own = [family for family in FAMILIES if family.scope in (Scope.SYMBOL, Scope.TABLE)]
    items = dict.fromkeys(item for family in own for item in family.gives)
    lacking: dict[str, dict[str, AbsenceReason]] = {}
    for share in shares:
        covered = {item for family in own if family.datasets[0].covers(share) for item in family.gives}
        missing: dict[str, AbsenceReason] = {item: "no_source" for item in items if item not in covered}
        if missing:
            lacking[share] = missing
    return lacking


def _store(store: Path, outcome: Outcome, seen: datetime) -> Keeping:
    told = absences(store, outcome.absent, outcome.family.optional, seen)
    return keep(store, [*outcome.facts, *told], seen)


class _Shared:
    """Absences of what several families give, such as policy texts: told only where all of them fail."""

    def __init__(self, families: Sequence[Family]) -> None:
        """`families`: those that are fetched now; of what others give too nothing is told."""
        self._givers = {
            item: sum(item in family.gives for family in FAMILIES if family.scope is Scope.MARKET)
            for each in FAMILIES
            if each.scope is Scope.MARKET
            for item in each.gives
        }
        self._asked = {item: sum(item in family.gives for family in families) for item in self._givers}
        self._held: dict[tuple[str, str], list[AbsenceReason]] = {}

    def hold_back(self, outcome: Outcome) -> None:
        """Take such absences out of an outcome."""
        for subject, items in outcome.absent.items():
            for item in [item for item in items if self._givers.get(item, 0) > 1]:
                self._held.setdefault((subject, item), []).append(items.pop(item))

    def absent(self) -> Mapping[str, Mapping[str, AbsenceReason]]:
        """Those that no family told; a family that has no source does not count as a failure."""
        found: dict[str, dict[str, AbsenceReason]] = {}
        for (subject, item), reasons in self._held.items():
            if len(reasons) == self._asked[item] == self._givers[item]:
                found.setdefault(subject, {})[item] = "failed" if "failed" in reasons else reasons[0]
        return found


def _why(outcome: Outcome) -> Text | None:
    """The last reason; that a source is not set up only where there is no other."""
    told = [a for a in outcome.failures if a.kind is not AbsenceKind.NOT_SET_UP] or outcome.failures
    return told[-1].text if told else None


def _report(outcome: Outcome, kept: Keeping) -> FamilyReport:
    return FamilyReport(
        name=outcome.family.name,
        new=sum(not isinstance(fact, Absence) for fact in kept.new),
        known=kept.known,
        absent=sum(len(items) for items in outcome.absent.values()),
        requests=outcome.requests,
        failed=any(a.kind is not AbsenceKind.NOT_SET_UP for a in outcome.failures) and not outcome.facts,
        why=_why(outcome),
    )
