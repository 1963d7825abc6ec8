"""What a decision saw comes back out of the journal as it was, though bars and texts are kept only once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decision_world import NOW, SYMBOL, account, lesson, position, request, rising, snapshot
from fact_world import full

from vnpy_aiagent.agents.bus import Bus
from vnpy_aiagent.agents.snapshot_keeper import LONGEST_CHAIN, SnapshotKeeper
from vnpy_aiagent.brain.kept import KeptDecision, decision_entry, read_kept
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.facts import FactView, TextFact, ValueFact
from vnpy_aiagent.domain import (
    AnalysisRequest,
    BarInterval,
    Decision,
    IdFactory,
    Lesson,
    Mode,
    RunStarted,
    SnapshotKept,
    Style,
    TokenUsage,
    VirtualClock,
)
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.store.journal import Journal, JournalReader
from vnpy_aiagent.store.writer import InlineWriter
from vnpy_aiagent.tools.snapshot import DecisionSnapshot
from vnpy_aiagent.tools.snapshot_codec import (
    COLUMNS,
    continues,
    dump_rows,
    dump_view,
    load_rows,
    load_snapshot,
    resolve,
)

MIND = {
    "brain": BrainSettings().model_dump(mode="json"),
    "deep": LlmSettings().model_dump(mode="json", include={"max_tokens", "temperature", "seed"}),
    "quick": None,
}


class Desk:
    """A journal, a bus on it, and a keeper."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.db"
        self.writer = InlineWriter(Journal.open(self.path, sync="OFF"))
        self.events = DeterministicEventEngine()
        self.clock = VirtualClock(NOW)
        self.bus = Bus(self.events, self.writer, IdFactory("r1"), self.clock, lambda *_: None)
        self.keeper = SnapshotKeeper(self.bus)

    def start(self, mind: dict[str, Any] | None) -> None:
        fields: dict[str, Any] = dict.fromkeys(("version", "model", "data", "settings"), "x")
        self.bus.post(RunStarted, cause=None, run="r1", mode=Mode.PAPER, is_llm=False, mind=mind, **fields)

    def decide(self, seen: DecisionSnapshot) -> tuple[str, SnapshotKept]:
        """Keep a snapshot between its request and its decision; the decision's id."""
        asked: AnalysisRequest = self.bus.adopt(request())
        kept = self.keeper.keep(asked, seen)
        made = self.bus.post(
            Decision,
            cause=asked.id,
            request_id=asked.id,
            symbol=SYMBOL,
            model="m",
            is_llm=False,
            evidence=(),
            findings=(),
            debate=(),
            lessons=(),
            prompt_hash="",
            usage=TokenUsage(),
        )
        return made.id, kept

    def read(self, decision: str) -> KeptDecision:
        self.writer.flush()
        with JournalReader.open(self.path) as reader:
            return read_kept(reader, decision_entry(reader, decision))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.writer.close()


def series(count: int, *, first: int = 0, scale: float = 1.0) -> BarSeries:
    """Bars `first` to `count` - 1 of one history, with gaps in volume and turnover."""
    rows = [
        (date(2024, 1, 2) + timedelta(days=i), c, c * 1.01, c * 0.99, c, nan if i % 7 == 3 else 1e6 + i / 3)
        for i, c in enumerate(price * scale / 3 for price in rising(count))
    ]
    made = BarSeries.from_rows(SYMBOL, BarInterval.DAILY, rows, volume_required=False)
    return made.slice(first, count)


def same(one: DecisionSnapshot, other: DecisionSnapshot) -> bool:
    """Field by field, bars by their bytes."""
    bars = one.bars.keys() == other.bars.keys() and all(
        getattr(one.bars[interval], name).tobytes() == getattr(other.bars[interval], name).tobytes()
        for interval in one.bars
        for name in COLUMNS
    )
    return bars and replace(one, bars={}) == replace(other, bars={})


def test_a_snapshot_comes_back_as_it_was(desk: Desk) -> None:
    desk.start(MIND)
    learnt = desk.bus.adopt(lesson())
    assert isinstance(learnt, Lesson)
    seen = snapshot(
        bars={BarInterval.DAILY: series(80)},
        accounts=(account(Style.JUDGE, position()), account(Style.AGGRESSIVE)),
        lessons=(learnt,),
        session=date(2024, 5, 6),
        extra={"a": "b"},
        language="en",
    )
    decision, _ = desk.decide(seen)
    found = desk.read(decision)
    assert same(found.snapshot, seen)
    assert found.brain == BrainSettings()
    assert found.llm.max_tokens == LlmSettings().max_tokens


def test_bars_are_kept_once_and_every_window_comes_back(desk: Desk) -> None:
    desk.start(MIND)
    seen, ids, kept = [], [], []
    for last in range(60, 60 + LONGEST_CHAIN + 10):
        seen.append(snapshot(bars={BarInterval.DAILY: series(last, first=last - 50)}))
        decision, message = desk.decide(seen[-1])
        ids.append(decision)
        kept.append(message.series[0])
    whole = [number for number, part in enumerate(kept) if part.after is None]
    assert whole == [0, LONGEST_CHAIN + 1]
    assert all(len(part.rows) < 300 for number, part in enumerate(kept) if number not in whole)
    assert all(same(desk.read(name).snapshot, was) for name, was in zip(ids, seen, strict=True))


