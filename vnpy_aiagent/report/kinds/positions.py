"""Stops and triggers of positions, and positions that change hands."""

from vnpy_aiagent.domain import (
    PositionHandedBack,
    PositionTakenOver,
    StopUpdate,
    TriggerEnded,
    TriggerFired,
    TriggerSpec,
)
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.kinds.base import Words, counted, words
from vnpy_aiagent.report.numbers import moment


@words.register
def _(message: PositionTakenOver, say: Localizer) -> Words:
    held = counted(message.volume, message.symbol, say)
    return Words(say("人工接管"), f"{message.symbol} {held} ({message.by})")


@words.register
def _(message: PositionHandedBack, say: Localizer) -> Words:
    text = say(
        "{symbol} {volume}，止损 {stop}",
        symbol=message.symbol,
        volume=counted(message.volume, message.symbol, say),
        stop=message.stop,
    )
    return Words(say("交还系统"), f"{text} ({message.by})")


@words.register
def _(message: TriggerSpec, say: Localizer) -> Words:
    level = message.price if message.price is not None else (moment(message.when) if message.when else "")
    return Words(
        say("触发登记"), f"{message.symbol} {say.label(message.trigger)} {level} [{say.label(message.note)}]"
    )


@words.register
def _(message: TriggerFired, say: Localizer) -> Words:
    price = "" if message.price is None else f" @ {message.price}"
    return Words(say("触发"), f"{message.symbol}{price} [{say.label(message.note)}]")


@words.register
def _(message: TriggerEnded, say: Localizer) -> Words:
    return Words(say("触发移除"), f"{message.trigger_id}: {say.label(message.end)}")


@words.register
def _(message: StopUpdate, say: Localizer) -> Words:
    text = say(
        "止损 {stop}，保护 {volume}", stop=message.stop, volume=counted(message.volume, message.symbol, say)
    )
    return Words(say("保护性止损"), f"{say.label(message.state)}, {text}", (say.show(message.reason),))
