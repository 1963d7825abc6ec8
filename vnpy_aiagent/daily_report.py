"""The report of the day in paper and live running: written into the app's folder after the daily review."""

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from threading import Thread

from vnpy_aiagent.agents.bus import Bus
from vnpy_aiagent.data.live_bars import LiveBars
from vnpy_aiagent.domain import Period, Review, Severity, say
from vnpy_aiagent.errors import AiAgentError
from vnpy_aiagent.i18n import Language
from vnpy_aiagent.report import Prices, write_report

FOLDER = "reports"
PATIENCE = 10.0  # seconds that closing waits for a report under way


class DailyReports:
    """After each day's review: `reports/2025-10-30/report.html` and its companions, off the event thread."""

    def __init__(
        self,
        bus: Bus,
        journal: str,
        bars: LiveBars,
        folder: Path,
        flush: Callable[[], bool],
        language: Language,
    ) -> None:
        """`flush` waits until what was posted is in the journal, which is all that a report is made from."""
        self._bus = bus
        self._journal = journal
        self._bars = bars
        self._folder = folder
        self._flush = flush
        self._language = language
        self._thread: Thread | None = None
        self._began = time.monotonic()

    def on_review(self, review: Review) -> None:
        """A review was posted; the longer periods have no report of their own."""
        if review.period is not Period.DAY:
            return
        target = self._folder / FOLDER / review.end.isoformat()
        self._thread = Thread(
            target=self._write, args=(target, review.end, review.id), name="aiagent-report", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Wait a little for a report under way."""
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _facts(self, day: date) -> dict[str, object]:
        """Where the bars came from; a universe without any says so by their count."""
        data = self._bars.data
        bars = sum(len(series) for series in data.series.values())
        start, end = data.span() if bars else (day, day)
        return {
            "source": data.source,
            "symbols": len(data.symbols),
            "bars": bars,
            "start": start.isoformat(),
            "end": end.isoformat(),
        }

    def _prices(self, day: date) -> Prices | None:
        """Closes for the baselines; None for a universe without bars."""
        data = self._bars.data
        return Prices.of(data, data.span()[0], day) if any(map(len, data.series.values())) else None

    def _write(self, target: Path, day: date, cause: str) -> None:
        try:
            if not self._flush():
                sentence = say("日志尚未全部写入磁盘，{day} 的日报可能不完整", day=day.isoformat())
                self._bus.alert(Severity.WARNING, sentence, cause=cause)
            write_report(
                self._journal,
                target,
                wall_seconds=round(time.monotonic() - self._began, 3),
                data=self._facts(day),
                language=self._language,
                prices=self._prices(day),
            )
        except Exception as error:  # noqa: BLE001 - a thread's error would be seen by nobody
            known = isinstance(error, (AiAgentError, OSError, ValueError))
            why = str(error) if known else f"{type(error).__name__}: {error}"
            sentence = say("日报未能写成：{why}", why=why)
            self._bus.alert(Severity.WARNING, sentence, cause=cause)
            return
        self._bus.say_log(say("日报已写入 {path}", path=target / "report.html"), Severity.INFO)
