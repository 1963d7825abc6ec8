"""Facts held ready: the very views that the file gives at any moment, and what is added is seen in time."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from threading import Event

import pytest

from vnpy_aiagent.data.facts import (
    ABSENCE_REASONS,
    EVENTS,
    MARKET_SUBJECT,
    METRICS,
    TEXT_KINDS,
    Absence,
    EventFact,
    Fact,
    FactView,
    TextCount,
    TextFact,
    TextKind,
    ValueFact,
    industry_of,
    latest_events,
    metrics_of,
    open_absences,
)
from vnpy_aiagent.data.facts_held import AHEAD, MOST, TRUSTED, HeldFacts
from vnpy_aiagent.data.facts_store import FILE_NAME, FactReader, store_facts
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock
from vnpy_aiagent.errors import DataError

SYMBOL, OTHER, INDUSTRY = "600519.SSE", "600036.SSE", "801120.SWS"
NOW = datetime(2025, 5, 6, 23, 58, tzinfo=MARKET_TZ)
DAYS = 3


class Steady:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Counting(FactReader):
    """A reader that counts how often the file is read for an answer."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, DAYS)
        self.reads = 0

    def view(self, vt_symbol: str, at: datetime) -> FactView:
        self.reads += 1
        return super().view(vt_symbol, at)


class Desk:
    """Held facts over a file, on clocks that stand still."""

    def __init__(self, folder: Path, *symbols: str, at: datetime = NOW) -> None:
        self.path = folder / FILE_NAME
        self.reader, self.clock, self.steady = Counting(self.path), VirtualClock(at), Steady()
        self.symbols = symbols
        self.held = HeldFacts(self.reader, self.clock, lambda: self.symbols, self.steady)

    def add(self, *facts: Fact) -> None:
        store_facts(self.path, list(enumerate(facts)))

    def is_held(self, symbol: str = SYMBOL) -> bool:
        """Whether the answer comes without a look at the file; and it is the file's."""
        before = self.reader.reads
        view = self.held.view(symbol, self.clock.now())
        ready = self.reader.reads == before
        assert repr(view) == repr(self.reader.view(symbol, self.clock.now()))
        return ready


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, SYMBOL)
    yield made
    made.held.close()


def news(body: str, known: datetime, subject: str = SYMBOL) -> TextFact:
    return TextFact(vt_symbol=subject, source="wire", available_at=known, text_kind="news", body=body)


def random_fact(chance: Random) -> Fact:
    """A fact that becomes known within some days around NOW, many at the same moments and days."""
    known = NOW + timedelta(seconds=chance.choice((1, 60, 3_600)) * chance.randint(-90, 90))
    subject = chance.choice((SYMBOL, OTHER, INDUSTRY, MARKET_SUBJECT))
    source = chance.choice(("filing", "wire", "eastmoney"))
    day = known.date() - timedelta(days=chance.randint(0, 3))
    base = {"vt_symbol": subject, "source": source, "available_at": known}
    kind = chance.choice(("value", "value", "event", "text", "absence"))
    if kind == "value":
        metric = chance.choice(list(metrics_of(subject))[:4])
        if subject in (SYMBOL, OTHER) and chance.random() < 0.2:
            metric = "sw_industry"
        amount = Decimal(801120 if metric == "sw_industry" else chance.randint(-9, 9))
        return ValueFact(**base, metric=metric, period=day, value=amount, unit=METRICS[metric])  # type: ignore[arg-type]
    if kind == "event":
        event = chance.choice(list(EVENTS)[:4])
        on = NOW.date() + timedelta(days=chance.randint(-33, 5))
        return EventFact(**base, event=event, on=on)  # type: ignore[arg-type]
    if kind == "text":
        return TextFact(**base, text_kind=chance.choice(TEXT_KINDS), body=str(chance.random()))  # type: ignore[arg-type]
    return Absence(
        **base,  # type: ignore[arg-type]
        dataset=chance.choice(list(metrics_of(subject))[:4]),
        since=day,
        reason=chance.choice(list(ABSENCE_REASONS)),
    )


