"""The probe of a model server, over real HTTP: one sentence for each way in which a server fails."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from vnpy_aiagent.config import LlmSettings
from vnpy_aiagent.llm.probe import ProbeResult, probe
from vnpy_aiagent.testing.model_server import (
    Body,
    Fault,
    ModelServer,
    closed_port_url,
    empty_choices,
    garbage,
    text_reply,
    tool_reply,
)

KEY = "sk-very-secret"
PAGE = b"<html><body>Welcome</body></html>"
CALL = tool_reply(("get_time", {"market": "SSE"}))


def settings(base_url: str, **changes: Any) -> LlmSettings:
    return LlmSettings(base_url=base_url, model="deepseek-chat", api_key=SecretStr(KEY), **changes)


def ask(handler: Callable[[Body], Body | Fault], **changes: Any) -> tuple[ProbeResult, ModelServer]:
    with ModelServer(handler) as server:
        return probe(settings(server.base_url, **changes)), server


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(status=401, message=f"Incorrect API key provided: {KEY}"), "密钥不对"),
        (Fault(status=403, message="not for you"), "无权使用模型 deepseek-chat"),
        (Fault(status=402, message="Insufficient Balance"), "余额不足"),
        (Fault(status=429, message="quota", code="insufficient_quota"), "余额不足"),
        (Fault(status=404, message="model not found"), "不认模型 deepseek-chat"),
        (Fault(status=400, message="Model Not Exist"), "不认模型 deepseek-chat"),
        (Fault(status=429, message="slow down", retry_after=1), "限流"),
        (Fault(status=503, message="busy"), "过载"),
        (Fault(status=404, body=PAGE), "不是 OpenAI 兼容的接口"),
        (Fault(status=405, body=PAGE), "不是 OpenAI 兼容的接口"),
        (Fault(status=200, body=PAGE), "不是 OpenAI 兼容的接口"),
        (garbage(), "不是 OpenAI 兼容的接口"),
        (empty_choices(), "回答不能用"),
    ],
)
def test_each_fault_has_its_sentence_and_none_shows_the_key(
    fault: Fault, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    found, server = ask(lambda body: fault)
    assert said in str(found.sentence)
    assert (found.ok, found.tools, found.tokens) == (False, "none", 0)
    assert found.latency_ms >= 0
    assert len(server.requests) == 1
    assert KEY not in str(found)
    assert KEY not in caplog.text


def test_a_server_that_is_not_there_is_a_matter_of_the_network() -> None:
    assert "连不上服务器" in str(probe(settings(closed_port_url())).sentence)


def test_a_server_that_keeps_silent_is_a_matter_of_time() -> None:
    found, _ = ask(lambda body: Fault(delay=5.0), timeout=0.3)
    assert "时限内" in str(found.sentence)
    assert 250 <= found.latency_ms < 4_000


def test_an_address_that_is_none_is_told_without_asking() -> None:
    assert "写法不对" in str(probe(settings("deepseek.com")).sentence)


def test_native_tool_calls_are_seen() -> None:
    found, server = ask(lambda body: CALL)
    assert (found.ok, found.tools, found.tokens) == (True, "native", 120)
    assert "tools" in server.requests[0].body


def test_a_server_without_tools_is_asked_in_json() -> None:
    def handler(body: Body) -> Body | Fault:
        if "tools" in body:
            return Fault(status=400, message="tools are not supported by this server")
        return text_reply('{"tool_calls": [{"name": "get_time", "arguments": {"market": "SSE"}}]}')

    found, _ = ask(handler)
    assert (found.ok, found.tools) == (True, "json")
    assert "JSON" in str(found.sentence)


def test_a_model_that_only_talks_is_not_good_enough() -> None:
    found, _ = ask(lambda body: text_reply("It is noon."))
    assert (found.ok, found.tools) == (False, "none")
    assert "没有调用工具" in str(found.sentence)


def test_the_offline_analyst_needs_no_connection() -> None:
    assert probe(LlmSettings()).ok
