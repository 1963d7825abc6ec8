"""Trouble outside the event thread is told in sentences of the catalogue, not in English."""

import re

import pytest

from vnpy_aiagent.domain import Text, say
from vnpy_aiagent.i18n import show, translator
from vnpy_aiagent.wiring import Trouble

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("what", "detail"),
    [
        (lambda trouble: trouble.journal(OSError("disk full"), 1), "disk full"),
        (lambda trouble: trouble.inbox("database is locked"), "database is locked"),
        (lambda trouble: trouble.brain(say("决策进程意外退出，已启动新进程")), ""),
    ],
    ids=["journal", "inbox", "brain"],
)
def test_trouble_is_told_in_either_language_with_its_detail(what, detail):
    told: list[Text] = []
    what(Trouble(told.append))
    assert len(told) == 1
    assert CHINESE.search(show(told[0], translator("zh")))
    english = show(told[0], translator("en"))
    assert not CHINESE.search(english)
    assert detail in english


def test_a_spell_of_journal_trouble_is_told_once():
    told: list[Text] = []
    trouble = Trouble(told.append)
    for attempt in range(1, 5):
        trouble.journal(OSError("disk full"), attempt)
    assert len(told) == 1