def by_the_book(facts: list[Fact], symbol: str, at: datetime) -> FactView:
    """What docs/facts.md says that a decision sees, from a plain list."""
    known = [fact for fact in facts if fact.available_at <= at]

    def values(subject: str) -> tuple[ValueFact, ...]:
        found = []
        for metric in metrics_of(subject):
            own = [f for f in known if isinstance(f, ValueFact) and f.vt_symbol == subject]
            own = [f for f in own if f.metric == metric]
            found += sorted(own, key=lambda f: (f.period, f.available_at, f.source))[-1:]
        return tuple(found)

    def recent(subject: str) -> list[TextFact]:
        since = at - timedelta(days=DAYS)
        own = [f for f in known if isinstance(f, TextFact) and f.vt_symbol == subject]
        return sorted((f for f in own if f.available_at >= since), key=lambda f: f.id)

    def counts(subject: str) -> list[TextCount]:
        groups: dict[tuple[TextKind, str], list[datetime]] = {}
        for fact in recent(subject):
            groups.setdefault((fact.text_kind, fact.source), []).append(fact.available_at)
        return [TextCount(subject, *pair, len(groups[pair]), max(groups[pair])) for pair in sorted(groups)]

    own = values(symbol)
    industry = industry_of(own)
    subjects = (symbol, *((industry,) if industry else ()), MARKET_SUBJECT)
    first = at.date() - timedelta(days=30)
    events = latest_events(
        (f for f in known if isinstance(f, EventFact) and f.vt_symbol == symbol and f.on >= first), at
    )
    texts = sorted(recent(symbol), key=lambda f: f.available_at, reverse=True)[:20]
    market, of_industry = values(MARKET_SUBJECT), values(industry) if industry else ()
    told = [f for f in known if isinstance(f, Absence) and f.vt_symbol in subjects]
    return FactView(
        values=own,
        events=events,
        texts=tuple(texts),
        market=market,
        industry=of_industry,
        absences=open_absences(told, (*own, *market, *of_industry, *events, *texts), at),
        text_counts=tuple(count for subject in subjects for count in counts(subject)),
    )


