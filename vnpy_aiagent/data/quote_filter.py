"""Which quotes are new prices of today: an old price is never published as a new one."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from vnpy_aiagent.data.quote_sources import Quote


class Verdict(StrEnum):
    """What a quote is worth.

    FRESH is published. SAME is not newer than what was published; another source may lag a little. UNTRADED
    has no trade today: suspended, or before the first one. STALE is too old for the running session, AHEAD
    dated past the clock, BACKWARDS older than what the same source said before, OLD_DAY of an earlier day.
    """

    FRESH = "FRESH"
    SAME = "SAME"
    UNTRADED = "UNTRADED"
    STALE = "STALE"
    AHEAD = "AHEAD"
    BACKWARDS = "BACKWARDS"
    OLD_DAY = "OLD_DAY"


@dataclass(frozen=True, slots=True)
class Session:
    """The moment of a poll. `continuous_since` is None outside continuous trading."""

    now: datetime
    continuous_since: datetime | None
    today_only: bool = True


@dataclass(slots=True)
class QuoteFilter:
    """Judges quotes against the clock and against what was published. `limit` is the age allowed."""

    limit: timedelta
    _published: dict[str, Quote] = field(default_factory=dict)

    def judge(self, quote: Quote, session: Session) -> Verdict:
        """The verdict on a quote; nothing is remembered."""
        if quote.last <= 0 or quote.volume <= 0:
            return Verdict.UNTRADED
        if quote.at > session.now + self.limit:
            return Verdict.AHEAD
        if self._is_stale(quote, session):
            return Verdict.STALE
        if session.today_only and quote.at.date() != session.now.date():
            return Verdict.OLD_DAY
        before = self._published.get(quote.vt_symbol)
        if before is None or quote.at > before.at:
            return Verdict.FRESH
        went_back = quote.at < before.at and quote.source == before.source
        return Verdict.BACKWARDS if went_back else Verdict.SAME

    def sort(self, quotes: Iterable[Quote], session: Session) -> dict[Verdict, list[Quote]]:
        """Quotes by verdict, remembering the fresh ones as published."""
        found: dict[Verdict, list[Quote]] = {verdict: [] for verdict in Verdict}
        for quote in quotes:
            verdict = self.judge(quote, session)
            found[verdict].append(quote)
            if verdict is Verdict.FRESH:
                self._published[quote.vt_symbol] = quote
        return found

    def all_stale(self, quotes: Iterable[Quote], session: Session) -> bool:
        """Whether symbols were traded, and not one of their quotes is recent: the source itself stands."""
        traded = [quote for quote in quotes if quote.last > 0 and quote.volume > 0]
        return bool(traded) and all(self._is_stale(quote, session) for quote in traded)

    def _is_stale(self, quote: Quote, session: Session) -> bool:
        """Older than allowed, counted from the start of continuous trading at the earliest."""
        if session.continuous_since is None:
            return False
        return session.now - max(quote.at, session.continuous_since) > self.limit