def test_an_adjusted_history_is_kept_anew(desk: Desk) -> None:
    desk.start(MIND)
    seen = [series(60), series(60), series(61, scale=0.5), series(40)]
    made = [desk.decide(snapshot(bars={BarInterval.DAILY: bars})) for bars in seen]
    assert [message.series[0].after is None for _, message in made] == [True, False, True, True]
    for (decision, _), bars in zip(made, seen, strict=True):
        assert same(desk.read(decision).snapshot, snapshot(bars={BarInterval.DAILY: bars}))


def test_a_text_is_kept_once_as_long_as_decisions_see_it(desk: Desk) -> None:
    desk.start(MIND)
    text = TextFact(
        vt_symbol=SYMBOL, source="wire", available_at=NOW, text_kind="news", title="传闻", body="利好" * 500
    )
    value = ValueFact(
        vt_symbol=SYMBOL,
        source="wire",
        available_at=NOW,
        metric="pe_ttm",
        period=date(2024, 3, 31),
        value=Decimal("11.5"),
        unit="times",
    )
    views = [
        FactView((value,), (), (text,)),
        FactView((value,), (), (text,)),
        FactView(),
        FactView(texts=(text,)),
    ]
    made = [desk.decide(snapshot(facts=view)) for view in views]
    sizes = [message.model_dump_json().count("利好") for _, message in made]
    assert sizes == [500, 0, 0, 500]
    for (decision, _), view in zip(made, views, strict=True):
        assert desk.read(decision).snapshot.facts == view


def test_facts_of_the_market_are_kept_once_for_all_symbols(desk: Desk) -> None:
    desk.start(MIND)
    seen = full(lessons=())
    other = replace(seen, facts=replace(seen.facts, values=seen.facts.values[:3]))
    changed = replace(seen, facts=replace(seen.facts, market=seen.facts.market[1:]))
    made = [desk.decide(view) for view in (seen, other, changed, seen)]
    sizes = [message.model_dump_json().count("limit_up_count") for _, message in made]
    assert sizes == [1, 0, 1, 0]
    for (decision, _), view in zip(made, (seen, other, changed, seen), strict=True):
        assert same(desk.read(decision).snapshot, view)


def test_a_view_of_an_older_version_is_read(desk: Desk) -> None:
    view = dump_view(snapshot())
    for name in ("book", "indices"):
        del view[name]
    view["facts"] = {name: view["facts"][name] for name in ("values", "events", "texts")}
    read = load_snapshot(resolve(view, lambda *_: None), dict(snapshot().bars), ())
    assert same(read, snapshot())


def test_a_journal_of_an_older_version_is_told(desk: Desk) -> None:
    desk.start(None)
    decision, _ = desk.decide(snapshot())
    with pytest.raises(DataError, match="does not say by which settings"):
        desk.read(decision)
    with pytest.raises(DataError, match="holds no decision r1-0000099"):
        desk.read("r1-0000099")


@pytest.mark.parametrize(
    ("mind", "sentence"),
    [({"brain": {"colour": 1}, "deep": {}, "quick": None}, "not those of this version")],
)
def test_settings_of_another_version_are_told(desk: Desk, mind: dict[str, Any], sentence: str) -> None:
    desk.start(mind)
    decision, _ = desk.decide(snapshot())
    with pytest.raises(DataError, match=sentence):
        desk.read(decision)


def test_a_lesson_that_was_never_journaled_is_told(desk: Desk) -> None:
    desk.start(MIND)
    decision, _ = desk.decide(snapshot(lessons=(lesson(),)))
    with pytest.raises(DataError, match="lesson l1 is not in the journal"):
        desk.read(decision)


@pytest.mark.parametrize(
    "rows", ["", "[]", "[[1],[2]]", '{"a": 1}', "[[1],[2],[3],[4],[5],[6],[7],[8],['x']]"]
)
def test_rows_that_are_none_are_told(rows: str) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        load_rows(SYMBOL, BarInterval.DAILY, [rows])


def test_bars_out_of_order_are_told() -> None:
    rows = dump_rows(series(5))
    with pytest.raises(DataError, match="not in order"):
        load_rows(SYMBOL, BarInterval.DAILY, [rows, rows])


def test_numbers_keep_their_last_bit() -> None:
    bars = series(30)
    back = load_rows(SYMBOL, BarInterval.DAILY, [dump_rows(bars.slice(0, 13)), dump_rows(bars.slice(13, 30))])
    assert all(
        np.array_equal(getattr(back, n), getattr(bars, n), equal_nan=n not in COLUMNS[:2]) for n in COLUMNS
    )


def test_what_continues_a_series_is_counted_and_what_does_not_is_none() -> None:
    assert continues(series(50), series(53, first=3)) == 3
    assert continues(series(50), series(50)) == 0
    assert continues(series(50), series(50, first=40)) == 0
    assert continues(series(50, first=10), series(53)) is None, "it reaches back further"
    assert continues(series(50), series(60, first=55)) is None, "there is a gap"
    assert continues(series(50), series(49)) is None
    assert continues(series(50), series(0)) is None
    assert continues(series(0), series(50)) is None
