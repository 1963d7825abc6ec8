"""What models used today, by the journal: every use, of failed decisions too, stands in a Decision."""

from datetime import date

from vnpy_aiagent.domain import MARKET_TZ, Decision, EquityMark
from vnpy_aiagent.llm.budget import DayUse
from vnpy_aiagent.store.reader import JournalReader


def spent_on(journal: JournalReader, day: date) -> DayUse:
    """The use of a market day. Decisions are big, so only those since the last close before it are read."""
    closes = journal.read(kinds=(EquityMark.kind,))
    after = max((entry.seq for entry in closes if entry.at[:10] < day.isoformat()), default=0)
    spent = DayUse(day)
    for entry in journal.read(kinds=(Decision.kind,), after=after):
        decision = Decision.model_validate_json(entry.body)
        if decision.at.astimezone(MARKET_TZ).date() == day:
            spent = spent.add(day, decision.usage)
    return spent
