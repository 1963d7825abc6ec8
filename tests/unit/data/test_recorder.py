"""The recorder: what it keeps, what it drops and says so, what a crash leaves, and the folder made of it."""

import gzip
import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import pytest
from vnpy.trader.constant import Exchange
from vnpy.trader.object import TickData

from vnpy_aiagent.data import load_folder
from vnpy_aiagent.data.facts import TextFact, ValueFact
from vnpy_aiagent.data.facts_file import read_facts
from vnpy_aiagent.data.recorded import lines_of, recordings, summary, write_folder
from vnpy_aiagent.data.recorder import Recorder, members
from vnpy_aiagent.domain import BarInterval, Severity, Text
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock
from vnpy_aiagent.errors import DataError

DAY = date(2025, 11, 3)
OPEN = datetime.combine(DAY, time(9, 30), MARKET_TZ)
SYMBOL = "600519.SSE"


def tick(at: datetime, price: float, volume: float, symbol: str = "600519") -> TickData:
    made = TickData(
        symbol=symbol, exchange=Exchange.SSE, datetime=at, name="x", volume=volume, turnover=volume * price,
        last_price=price, limit_up=110.0, limit_down=90.0, open_price=100.0, high_price=max(100.0, price),
        low_price=min(100.0, price), pre_close=100.0, gateway_name="QUOTE",
    )  # fmt: skip
    for level in range(1, 6):
        setattr(made, f"bid_price_{level}", round(price - level / 100, 2))
        setattr(made, f"ask_price_{level}", round(price + level / 100, 2))
        setattr(made, f"bid_volume_{level}", 100 * level)
        setattr(made, f"ask_volume_{level}", 200 * level)
    return made


class Desk:
    """A recorder without its thread: `write` does what the thread does."""

    def __init__(self, folder: Path, **options: float) -> None:
        self.clock = VirtualClock(OPEN)
        self.told: list[tuple[Severity, Text]] = []
        self.recorder = Recorder(
            folder, self.clock, lambda severity, text: self.told.append((severity, text)), **options
        )  # type: ignore[arg-type]
        self.path = folder / f"{DAY}.jsonl.gz"

    def see(self, made: TickData, lag: float = 0.25) -> None:
        self.clock.set(max(self.clock.now(), made.datetime + timedelta(seconds=lag)))
        self.recorder.on_tick(made)

    def write(self) -> None:
        self.recorder._try_writing()

    def lines(self, kind: str) -> list[list[object]]:
        return [line for line in lines_of(self.path) if line[0] == kind]


def session(step: int = 60) -> Iterator[TickData]:
    """Ticks of a day, every `step` seconds, the price rising by a fen each, 100 shares more each."""
    count = 0
    for begin, end in ((time(9, 30), time(11, 30)), (time(13), time(15))):
        at = datetime.combine(DAY, begin, MARKET_TZ)
        while at <= datetime.combine(DAY, end, MARKET_TZ):
            count += 1
            yield tick(at, 100 + count / 100, 100 * count)
            at += timedelta(seconds=step)