@pytest.mark.parametrize("seed", range(4))
def test_at_any_moment_the_view_is_that_of_the_file_and_of_the_rules(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    start = NOW - timedelta(days=1, hours=chance.randint(0, 20))
    desk = Desk(tmp_path, SYMBOL, OTHER, at=start)
    facts: list[Fact] = []
    ready = 0
    for _ in range(60):
        if not facts or chance.random() < 0.1:
            batch = [random_fact(chance) for _ in range(40)]
            refused = {line for line, _ in store_facts(desk.path, list(enumerate(batch))).refused}
            facts = list(dict.fromkeys((*facts, *(f for n, f in enumerate(batch) if n not in refused))))
            desk.held.refresh()
        edges = [f.available_at + chance.choice((timedelta(), -timedelta.resolution)) for f in facts]
        edges += [f.available_at + timedelta(days=DAYS) for f in facts if isinstance(f, TextFact)]
        later = [edge for edge in edges if edge >= desk.clock.now()]
        desk.clock.set(chance.choice((*sorted(later)[:3], desk.clock.now() + timedelta(seconds=20))))
        for symbol in (SYMBOL, OTHER):
            ready += desk.is_held(symbol)
            at = chance.choice((desk.clock.now(), *edges))
            assert repr(desk.held.view(symbol, at)) == repr(desk.reader.view(symbol, at))
            assert desk.held.view(symbol, at) == by_the_book(facts, symbol, at)
        if chance.random() < 0.5:
            desk.held.refresh()
    desk.held.close()
    assert ready


def test_a_prepared_view_needs_no_look_at_the_file(desk: Desk) -> None:
    desk.add(news("x", NOW - timedelta(hours=1)))
    assert not desk.is_held()
    desk.held.refresh()
    assert desk.is_held()


def test_what_another_process_adds_is_seen_at_the_next_look(desk: Desk) -> None:
    desk.add(news("x", NOW - timedelta(hours=1)))
    desk.held.refresh()
    desk.add(news("y", NOW - timedelta(minutes=1)))
    desk.held.refresh()
    assert desk.is_held()
    assert len(desk.held.view(SYMBOL, NOW).texts) == 2


def test_without_a_look_for_a_while_nothing_prepared_is_used(desk: Desk) -> None:
    desk.add(news("x", NOW - timedelta(hours=1)))
    desk.held.refresh()
    desk.add(news("y", NOW - timedelta(minutes=1)))
    desk.steady.seconds += TRUSTED
    assert len(desk.held.view(SYMBOL, NOW).texts) == 1
    desk.steady.seconds += 0.1
    assert len(desk.held.view(SYMBOL, NOW).texts) == 2


def test_a_look_that_finds_no_change_confirms_what_is_held(desk: Desk) -> None:
    desk.add(news("x", NOW - timedelta(hours=1)))
    for _ in range(3):
        desk.held.refresh()
        desk.steady.seconds += TRUSTED
    assert desk.is_held()


def test_the_view_after_midnight_is_ready_before_midnight(desk: Desk) -> None:
    old = EventFact(
        vt_symbol=SYMBOL, source="x", available_at=NOW - timedelta(days=40), event="suspension",
        on=NOW.date() - timedelta(days=30),
    )  # fmt: skip
    desk.add(old)
    midnight = datetime(2025, 5, 7, tzinfo=MARKET_TZ)
    desk.clock.set(midnight - AHEAD)
    desk.held.refresh()
    assert desk.held.view(SYMBOL, desk.clock.now()).events == (old,)
    desk.clock.set(midnight)
    assert desk.is_held()
    assert desk.held.view(SYMBOL, midnight).events == ()


def test_what_was_asked_for_is_held_too_and_no_more_than_a_bound(desk: Desk) -> None:
    desk.add(news("x", NOW - timedelta(hours=1)))
    assert not desk.is_held(OTHER)
    desk.held.refresh()
    assert desk.is_held(OTHER)
    desk.symbols = tuple(f"{600_000 + number}.SSE" for number in range(MOST))
    desk.held.refresh()
    assert not desk.is_held(SYMBOL)
    assert desk.is_held("600000.SSE")


def test_without_a_file_there_are_no_facts_until_there_is_one(desk: Desk) -> None:
    desk.held.refresh()
    assert desk.held.view(SYMBOL, NOW) == FactView()
    desk.add(news("x", NOW - timedelta(hours=1)))
    desk.held.refresh()
    assert desk.is_held()
    desk.held.close()
    for name in (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"):
        (desk.path.parent / name).unlink(missing_ok=True)
    desk.held.refresh()
    assert desk.held.view(SYMBOL, NOW) == FactView()


def test_that_there_is_no_file_is_known_without_a_look_at_the_disk(desk: Desk) -> None:
    desk.held.refresh()
    assert desk.is_held()
    desk.steady.seconds += TRUSTED + 1
    assert not desk.is_held()


def test_a_file_in_its_place_is_read_anew(desk: Desk, tmp_path: Path) -> None:
    desk.add(news("x", NOW - timedelta(hours=1)))
    desk.held.refresh()
    other = tmp_path / "other.db"
    store_facts(other, [(1, news("y", NOW - timedelta(hours=1)))])
    desk.held.close()
    other.replace(desk.path)
    desk.held.refresh()
    assert [text.body for text in desk.held.view(SYMBOL, NOW).texts] == ["y"]
    assert desk.is_held()


@pytest.mark.parametrize("damaged", [b"no database" * 100, None])
def test_a_damaged_file_holds_nothing_and_the_next_view_says_so(desk: Desk, damaged: bytes | None) -> None:
    if damaged is not None:
        desk.path.write_bytes(damaged)
    else:
        desk.add(news("x", NOW - timedelta(hours=1)))
        desk.held.refresh()
        with closing(sqlite3.connect(desk.path)) as database, database:
            database.execute("UPDATE facts SET content = '{}'")
    desk.held.refresh()
    with pytest.raises(DataError, match="import them again"):
        desk.held.view(SYMBOL, NOW)


def test_the_thread_prepares_and_ends(tmp_path: Path) -> None:
    desk, seen = Desk(tmp_path, SYMBOL), Event()
    desk.add(news("x", NOW - timedelta(hours=1)))

    class Telling(Counting):
        def span(self, vt_symbol: str, at: datetime) -> tuple[FactView, datetime]:
            try:
                return super().span(vt_symbol, at)
            finally:
                seen.set()

    held = HeldFacts(Telling(desk.path), desk.clock, lambda: (SYMBOL,))
    held.start()
    assert seen.wait(60)
    held.stop()
    assert held.view(SYMBOL, NOW).texts
