"""One poll from request to fresh quotes, and what is worth telling a human about it."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vnpy_aiagent.data.quote_filter import QuoteFilter, Session, Verdict
from vnpy_aiagent.data.quote_pool import Polled, SourcePool
from vnpy_aiagent.data.quote_sources import SOURCES, Answer, Quote

NAMED = 5  # symbols named in one line of the log


@dataclass(frozen=True, slots=True)
class Line:
    """One line for the log, with a level of `logging`."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a poll brought: quotes to publish, names by vt_symbol (unpublished ones' too), lines to log."""

    fresh: tuple[Quote, ...]
    names: Mapping[str, str]
    lines: tuple[Line, ...]


_TROUBLE = {
    Verdict.STALE: "行情过期：{symbols} 的行情时间久未更新，不发布旧价；请检查网络、行情源和本机时间",
    Verdict.AHEAD: "行情时间超前：{symbols} 的行情时间晚于本机时钟，不予发布；请校准本机时间",
    Verdict.BACKWARDS: "行情时间倒退：{symbols} 的行情早于已发布的行情，已丢弃",
    Verdict.UNTRADED: "停牌或尚无成交：{symbols}，不发布行情",
}
_UNKNOWN = "行情源不认识 {symbols}；请检查代码"
_BAD = "行情数据不可用：{symbols}"
_RECOVERED = "行情恢复：{symbols}"


@dataclass(slots=True)
class QuoteFeed:
    """Polls and judges. A trouble is told when it begins, and when it ends: never at every try between."""

    pool: SourcePool
    filter: QuoteFilter
    active: str = ""
    lost: bool = False
    _failing: set[str] = field(default_factory=set)
    _told: dict[str, frozenset[str]] = field(default_factory=dict)

    def poll(self, vt_symbols: Sequence[str], session: Session) -> Report:
        """Ask once for all symbols."""

        def doubt(answer: Answer) -> str:
            stale = self.filter.all_stale(answer.quotes.values(), session)
            return "全部行情都已过期" if stale else ""

        polled = self.pool.poll(vt_symbols, doubt)
        lines = self._source_lines(polled)
        if polled.answer is None:
            return Report((), {}, tuple(lines))
        found = self.filter.sort(polled.answer.quotes.values(), session)
        lines += self._symbol_lines(polled.answer, found, session)
        names = {symbol: quote.name for symbol, quote in polled.answer.quotes.items()}
        return Report(tuple(found[Verdict.FRESH]), names, tuple(lines))

    def _source_lines(self, polled: Polled) -> list[Line]:
        """Failures, and the change from one source to another or to none."""
        lines = [
            Line(logging.WARNING, f"{label}行情失败：{reason}")
            for label, reason in polled.failures
            if label not in self._failing
        ]
        self._failing.update(label for label, _ in polled.failures)
        if polled.answer is not None:
            self.lost = False
            self._failing.discard(SOURCES[polled.answer.source].label)
            if self.active != polled.answer.source:
                self.active = polled.answer.source
                lines.append(Line(logging.INFO, f"行情来源：{SOURCES[self.active].label}"))
        elif polled.failures and not self.lost:
            self.lost = True
            pause = self.pool.seconds_blocked()
            lines.append(Line(logging.ERROR, f"没有可用的行情源，{pause:.0f}秒后重试；请检查网络"))
            self.active = ""
        return lines

    def _symbol_lines(
        self, answer: Answer, found: dict[Verdict, list[Quote]], session: Session
    ) -> list[Line]:
        lines: list[Line] = []
        for verdict, text in _TROUBLE.items():
            if verdict is Verdict.UNTRADED and session.continuous_since is None:
                continue
            begun, ended = self._changes(verdict, {quote.vt_symbol for quote in found[verdict]})
            level = logging.INFO if verdict is Verdict.UNTRADED else logging.WARNING
            lines += _line(level, text, begun)
            if verdict is Verdict.STALE:
                lines += _line(logging.INFO, _RECOVERED, ended & {q.vt_symbol for q in found[Verdict.FRESH]})
        begun, _ = self._changes("unknown", answer.unknown)
        lines += _line(logging.WARNING, _UNKNOWN, begun)
        begun, _ = self._changes("bad", answer.bad)
        lines += _line(logging.WARNING, _BAD, {f"{symbol}（{answer.bad[symbol]}）" for symbol in begun})
        return lines

    def _changes(self, topic: str, symbols: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Symbols that entered a trouble, and that left it, since the last poll."""
        now = frozenset(symbols)
        before = self._told.get(topic, frozenset())
        self._told[topic] = now
        return now - before, before - now


def _line(level: int, text: str, symbols: Iterable[str]) -> list[Line]:
    """One line for some symbols, none for none."""
    names = sorted(symbols)
    if not names:
        return []
    more = f" 等{len(names)}只" if len(names) > NAMED else ""
    return [Line(level, text.format(symbols="、".join(names[:NAMED]) + more))]
