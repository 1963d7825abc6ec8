"""The automatic pool in a running engine: chosen off the event thread, taken over on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING

from vnpy.event import Event
from vnpy.trader.database import get_database

from vnpy_aiagent.data.active_pool import Quotes, Ranking, known_names, last_complete_day, most_active
from vnpy_aiagent.data.live_bars import LiveBars
from vnpy_aiagent.data.quote_http import fetcher
from vnpy_aiagent.data.quote_pool import SourcePool
from vnpy_aiagent.data.quote_sources import SOURCES
from vnpy_aiagent.data.vnpy_database import release
from vnpy_aiagent.domain import PoolChosen, PoolPick, ScheduleFired, Severity, say
from vnpy_aiagent.errors import AiAgentError
from vnpy_aiagent.wiring import backfill

if TYPE_CHECKING:
    from vnpy_aiagent.engine import AiAgentEngine

EVENT_AI_POOL = "eAiPool"
TIMEOUT = 10.0  # seconds for one request; the whole market is several
TURNOVER_UNIT = 100_000_000  # CNY
NAMED = 5  # symbols named in one line of the log
Then = Callable[[ScheduleFired], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the thread brings back: the ranking, or the reason why there is none."""

    fired: ScheduleFired
    then: Then
    ranking: Ranking | None = None
    names: Mapping[str, str] | None = None
    why: str = ""


class PoolRefresher:
    """Refreshes the pool when the plan is due, then lets the plan go on. Failing, the old one stays."""

    def __init__(
        self, engine: "AiAgentEngine", folder: Path, size: int, quotes: Quotes | None = None
    ) -> None:
        """`folder` holds the kept names. `quotes` None: the free snapshot services."""
        self._engine, self._folder, self._size = engine, folder, size
        self._quotes = quotes or SourcePool(tuple(SOURCES.values()), fetcher(Flag(), TIMEOUT))
        engine.bus.subscribe(EVENT_AI_POOL, self.on_outcome)

    def refresh(self, fired: ScheduleFired, then: Then) -> None:
        """Begin; `then` is called on the event thread when it is over, whatever came of it."""
        held = self._held()

        def work() -> None:
            self._engine.event_engine.put(Event(EVENT_AI_POOL, self._find(fired, then, held)))

        Thread(target=work, name="aiagent-pool", daemon=True).start()

    def on_outcome(self, outcome: Outcome) -> None:
        """Take the new pool over, on the event thread; held symbols stay."""
        if outcome.ranking is None or outcome.names is None:
            sentence = say("自动股票池没有更新：{why}", why=outcome.why)
            self._engine.bus.alert(Severity.WARNING, sentence, cause=outcome.fired.id)
        else:
            self._take(outcome.ranking, outcome.names, outcome)
        outcome.then(outcome.fired)

    def _take(self, ranking: Ranking, names: Mapping[str, str], outcome: Outcome) -> None:
        bus = self._engine.bus
        fixed = self._engine.parts.settings.universe
        picks = tuple(PoolPick(vt_symbol=a.vt_symbol, name=a.name, turnover=a.turnover) for a in ranking.top)
        picked = tuple(pick.vt_symbol for pick in picks)
        held = tuple(sorted(self._held() - set(picked) - set(fixed)))
        self._engine.adopt_pool((*picked, *held), names)
        bus.post(
            PoolChosen,
            cause=outcome.fired.id,
            day=ranking.day,
            source=ranking.source,
            candidates=ranking.candidates,
            picks=picks,
            held=held,
        )
        best = [f"{p.vt_symbol} {p.name} {p.turnover / TURNOVER_UNIT:.1f}" for p in picks[:NAMED]]
        bus.say_log(
            say(
                "自动股票池：{day} 成交额最大的 {count} 只（{best}… 亿元），另有持仓 {held} 只保留",
                day=ranking.day,
                count=len(picks),
                best="、".join(best),
                held=len(held),
            ),
            Severity.INFO,
        )

    def _find(self, fired: ScheduleFired, then: Then, held: frozenset[str]) -> Outcome:
        """Rank, and see to the history of what is new. Runs in a thread of its own; never raises."""
        parts = self._engine.parts
        try:
            names = known_names(self._folder)
            day = last_complete_day(parts.calendar, parts.clock.now())
            ranking = most_active(names, self._quotes, day, self._size)
            symbols = tuple(dict.fromkeys((*(a.vt_symbol for a in ranking.top), *sorted(held))))
            self._see_to_bars(symbols)
        except (AiAgentError, OSError) as error:
            return Outcome(fired, then, why=str(error))
        except Exception as error:  # noqa: BLE001 - a driver's own errors too; the plan must go on
            return Outcome(fired, then, why=f"{type(error).__name__}: {error}")
        return Outcome(fired, then, ranking, names)

    def _see_to_bars(self, symbols: tuple[str, ...]) -> None:
        """Load the bars of the pool to be, and download what has none."""
        parts = self._engine.parts
        bars = parts.bars
        if not isinstance(bars, LiveBars):
            return
        before, parts.universe.pool = parts.universe.pool, symbols
        try:
            bars.refresh()
            backfill(parts, bars, self._engine.bus.alert).run(symbols)
        except BaseException:
            parts.universe.pool = before
            raise
        finally:
            release(get_database())

    def _held(self) -> frozenset[str]:
        books = self._engine.house.portfolio.books.values()
        return frozenset(symbol for book in books for symbol in book.positions)
