"""What the journal says was used today: every decision of the day, none of the days before."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from decision_world import NOW, request, snapshot

from vnpy_aiagent.brain.decide import failed_answer
from vnpy_aiagent.brain.spent import spent_on
from vnpy_aiagent.domain import Decision, EquityMark, Message, TokenUsage
from vnpy_aiagent.errors import ModelTimeout
from vnpy_aiagent.llm.budget import DayUse
from vnpy_aiagent.llm.port import Usage
from vnpy_aiagent.store.journal import Draft, Journal

TODAY = NOW.date()


def decision(name: str, at: datetime) -> Decision:
    made = failed_answer(request(), snapshot(), "m", True, ModelTimeout("slow")).decision
    usage = TokenUsage(calls=2, prompt_tokens=50, completion_tokens=5, cost=Decimal("0.25"), estimated=True)
    return made.model_copy(update={"id": name, "at": at, "usage": usage})


def close(name: str, at: datetime) -> EquityMark:
    cash = Decimal(1)
    return EquityMark(id=name, at=at, day=at.date(), cash=cash, market_value=cash, positions={})


def journal_of(path: Path, *messages: Message) -> Journal:
    journal = Journal.open(path / "journal.db", owner="test")
    journal.append(
        [Draft(m.id, m.at.isoformat(), m.kind, m.account, m.cause, m.model_dump_json()) for m in messages],
        wall="",
    )
    return journal


def test_the_day_is_summed_up_failed_decisions_too(tmp_path: Path) -> None:
    yesterday = NOW - timedelta(days=1)
    journal = journal_of(
        tmp_path,
        decision("a", yesterday),
        close("b", yesterday.replace(hour=15)),
        decision("c", yesterday.replace(hour=20)),
        decision("d", NOW),
        close("e", NOW.replace(hour=15)),
        decision("f", NOW.replace(hour=20)),
    )
    use = Usage(calls=4, prompt_tokens=100, completion_tokens=10, cost=Decimal("0.5"), estimated=True)
    assert spent_on(journal, TODAY) == DayUse(TODAY, use)
    assert spent_on(journal, TODAY + timedelta(days=1)) == DayUse(TODAY + timedelta(days=1))
    journal.close()


def test_a_new_journal_says_that_nothing_was_used(tmp_path: Path) -> None:
    journal = journal_of(tmp_path)
    assert spent_on(journal, TODAY) == DayUse(TODAY)
    journal.close()
