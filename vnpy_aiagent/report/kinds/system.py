"""Runs, jobs, the trading state, commands, alerts and valuations."""

from vnpy_aiagent.domain import (
    AccountOpened,
    Alert,
    BaselineMark,
    CommandTaken,
    EquityMark,
    HandlerFailed,
    JobSkipped,
    Note,
    RunEnded,
    RunStarted,
    ScheduleFired,
    StateChanged,
)
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.kinds.base import Words, joined, words
from vnpy_aiagent.report.numbers import moment, money


@words.register
def _(message: RunStarted, say: Localizer) -> Words:
    text = f"{say.label(message.mode)}, {message.model}, {message.data}, {message.version}"
    return Words(say("运行开始"), text)


@words.register
def _(message: RunEnded, say: Localizer) -> Words:
    return Words(say("运行结束"), message.reason)


@words.register
def _(message: AccountOpened, say: Localizer) -> Words:
    return Words(
        say("账户开立"), say("{style}，资金 {cash} 元", style=message.style.name, cash=money(message.cash))
    )


@words.register
def _(message: ScheduleFired, say: Localizer) -> Words:
    return Words(say("定时任务"), f"{message.job} ({moment(message.due)})")


@words.register
def _(message: JobSkipped, say: Localizer) -> Words:
    return Words(say("任务跳过"), f"{message.job}: {say.show(message.reason)}")


@words.register
def _(message: Note, say: Localizer) -> Words:
    return Words(say("记录"), say.show(message.title), tuple(say.show(line) for line in message.lines))


@words.register
def _(message: StateChanged, say: Localizer) -> Words:
    paused = say("，AI 已暂停") if message.paused else ""
    return Words(say("状态变更"), f"{say.label(message.state)}{paused} ({message.by}: {message.reason})")


@words.register
def _(message: CommandTaken, say: Localizer) -> Words:
    given = " ".join(value for value in message.arguments.values() if value)
    return Words(
        say("人工命令"),
        say("人工操作（{by}）：{command} {given}", by=message.by, command=message.command, given=given),
    )


@words.register
def _(message: Alert, say: Localizer) -> Words:
    return Words(say("警报"), f"{say.label(message.severity)}: {say.show(message.text)}")


@words.register
def _(message: HandlerFailed, say: Localizer) -> Words:
    return Words(say("程序错误"), f"{message.handler} ({message.event}): {message.error}")


@words.register
def _(message: EquityMark, say: Localizer) -> Words:
    held = joined(message.positions.items()) or say("空仓")
    text = say("{day} 权益 {equity} 元", day=message.day, equity=money(message.equity))
    return Words(say("收盘估值"), f"{text}: {held}")


@words.register
def _(message: BaselineMark, say: Localizer) -> Words:
    return Words(say("基准估值"), f"{message.day} {say.show(message.label)} {money(message.value)}")
