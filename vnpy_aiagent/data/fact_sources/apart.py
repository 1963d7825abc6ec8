"""A collection in a process of its own: fetching, reading and storing; here come reports and what is new."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from vnpy_aiagent.config import Settings
from vnpy_aiagent.data.fact_sources.build import build_fetcher, build_providers
from vnpy_aiagent.data.fact_sources.catalogue import FAMILIES
from vnpy_aiagent.data.fact_sources.collect import FamilyReport, OnFacts, collect
from vnpy_aiagent.data.fact_sources.dataset import Arguments, Call, Dataset
from vnpy_aiagent.data.fact_sources.providers import Provider, Rows
from vnpy_aiagent.data.facts import Fact
from vnpy_aiagent.data.facts_store import FILE_NAME
from vnpy_aiagent.data.sources.apart import FetchEnded, FetchLost, FetchProcess, Tell
from vnpy_aiagent.domain.clock import Clock

SILENCE = 420.0
"""Seconds without a request after which a collection counts as hung: a request waits 120 s for its turn and
180 s for its table."""
IDLE = 5.0
MOST_LOST = 3
MakeProviders = Callable[[Settings], Mapping[str, Provider]]


@dataclass(frozen=True, slots=True)
class Collection:
    """What is to be collected. lost: families whose fetching ended the process, and is not tried again."""

    settings: Settings
    folder: Path
    clock: Clock
    symbols: tuple[str, ...]
    lost: tuple[str, ...] = ()
    providers: MakeProviders = build_providers


class ApartCollector:
    """Collects in another process. A family that ends or hangs it is told as absent, the others come."""

    def __init__(self, process: FetchProcess, stopped: Event, on_facts: OnFacts) -> None:
        """`stopped`: the program ends. `on_facts` gets what is new, in the thread of `collect`."""
        self._process, self._stopped, self._on_facts = process, stopped, on_facts
        self._family = ""

    def collect(self, wanted: Collection) -> tuple[FamilyReport, ...]:
        """One collection; nothing where the program ends meanwhile. DataError where the store fails."""
        while True:
            self._family = ""
            try:
                reports: tuple[FamilyReport, ...] = self._process.call(work, wanted, self._heard)
            except FetchEnded:
                return ()
            except FetchLost as error:
                family = self._family
                if not family or family in wanted.lost or len(wanted.lost) >= MOST_LOST:
                    return self._give_up(wanted, str(error))
                wanted = replace(wanted, lost=(*wanted.lost, family))
                continue
            return reports

    def _heard(self, told: str | tuple[Fact, ...] | None) -> None:
        if isinstance(told, str):
            self._family = told
        elif told is not None:
            self._on_facts(told)

    def _give_up(self, wanted: Collection, why: str) -> tuple[FamilyReport, ...]:
        """Absences of all families from the present one on; written here, where nothing is fetched."""
        names = [family.name for family in FAMILIES]
        left = FAMILIES[names.index(self._family) :] if self._family in names else FAMILIES
        fetcher = build_fetcher(wanted.settings, wanted.folder, wanted.clock, self._stopped, {})
        return collect(
            fetcher,
            wanted.folder / FILE_NAME,
            wanted.symbols,
            wanted.clock,
            families=left,
            on_facts=self._on_facts,
            lost={family.name: why for family in left},
        )


def work(wanted: Collection, tell: Tell) -> tuple[FamilyReport, ...]:
    """The job. It tells each family's name, what is new, and each request."""
    providers = {name: _Told(each, tell) for name, each in wanted.providers(wanted.settings).items()}
    fetcher = build_fetcher(wanted.settings, wanted.folder, wanted.clock, Event(), providers)

    def on_facts(facts: Sequence[Fact]) -> None:
        tell(tuple(facts))

    return collect(
        fetcher,
        wanted.folder / FILE_NAME,
        wanted.symbols,
        wanted.clock,
        progress=lambda done, total, name: tell(name),
        on_facts=on_facts,
        lost=dict.fromkeys(wanted.lost, "the process that fetches data ended"),
    )


class _Told:
    """A provider whose requests are told, so that a long collection is not taken for a hung one."""

    def __init__(self, provider: Provider, tell: Tell) -> None:
        self._provider, self._tell = provider, tell

    @property
    def is_set_up(self) -> bool:
        """As of the provider."""
        return self._provider.is_set_up

    def table(self, dataset: Dataset, call: Call, arguments: Arguments) -> Rows:
        """As of the provider."""
        self._tell(None)
        return self._provider.table(dataset, call, arguments)