def test_a_tick_comes_back_with_its_five_levels(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.see(tick(OPEN, 100.5, 1_000))
    desk.write()
    assert desk.lines("start") == [["start", 1, (OPEN + timedelta(seconds=0.25)).isoformat()]]
    assert desk.lines("day") == [["day", SYMBOL, 100, 100, 110, 90]]
    (line,) = desk.lines("tick")
    assert line[:10] == ["tick", SYMBOL, 34_200_000, 250, 100.5, 1000, 100500, 0, 100.5, 100]
    assert line[10:14] == [100.49, 100, 100.48, 200]
    assert line[20:22] == [100.51, 200]
    assert len(line) == 30


def test_what_a_gateway_leaves_out_of_a_tick_is_none(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    made = tick(OPEN, 100.5, 1_000)
    made.limit_up = made.open_interest = None  # type: ignore[assignment]
    desk.see(made)
    desk.write()
    assert desk.lines("day") == [["day", SYMBOL, 100, 100, None, 90]]
    assert desk.lines("tick")[0][4:8] == [100.5, 1000, 100500, None]


def test_a_tick_that_nothing_can_be_made_of_is_counted_and_recording_goes_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    made = tick(OPEN, 100.5, 1_000)
    made.last_price = "a price"  # type: ignore[assignment]
    desk.see(made)
    made = tick(OPEN, 100.5, 1_000)
    made.bid_price_1 = []  # type: ignore[assignment]
    desk.see(made)
    desk.write()
    assert desk.recorder.dropped == 2
    assert [severity for severity, _ in desk.told] == [Severity.WARNING]
    desk.see(tick(OPEN + timedelta(minutes=1), 100.6, 1_100))
    desk.write()
    assert len(desk.lines("tick")) == 1
    assert ["lost", 2, "disk"] in desk.lines("lost")


def test_an_old_file_that_somebody_holds_open_is_told_and_recording_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "2020-01-02.jsonl.gz").write_bytes(b"")

    def held(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError("another program has it open")

    monkeypatch.setattr(Path, "unlink", held)
    desk = Desk(tmp_path)
    desk.see(tick(OPEN, 100.5, 1_000))
    desk.write()
    assert len(desk.lines("tick")) == 1
    assert ["another program" in str(text) for _, text in desk.told] == [True]
    assert desk.recorder.dropped == 0


def test_facts_and_texts_are_kept_as_they_were_fetched(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    facts = [
        ValueFact(
            vt_symbol=SYMBOL, source="x", available_at=OPEN, metric="roe", period=date(2025, 9, 30),
            value=Decimal("0.2460"), unit="ratio",
        ),
        TextFact(vt_symbol=SYMBOL, source="x", available_at=OPEN, text_kind="news", title="标题"),
    ]  # fmt: skip
    desk.recorder.note_facts(facts)
    desk.write()
    kept = [line[2] for line in desk.lines("fact")]
    assert [ValueFact.model_validate(kept[0]), TextFact.model_validate(kept[1])] == facts


def test_a_full_queue_drops_counts_and_says_so_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, queue=100)
    for _ in range(2):
        for n in range(150):
            desk.see(tick(OPEN + timedelta(seconds=n), 100, n))
        desk.write()
    assert desk.recorder.dropped == 100
    assert desk.lines("lost") == [["lost", 50, "queue"]] * 2
    assert len(desk.lines("tick")) == 200
    assert [severity for severity, _ in desk.told] == [Severity.WARNING]


def test_the_days_size_is_bounded_and_facts_go_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path, megabytes_per_day=0.001)
    for round_ in range(3):
        for n in range(200):
            desk.see(tick(OPEN + timedelta(seconds=200 * round_ + n), 100 + n / 7, n * 13))
        desk.write()
    kept = len(desk.lines("tick"))
    assert kept == 200
    assert desk.recorder.dropped == 400
    assert [line[1:] for line in desk.lines("lost")] == [[200, "size"], [200, "size"]]
    assert len(desk.told) == 1
    text = TextFact(vt_symbol=SYMBOL, source="x", available_at=OPEN, text_kind="news", title="标题")
    desk.recorder.note_facts([text])
    desk.write()
    assert len(desk.lines("fact")) == 1


def test_old_files_go(tmp_path: Path) -> None:
    for name in ("2025-10-03.jsonl.gz", "2025-10-04.jsonl.gz", "notes.txt"):
        (tmp_path / name).write_bytes(gzip.compress(b""))
    desk = Desk(tmp_path, days=30)
    desk.see(tick(OPEN, 100, 1))
    desk.write()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "2025-10-04.jsonl.gz",
        "2025-11-03.jsonl.gz",
        "notes.txt",
    ]


def test_a_cut_off_end_costs_the_last_seconds_and_the_next_run_goes_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for n in range(3):
        desk.see(tick(OPEN + timedelta(seconds=n), 100 + n, n))
        desk.write()
    whole = desk.path.read_bytes()
    desk.path.write_bytes(whole[:-7])
    assert summary(desk.path).damaged
    assert summary(desk.path).ticks == 2
    later = Desk(tmp_path)
    later.see(tick(OPEN + timedelta(minutes=1), 105, 9))
    later.write()
    found = summary(later.path)
    assert (found.ticks, found.damaged) == (3, False)
    assert [line[0] for line in lines_of(later.path)].count("start") == 2


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_wherever_the_file_ends_whole_parts_are_read(tmp_path: Path, cut: int) -> None:
    desk = Desk(tmp_path)
    for n in range(4):
        desk.see(tick(OPEN + timedelta(seconds=n), 100 + n, n))
        desk.write()
    desk.path.write_bytes(desk.path.read_bytes()[:-cut])
    assert len(desk.lines("tick")) == 3


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "2025-11-03.jsonl.gz"
    path.write_bytes(b"plain words")
    with pytest.raises(DataError, match="cannot be read"):
        list(lines_of(path))
    path.write_bytes(gzip.compress(b"no json\n"))
    with pytest.raises(DataError, match="cannot be read"):
        list(lines_of(path))


