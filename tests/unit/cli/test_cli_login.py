"""What `aiagent doctor --login` makes of the process that logs in; the stand-ins see the login itself."""

import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from vnpy_aiagent import login_probe
from vnpy_aiagent.login_probe import NOT_READY, ask_login


def answer(monkeypatch: pytest.MonkeyPatch, status: int, out: str, err: str = "") -> list[list[str]]:
    """The process ends so; the commands that were called."""
    called: list[list[str]] = []

    def run(command: list[str], **_: Any) -> Any:
        called.append(command)
        return SimpleNamespace(returncode=status, stdout=out, stderr=err)

    monkeypatch.setattr(login_probe.subprocess, "run", run)
    return called


@pytest.mark.parametrize(
    ("status", "out", "good", "found"),
    [
        (0, "交易服务器连接成功\n交易服务器登录成功\n", True, "CTP: 交易服务器登录成功"),
        (0, "交易服务器登录成功, 会话编号：1\n", True, "CTP: 交易服务器登录成功, 会话编号：1"),
        (1, "交易服务器登录失败，代码：3\n", False, "CTP: 交易服务器登录失败，代码：3"),
        (1, "交易服务器授权验证失败，代码：63\n", False, "CTP: 交易服务器授权验证失败，代码：63"),
        (1, "", False, "CTP: no answer to a login within 20 s; last word: none"),
        (1, "连接\n", False, "CTP: no answer to a login within 20 s; last word: 连接"),
        (NOT_READY, "CTP has no saved connection\n", False, "CTP has no saved connection"),
        (-6, "", False, "CTP ended its process (status -6): terminate called"),
    ],
)  # fmt: skip
def test_each_end_of_the_login_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, status: int, out: str, good: bool, found: str
) -> None:
    called = answer(monkeypatch, status, out, "locale::facet\nterminate called\n")
    assert ask_login("CTP") == (good, found)
    assert called[0][-3:] == ["vnpy_aiagent.login_probe", "CTP", "20.0"]


def test_a_login_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: Any) -> Any:
        raise subprocess.TimeoutExpired(command, 50)

    monkeypatch.setattr(login_probe.subprocess, "run", run)
    assert ask_login("XTP") == (False, "XTP neither answered nor ended within 50 s")
