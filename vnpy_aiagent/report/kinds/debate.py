"""A debate in words: rounds, speeches, questions and who must answer, replies, the quant's figures."""

from collections.abc import Iterable

from vnpy_aiagent.domain import DebateTurn, Proposal
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.numbers import share


def speaker(turn: DebateTurn, say: Localizer) -> str:
    """Who speaks, in which round, and the view with its confidence."""
    view = {"round": turn.round, "role": say.label(turn.role), "stance": say.label(turn.stance)}
    if turn.verification is not None:
        return say("第 {round} 轮 {role}（{stance}）", **view)
    view["confidence"] = share(turn.confidence)
    if turn.action is None:
        return say("第 {round} 轮 {role}（{stance}，把握 {confidence}）", **view)
    return say(
        "第 {round} 轮 {role}（{stance}，{action}，把握 {confidence}）", **view, action=say.label(turn.action)
    )


def speech(turn: DebateTurn, turns: Iterable[DebateTurn], say: Localizer) -> list[str]:
    """The words of a turn: its argument, what it answers, what it asks.

    A question that no later turn of `turns` answers is marked.
    """
    answered = {reply.question for other in turns for reply in other.replies}
    lines = [say.show(turn.text)]
    lines += [
        say("答 {question}：", question=reply.question) + say.show(reply.text) for reply in turn.replies
    ]
    for question in turn.questions:
        if not question.to:
            lines.append(say("问 {question}，没有人可答：", question=question.name) + say.show(question.text))
            continue
        to = say.label(question.to)
        mark = "" if question.name in answered else say("（未回答）")
        lines.append(
            say("问 {question}，答者{to}：", question=question.name, to=to) + say.show(question.text) + mark
        )
    return lines


def debate_text(turns: tuple[DebateTurn, ...], say: Localizer) -> list[str]:
    """All turns, one block of lines each."""
    return [f"{speaker(turn, say)}: " + "\n".join(speech(turn, turns, say)) for turn in turns]


def certainty(proposal: Proposal, say: Localizer) -> str:
    """The mark of a plan of low certainty with what it wanted before, empty for any other."""
    if not proposal.low_certainty:
        return ""
    if proposal.planned_weight is None:
        return say("低确定性")
    return say("低确定性，原定仓位 {weight}", weight=share(proposal.planned_weight))