def test_a_disk_that_refuses_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x", encoding="utf-8")
    desk = Desk(blocked)
    desk.see(tick(OPEN, 100, 1))
    desk.write()
    assert [severity for severity, _ in desk.told] == [Severity.WARNING]
    desk.see(tick(OPEN, 100, 1))
    desk.write()
    assert len(desk.told) == 1
    assert desk.recorder.dropped >= 1


def test_a_recorded_session_becomes_a_folder_that_simulations_load(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "recorded")
    ticks = list(session())
    for made in ticks:
        desk.see(made)
    text = TextFact(vt_symbol=SYMBOL, source="x", available_at=OPEN, text_kind="news", title="标题")
    desk.recorder.note_facts([text, text])
    desk.write()
    written = write_folder(recordings(tmp_path / "recorded"), tmp_path / "out")
    assert written == {"daily": 1, "hourly": 4, "facts": 1}
    market = load_folder(tmp_path / "out", frequency=BarInterval.HOUR)
    daily = market.bars(SYMBOL, BarInterval.DAILY)
    last = ticks[-1]
    assert (daily.open[0], daily.close[0], daily.volume[0]) == (100.0, last.last_price, last.volume)
    hourly = market.bars(SYMBOL, BarInterval.HOUR)
    assert hourly.volume.sum() == last.volume
    assert hourly.open[0] == ticks[0].last_price
    assert hourly.close[-1] == last.last_price
    read = read_facts(tmp_path / "out" / "facts.jsonl", OPEN + timedelta(days=1))
    assert [fact for _, fact in read.facts] == [text]


def test_days_and_hours_that_were_not_seen_whole_give_no_bars(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "recorded")
    for made in session():
        if not time(10) <= made.datetime.time() <= time(10, 45) and made.datetime.time() < time(14, 50):
            desk.see(made)
    desk.write()
    with pytest.raises(DataError, match="no whole day"):
        write_folder(recordings(tmp_path / "recorded"), tmp_path / "out")


def test_the_thread_writes_what_waits_before_it_ends(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    recorder = Recorder(tmp_path, desk.clock, lambda *_: None, every=600)
    recorder.start()
    recorder.on_tick(tick(OPEN, 100, 1))
    recorder.stop()
    assert summary(desk.path).ticks == 1


def test_members_end_where_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    first, second = gzip.compress(b"a\n"), gzip.compress(b"b\n")
    path.write_bytes(first + second)
    assert list(members(path)) == [(len(first), b"a\n"), (len(first) + len(second), b"b\n")]


def test_a_late_tick_of_yesterday_is_no_close_of_today(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "recorded")
    yesterday = tick(OPEN - timedelta(days=1) + timedelta(hours=5, minutes=30), 101, 50)
    desk.recorder.on_tick(yesterday)
    desk.write()
    with pytest.raises(DataError, match="no whole day"):
        write_folder(recordings(tmp_path / "recorded"), tmp_path / "out")


def test_lines_are_plain_json(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    odd = tick(OPEN, 100, 1)
    odd.open_interest = float("nan")
    desk.see(odd)
    desk.write()
    text = b"".join(content for _, content in members(desk.path)).decode()
    assert all(json.loads(line, parse_constant=pytest.fail) for line in text.splitlines())


def test_the_event_thread_only_appends(tmp_path: Path) -> None:
    """No file is touched by on_tick; its cost is printed, not judged."""
    desk = Desk(tmp_path, queue=10_000)
    made = tick(OPEN, 100, 1)
    began = perf_counter()
    for _ in range(10_000):
        desk.recorder.on_tick(made)
    print(f"{(perf_counter() - began) / 10_000 * 1e6:.2f} us a tick")
    assert not desk.path.exists()
