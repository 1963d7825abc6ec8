"""One family for some subjects: from the cache, or asked within limits; facts, or why there are none."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from threading import Event
from typing import Any

from pydantic import ValidationError

from vnpy_aiagent.data.fact_sources.dataset import (
    CLOSED_BY,
    Arguments,
    Ask,
    Call,
    Dataset,
    Family,
    Found,
    Scope,
)
from vnpy_aiagent.data.fact_sources.industry import INDUSTRIES
from vnpy_aiagent.data.fact_sources.providers import Provider
from vnpy_aiagent.data.fact_sources.rows import BadCell, shares_among
from vnpy_aiagent.data.facts import MARKET_SUBJECT, AbsenceReason, ValueFact
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.cache import AnswerCache, Kept, request_key
from vnpy_aiagent.data.sources.health import HealthBoard
from vnpy_aiagent.data.sources.limits import RateLimits
from vnpy_aiagent.domain.clock import MARKET_TZ, Clock
from vnpy_aiagent.domain.text import say
from vnpy_aiagent.errors import CalendarError
from vnpy_aiagent.market import TradingCalendar

DAILY = timedelta(hours=8)
_HOST_TROUBLE = frozenset({AbsenceKind.UNREACHABLE, AbsenceKind.REFUSED, AbsenceKind.LIMITED})
_NOTHING_THERE = frozenset({AbsenceKind.NO_ROWS, AbsenceKind.NOT_OFFERED})


@dataclass(slots=True)
class Outcome:
    """What came of a family.

    absent: by subject, what there is none of and why. failures: what each source said, by subject asked.
    requests: sent, not taken from the cache.
    """

    family: Family
    facts: list[Found] = field(default_factory=list)
    absent: dict[str, dict[str, AbsenceReason]] = field(default_factory=dict)
    failures: list[SourceAbsence] = field(default_factory=list)
    requests: int = 0


class FactFetcher:
    """Asks providers. It waits for the network: never on the event thread."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        clock: Clock,
        calendar: TradingCalendar,
        *,
        board: HealthBoard,
        limits: RateLimits,
        monotonic: Callable[[], float],
        cache: AnswerCache | None = None,
        cache_days: float = 7,
        stopped: Event | None = None,
    ) -> None:
        """`providers` by the names akshare, tushare, site. `cache_days`: how old a stand-in answer may be."""
        self._providers = providers
        self._clock = clock
        self._calendar = calendar
        self._board = board
        self._limits = limits
        self._monotonic = monotonic
        self._cache = cache
        self._cache_days = cache_days
        self._stopped = stopped or Event()
        self._requests = 0

    @property
    def stopped(self) -> bool:
        """Whether no more is asked."""
        return self._stopped.is_set()

    def fetch(self, family: Family, symbols: Iterable[str]) -> Outcome:
        """Facts of a family about the shares among `symbols`, the market or the industries.

        A dataset is asked for what those before it did not tell.
        """
        self._requests = 0
        outcome = Outcome(family)
        for unit in self._units(family, symbols):
            self._ask_in_turn(unit, outcome)
        outcome.requests = self._requests
        return outcome

    def lost(self, family: Family, symbols: Iterable[str], why: str) -> Outcome:
        """The outcome of a family that could not even be asked: all of it failed."""
        outcome = Outcome(family)
        text = say("取数进程中断了（{problem}）", problem=why)
        for unit in self._units(family, symbols):
            outcome.failures.append(SourceAbsence(family.name, AbsenceKind.UNREACHABLE, text))
            self._note(outcome, unit, dict.fromkeys(sorted(family.gives), "failed"))
        return outcome

    def _ask_in_turn(self, unit: tuple[str, ...], outcome: Outcome) -> None:
        need = set(outcome.family.gives)
        why: dict[str, list[SourceAbsence]] = {item: [] for item in outcome.family.gives}
        said: list[SourceAbsence] = []
        for dataset in outcome.family.datasets:
            wanted = need.intersection(dataset.gives)
            if not wanted:
                continue
            refused = self._answer(dataset, unit, wanted, outcome)
            if refused is None:
                need -= wanted
                continue
            said.append(refused)
            for item in wanted:
                why[item].append(refused)
        if need:
            outcome.failures += said
            self._stand_in(unit, need, outcome)
            self._note(outcome, unit, {item: _reason(why[item]) for item in sorted(need)})

    def _units(self, family: Family, symbols: Iterable[str]) -> list[tuple[str, ...]]:
        """What one question covers: one share, all shares, the market, the industries."""
        if family.scope in (Scope.MARKET, Scope.INDUSTRY):
            return [()]
        shares = tuple(s for s in shares_among(symbols) if family.datasets[0].covers(s))
        if family.scope is Scope.SYMBOL:
            return [(share,) for share in shares]
        return [shares] if shares else []

    def _answer(
        self, dataset: Dataset, unit: tuple[str, ...], wanted: set[str], outcome: Outcome
    ) -> SourceAbsence | None:
        """Take what a dataset tells of the wanted items, and note what it lacks; why it tells nothing."""
        provider = self._providers.get(dataset.provider)
        if provider is None or not provider.is_set_up:
            text = say("{source} 没有设置", source=dataset.provider)
            return SourceAbsence(dataset.source, AbsenceKind.NOT_SET_UP, text)
        parts = [(share,) for share in unit] if dataset.scope is Scope.SYMBOL and unit else [unit]
        refused: dict[tuple[str, ...], SourceAbsence] = {}
        for part in parts:
            try:
                facts = [f for f in self._facts(dataset, part, self._fetched) if _item(f) in wanted]
            except SourceAbsence as absence:
                refused[part] = absence
                continue
            outcome.facts += facts
            held = {(fact.vt_symbol, _item(fact)) for fact in facts}
            for subject in _subjects(outcome.family, part):
                lacking = [item for item in sorted(wanted) if (subject, item) not in held]
                self._note(outcome, (subject,), dict.fromkeys(lacking, "no_data"))
        if len(refused) == len(parts):
            return refused[parts[-1]]
        for part, why in refused.items():
            self._note(outcome, part, dict.fromkeys(sorted(wanted), _reason([why])))
        return None

    def _note(self, outcome: Outcome, unit: tuple[str, ...], items: Mapping[str, AbsenceReason]) -> None:
        for subject in _subjects(outcome.family, unit) if items else ():
            outcome.absent.setdefault(subject, {}).update(items)

    def _stand_in(self, unit: tuple[str, ...], need: set[str], outcome: Outcome) -> None:
        """Facts of an older answer of the last days, known since then, where nobody answers now."""
        for dataset in outcome.family.datasets:
            if not need.intersection(dataset.gives):
                continue
            try:
                facts = self._facts(dataset, unit, self._remembered)
            except SourceAbsence:
                continue  # there is no older answer; the failure itself is told already
            outcome.facts += [fact for fact in facts if _item(fact) in need]
            return

    def _facts(
        self,
        dataset: Dataset,
        unit: tuple[str, ...],
        find: Callable[[Dataset, Call, Arguments], Kept],
    ) -> list[Found]:
        ask = Ask(self._clock.now(), self._calendar, unit)
        tables: list[list[dict[str, Any]]] = []
        seen: list[datetime] = []
        try:
            for call in dataset.calls:
                rows: list[dict[str, Any]] = []
                for arguments in call.arguments(ask):
                    kept = find(dataset, call, arguments)
                    seen.append(kept.fetched_at)
                    extra = {f"@{name}": given for name, given in arguments.items()}
                    rows += [row | extra for row in kept.payload]
                tables.append(rows)
            if not any(tables):
                raise _no_rows(dataset)
            facts = list(dataset.read(tables, replace(ask, fetched_at=max(seen)), dataset))
        except (BadCell, ValidationError, CalendarError, ArithmeticError, LookupError, TypeError) as error:
            text = say(
                "{source} 的数据有误（{problem}）",
                source=dataset.source,
                problem=str(error).split("\n", maxsplit=1)[0],
            )
            raise SourceAbsence(dataset.source, AbsenceKind.BAD_DATA, text) from error
        _refuse_fallow(dataset, facts, ask.now.date())
        return facts

    def _fetched(self, dataset: Dataset, call: Call, arguments: Arguments) -> Kept:
        """A fresh answer of the cache, or a new one."""
        now, key = self._clock.now(), _key(call, arguments)
        kept = self._cache.get(dataset.source, key) if self._cache is not None else None
        if kept is not None and self._is_fresh(kept, dataset, now):
            return kept
        rows = self._table(dataset, call, arguments)
        kept = Kept(dataset.source, key, self._clock.now(), self._clock.now(), dict(call.columns), rows)
        if self._cache is not None:
            self._cache.put(kept)
        return kept

    def _remembered(self, dataset: Dataset, call: Call, arguments: Arguments) -> Kept:
        kept = self._cache.get(dataset.source, _key(call, arguments)) if self._cache is not None else None
        if kept is None or not kept.is_fresh(self._clock.now(), self._cache_days):
            raise _no_rows(dataset)
        return kept

    def _is_fresh(self, kept: Kept, dataset: Dataset, now: datetime) -> bool:
        """Young enough, and not from before today's close where the figures of the day matter."""
        if not kept.is_fresh(now, dataset.fresh / timedelta(days=1)):
            return False
        close = datetime.combine(now.date(), CLOSED_BY, MARKET_TZ)
        return dataset.fresh > DAILY or not kept.fetched_at < close <= now

    def _table(self, dataset: Dataset, call: Call, arguments: Arguments) -> list[dict[str, Any]]:
        if self.stopped:
            raise SourceAbsence(dataset.source, AbsenceKind.THROTTLED, say("程序正在关闭"))
        source = dataset.source
        rest = self._board.admit(source)
        if rest > 0:
            text = say(
                "{source} 连续失败，暂停询问，{seconds} 秒后再试", source=source, seconds=f"{rest:.0f}"
            )
            raise SourceAbsence(source, AbsenceKind.RESTING, text)
        self._limits.take(dataset.provider)
        self._requests += 1
        began = self._monotonic()
        try:
            rows = self._providers[dataset.provider].table(dataset, call, arguments)
        except SourceAbsence as absence:
            if absence.kind in _HOST_TROUBLE:
                self._board.failed(source, absence.text)
            else:
                self._board.answered(source, self._monotonic() - began)
            raise
        self._board.answered(source, self._monotonic() - began)
        return rows


