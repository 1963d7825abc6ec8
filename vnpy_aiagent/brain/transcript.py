"""A speech as the journal keeps it, and the debate as the next speaker hears it."""

from collections.abc import Iterable, Sequence
from typing import Any

from vnpy_aiagent.brain.schemas import PlanAnswer
from vnpy_aiagent.domain import DebateQuestion, DebateReply, DebateTurn, Style


def turn_of(
    style: Style, plan: PlanAnswer, number: int, listeners: Sequence[Style], asked: int = 0
) -> DebateTurn:
    """A speech of round `number`, before which `asked` questions were asked in it.

    `listeners` can still answer. A question that names none of them goes to the aggressive, whose plan is
    attacked, or else to the first.
    """
    names = {listener.name.lower(): listener.name for listener in listeners}
    default = names.get("aggressive") or next(iter(names.values()), "")
    return DebateTurn(
        role=style.name,
        stance=plan.stance,
        confidence=plan.confidence,
        text=plan.argument.to_text(),
        evidence=plan.argument.evidence,
        round=number,
        action=plan.action,
        questions=tuple(
            DebateQuestion(
                name=f"{number}.{place}",
                to=names.get(question.to or "", default),
                text=question.to_text(),
                evidence=question.evidence,
            )
            for place, question in enumerate(plan.questions, asked + 1)
        ),
        replies=tuple(
            DebateReply(question=reply.question, text=reply.to_text(), evidence=reply.evidence)
            for reply in plan.replies
        ),
    )


def heard(turns: Iterable[DebateTurn], listener: Style) -> list[dict[str, Any]]:
    """The last speech of every other, oldest first; questions to the listener are marked."""
    last = {turn.role: turn for turn in turns if turn.role != listener.name}
    return [_speech(turn, listener) for turn in last.values()]


def _speech(turn: DebateTurn, listener: Style) -> dict[str, Any]:
    """Short: figures of a verification stand in its evidence."""
    speech: dict[str, Any] = {
        "role": turn.role,
        "round": turn.round,
        "stance": turn.stance.name,
        "action": turn.action.name if turn.action is not None else None,
        "confidence": turn.confidence,
        "text": str(turn.text),
        "evidence": turn.evidence,
    }
    if turn.questions:
        speech["questions"] = [
            {
                "question": question.name,
                "to": "you" if question.to == listener.name else question.to.lower(),
                "text": str(question.text),
            }
            for question in turn.questions
        ]
    if turn.replies:
        speech["replies"] = [{"question": r.question, "text": str(r.text)} for r in turn.replies]
    return speech
