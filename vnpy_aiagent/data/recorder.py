"""What a paper or live run saw: ticks, bars in use, facts and texts, one append-only file a day.

A file is a row of gzip members, each whole in itself: JSON, one array a line. A member is written every few
seconds, so a crash loses the last seconds and no more. Lines:

    ["start", version, time]                             a run began to write
    ["day", symbol, open, pre_close, up, down]           before a symbol's first tick, and when they change
    ["tick", symbol, at, lag, last, volume, turnover, interest, high, low, [bid, volume]*5, [ask, volume]*5]
    ["bar", symbol, day, open, high, low, close, volume, turnover]    a daily bar that decisions could see
    ["fact", kind, {…}]                                  as it was fetched
    ["lost", count, reason]                              ticks dropped since the line before

`at` is the tick's own time in ms of the file's day, `lag` ms from then to its arrival. Prices in CNY, volumes
in shares (futures: lots). The event thread appends to a queue and no more; a thread of its own writes.
"""

import gzip
import json
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from math import isfinite
from operator import attrgetter
from pathlib import Path
from threading import Event, Thread
from typing import Any, Protocol

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.facts import Fact
from vnpy_aiagent.domain.clock import MARKET_TZ, Clock
from vnpy_aiagent.domain.enums import Severity
from vnpy_aiagent.domain.text import Text, say

FOLDER = "recorded"
SUFFIX = ".jsonl.gz"
VERSION = 1
EVERY = 5.0
"""Seconds between two writes."""
BATCH = 2_000
SLICE, PAUSE = 4, 5e-5
"""So many lines are made before the writing thread lets others on, in seconds: the event thread, which waits
for Python's lock, would else wait for milliseconds (5 by default) each time."""
LEVEL = 6  # of gzip
LEVELS = range(1, 6)
MEGABYTE = 1_000_000
CHUNK = 1 << 20
JOIN = 10.0
Tell = Callable[[Severity, Text], None]
_FIGURES = attrgetter(
    "last_price",
    "volume",
    "turnover",
    "open_interest",
    "high_price",
    "low_price",
    *(
        f"{side}_{what}_{level}"
        for side in ("bid", "ask")
        for level in LEVELS
        for what in ("price", "volume")
    ),
)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Tick(Protocol):
    """What is read of vnpy's TickData."""

    vt_symbol: str
    datetime: datetime