def _subjects(family: Family, unit: tuple[str, ...]) -> tuple[str, ...]:
    if unit:
        return unit
    if family.scope is Scope.INDUSTRY:
        return tuple(f"{code}.SWS" for code in sorted(INDUSTRIES))
    return (MARKET_SUBJECT,)


def _item(fact: Found) -> str:
    return fact.key[0]


def _key(call: Call, arguments: Arguments) -> str:
    return request_key(kind="facts", function=call.function, **arguments)


def _reason(why: list[SourceAbsence]) -> AbsenceReason:
    kinds = {absence.kind for absence in why} - {AbsenceKind.NOT_SET_UP}
    if not kinds:
        return "no_source"
    return "no_data" if kinds <= _NOTHING_THERE else "failed"


def _no_rows(dataset: Dataset) -> SourceAbsence:
    return SourceAbsence(
        dataset.source, AbsenceKind.NO_ROWS, say("{source} 没有 {dataset} 的数据", source=dataset.source,
        dataset=dataset.name),
    )  # fmt: skip


def _refuse_fallow(dataset: Dataset, facts: list[Found], today: date) -> None:
    """A table whose newest row is old has stopped: that is an absence, and the old row stays what it is."""
    days = [fact.period for fact in facts if isinstance(fact, ValueFact)]
    if dataset.fallow is not None and days and today - max(days) > dataset.fallow:
        raise SourceAbsence(
            dataset.source,
            AbsenceKind.NO_ROWS,
            say("{source} 的 {dataset} 最新只到 {day}", source=dataset.source, dataset=dataset.name,
                day=max(days)),
        )  # fmt: skip
