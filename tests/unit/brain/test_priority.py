"""The brain gives way to the trading process, where the system lets it."""

import os
import sys

import pytest

from vnpy_aiagent.control import priority


def test_a_posix_system_is_asked_for_a_lower_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "nice", asked.append, raising=False)
    priority.give_way()
    assert asked == [priority.NICE]


def test_a_system_without_priorities_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "other")
    monkeypatch.delattr(os, "nice", raising=False)
    priority.give_way()