class Recorder:
    """Records between `start` and `stop`. `on_tick` belongs on the event thread; the others in any thread."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        tell: Tell,
        *,
        megabytes_per_day: float = 200,
        days: int = 30,
        queue: int = 100_000,
        every: float = EVERY,
    ) -> None:
        """`folder` gets one file a day. `tell` hears once a day of what is dropped, in the writing thread."""
        self.folder = folder
        self._refused = 0  # by the event thread alone
        self._unwritten = 0  # by the writing thread alone
        self._told = {"queue": 0, "disk": 0}
        self._unkept = 0
        self._clock, self._tell = clock, tell
        self._limit = megabytes_per_day * MEGABYTE
        self._days, self._queue, self._every = days, queue, every
        self._waiting: deque[tuple[Any, ...]] = deque()
        self._whole: set[Path] = set()
        self._stopped = Event()
        self._said: set[tuple[date, str]] = set()
        self._day: date | None = None
        self._frames: dict[str, tuple[Any, ...]] = {}
        self._bars: set[tuple[str, date]] = set()
        self._thread = Thread(target=self._run, name="aiagent-recorder", daemon=True)

    @property
    def dropped(self) -> int:
        """Ticks that were not recorded: the queue or the day's file was full, or the disk refused."""
        return self._refused + self._unwritten + self._unkept

    def start(self) -> None:
        """Begin. The file is made by the first line."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(JOIN)

    def on_tick(self, tick: Tick) -> None:
        """Keep a tick; where the queue is full it is dropped and counted."""
        if len(self._waiting) >= self._queue:
            self._refused += 1
            return
        self._waiting.append(("tick", self._clock.now(), tick))

    def note_facts(self, facts: Sequence[Fact]) -> None:
        """Keep facts as they were fetched."""
        now = self._clock.now()
        self._waiting.extend(("fact", now, fact) for fact in facts)

    def note_bars(self, series: Iterable[BarSeries]) -> None:
        """Keep the last daily bar of each symbol that decisions see, once."""
        now = self._clock.now()
        for bars in series:
            if len(bars):
                self._waiting.append(("bar", now, bars))

    # the writing thread

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            self._try_writing()
        self._try_writing()

    def _try_writing(self) -> None:
        try:
            while self._write():
                pass
        except Exception as error:  # noqa: BLE001 - a thread's error would be seen by nobody
            self._say("disk", say("行情记录写不进去，这段时间没有记录：{error}", error=error))

    def _write(self) -> bool:
        """One batch of one day; whether more waits. A batch that cannot be written is lost, and counted."""
        batch: list[tuple[Any, ...]] = []
        while self._waiting and len(batch) < BATCH:
            if batch and self._waiting[0][1].date() != batch[0][1].date():
                break
            batch.append(self._waiting.popleft())
        lost = {"queue": self._refused - self._told["queue"], "disk": self._unwritten - self._told["disk"]}
        if not batch and not any(lost.values()):
            return False
        at = batch[0][1] if batch else self._clock.now()
        try:
            lines = self._begin(at) + self._lines(batch, at.date())
            lines += [["lost", count, reason] for reason, count in lost.items() if count]
            if lost["queue"]:
                self._say("queue", say("行情来得太快，记录丢弃了 {count} 笔", count=lost["queue"]))
            self._append(self._path(at.date()), lines)
        except Exception:
            self._unwritten += sum(kind == "tick" for kind, _, _ in batch)
            self._day = None
            raise
        for reason, count in lost.items():
            self._told[reason] += count
        return bool(self._waiting)

    def _begin(self, at: datetime) -> list[list[Any]]:
        """At the first line of a run or day: a header; old files go."""
        if self._day == at.date():
            return []
        self._day = at.date()
        self._frames.clear()
        self._bars.clear()
        self._remove_old(self._day)
        return [["start", VERSION, at.isoformat()]]

    def _lines(self, batch: list[tuple[Any, ...]], day: date) -> list[list[Any]]:
        full = self._is_full(day)
        lines: list[list[Any]] = []
        unkept = 0
        for number, (kind, at, item) in enumerate(batch):
            if number % SLICE == 0:
                time.sleep(PAUSE)
            if kind == "tick":
                if full:
                    unkept += 1
                else:
                    lines += self._tick(item, at)
            elif kind == "bar":
                lines += self._bar(item)
            else:
                lines.append(["fact", item.kind, item.model_dump(mode="json")])
        if unkept:
            self._unkept += unkept
            lines.append(["lost", unkept, "size"])
            self._say(
                "size",
                say("今天的行情记录已达 {megabytes} MB 的上限，其后的行情不再记录",
                    megabytes=f"{self._limit / MEGABYTE:g}"),
            )  # fmt: skip
        return lines

    def _tick(self, tick: Any, received: datetime) -> list[list[Any]]:
        lines: list[list[Any]] = []
        frame = (tick.open_price, tick.pre_close, tick.limit_up, tick.limit_down)
        if self._frames.get(tick.vt_symbol) != frame:
            self._frames[tick.vt_symbol] = frame
            lines.append(["day", tick.vt_symbol, *map(_plain, frame)])
        own = tick.datetime if tick.datetime.tzinfo else tick.datetime.replace(tzinfo=MARKET_TZ)
        midnight = datetime.combine(received.date(), datetime.min.time(), MARKET_TZ)
        at = (own - midnight) // timedelta(milliseconds=1)
        lag = (received - own) // timedelta(milliseconds=1)
        lines.append(["tick", tick.vt_symbol, at, lag, *map(_plain, _FIGURES(tick))])
        return lines

    def _bar(self, bars: BarSeries) -> list[list[Any]]:
        last = len(bars) - 1
        day = bars.day_of(last)
        if (bars.vt_symbol, day) in self._bars:
            return []
        self._bars.add((bars.vt_symbol, day))
        columns = (bars.open, bars.high, bars.low, bars.close, bars.volume, bars.turnover)
        return [["bar", bars.vt_symbol, day.isoformat(), *(_plain(float(each[last])) for each in columns)]]

    def _append(self, path: Path, lines: list[list[Any]]) -> None:
        if not lines:
            return
        text = "".join(_written(lines))
        path.parent.mkdir(parents=True, exist_ok=True)
        if path not in self._whole:
            self._whole.add(path)
            _cut_off(path)
        with path.open("ab") as file:
            file.write(gzip.compress(text.encode("utf-8", "replace"), LEVEL, mtime=0))

    def _is_full(self, day: date) -> bool:
        path = self._path(day)
        return path.exists() and path.stat().st_size >= self._limit

    def _remove_old(self, today: date) -> None:
        oldest = today - timedelta(days=self._days)
        for path in self.folder.glob(f"*{SUFFIX}"):
            if path.name.removesuffix(SUFFIX) < oldest.isoformat():
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:  # on Windows whoever reads it holds it
                    self._say("old", say("旧的行情记录删不掉，明天再试：{error}", error=error))

    def _path(self, day: date) -> Path:
        return self.folder / f"{day.isoformat()}{SUFFIX}"

    def _say(self, what: str, sentence: Text) -> None:
        """Once a day for each kind of trouble."""
        key = (self._clock.now().date(), what)
        if key not in self._said:
            self._said.add(key)
            self._tell(Severity.WARNING, sentence)


def members(path: Path) -> Iterator[tuple[int, bytes]]:
    """The whole gzip members of a file: where each ends, and what it holds. A begun one is left out.

    OSError where the file cannot be read, ValueError where it is no gzip at all.
    """
    with path.open("rb") as file:
        place, text, unpacker = 0, bytearray(), zlib.decompressobj(wbits=31)
        while block := file.read(CHUNK):
            while block:
                try:
                    text += unpacker.decompress(block)
                except zlib.error as error:
                    if not place:
                        raise ValueError(f"it is no gzip file: {error}") from error
                    return
                place += len(block) - len(unpacker.unused_data)
                block = unpacker.unused_data
                if unpacker.eof:
                    yield place, bytes(text)
                    text, unpacker = bytearray(), zlib.decompressobj(wbits=31)


def _cut_off(path: Path) -> None:
    """Take a half-written member off the end, which a crash left; what follows it could not be read."""
    if not path.exists():
        return
    end = max((end for end, _ in members(path)), default=0)
    if end < path.stat().st_size:
        with path.open("r+b") as file:
            file.truncate(end)


def _written(lines: Iterable[list[Any]]) -> Iterator[str]:
    """Lines of the file, with the same pauses."""
    for number, line in enumerate(lines):
        if number % SLICE == 0:
            time.sleep(PAUSE)
        yield _encode(line) + "\n"


def _plain(value: float | None) -> float | int | None:
    """A number as short as it goes; None for what is none, such as what a gateway leaves out."""
    if value is None:
        return None
    number = float(value)
    if number.is_integer():
        return int(number)
    return number if isfinite(number) else None
