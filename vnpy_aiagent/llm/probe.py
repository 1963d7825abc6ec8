"""One short question to a model's server: does it answer, how fast, and can the model call tools?"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from vnpy_aiagent.config import LlmSettings
from vnpy_aiagent.domain import Text, clean, say
from vnpy_aiagent.errors import (
    AiAgentError,
    ConfigError,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
    NoModelApi,
)
from vnpy_aiagent.llm.openai_client import OpenAIModel
from vnpy_aiagent.llm.port import ChatMessage, ModelReply, ModelRequest, ToolSpec

LONGEST = 20.0
MAX_DETAIL = 300
MAX_TOKENS = 512
TOOL = ToolSpec(
    name="get_time",
    description="The present time of the market.",
    parameters={
        "type": "object",
        "properties": {"market": {"type": "string", "enum": ["SSE", "SZSE"]}},
        "required": ["market"],
        "additionalProperties": False,
    },
)
QUESTION = "Call the tool get_time for the market SSE. Do not answer in words."
ToolCalling = Literal["native", "json", "none"]


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What came of it, in one sentence. `tools`: by the server's own means, as JSON text, or not at all.

    `ok` only where decisions can be made: the model answers and calls tools. `latency_ms` of the whole
    exchange, failed or not; `tokens` used, 0 where nothing was answered.
    """

    ok: bool
    sentence: Text
    tools: ToolCalling
    latency_ms: int
    tokens: int = 0


def probe(llm: LlmSettings, monotonic: Callable[[], float] = time.monotonic) -> ProbeResult:
    """Ask once, without retries, for at most 20 seconds. Never raises for what a server does.

    `llm.of(role)` gives the settings of one role. The key stands in no result.
    """
    if llm.offline:
        return ProbeResult(True, say("离线分析员不需要连接，随时可用"), "native", 0)
    began = monotonic()
    reply: ModelReply | None = None
    tools: ToolCalling = "none"
    try:
        client = OpenAIModel(
            llm.base_url,
            llm.model,
            llm.api_key.get_secret_value() or "none",
            timeout=min(LONGEST, llm.timeout),
            max_retries=0,
        )
        try:
            reply = client.complete(_question(llm))
            if any(call.name == TOOL.name for call in reply.tool_calls):
                tools = "native" if client.native_tools else "json"
        finally:
            client.close()
        sentence = _answered(llm, tools)
    except AiAgentError as error:
        sentence = _failed(error, llm)
    latency = round((monotonic() - began) * 1000)
    used = reply.usage.tokens if reply is not None else 0
    return ProbeResult(tools != "none", sentence, tools, latency, used)


def _question(llm: LlmSettings) -> ModelRequest:
    return ModelRequest(
        task="probe",
        messages=(ChatMessage(role="user", content=QUESTION),),
        tools=(TOOL,),
        max_tokens=max(MAX_TOKENS, llm.max_tokens),
        temperature=llm.temperature,
        seed=llm.seed,
        timeout=LONGEST,
    )


def _answered(llm: LlmSettings, tools: ToolCalling) -> Text:
    if tools == "native":
        return say("连接成功，{model} 会调用工具", model=llm.model)
    if tools == "json":
        return say("连接成功，服务器不支持原生工具调用，{model} 以 JSON 文本代替", model=llm.model)
    return say("{model} 能回答，但没有调用工具，决策将一律不动；请换一个支持工具调用的模型", model=llm.model)


def _failed(error: AiAgentError, llm: LlmSettings) -> Text:
    """One sentence by what went wrong; the error's own text is its detail."""
    detail = clean(str(error), MAX_DETAIL)
    if isinstance(error, ConfigError):
        return say("地址或密钥的写法不对，请改正（{detail}）", detail=detail)
    if isinstance(error, ModelTimeout):
        return say("服务器没有在时限内回答，请检查网络，或换一个更快的模型（{detail}）", detail=detail)
    if isinstance(error, ModelUnavailable):
        return _unavailable(error.status, detail)
    if isinstance(error, ModelRefused):
        return _refused(error.status, llm, detail)
    if isinstance(error, NoModelApi):
        return say("这个地址不是 OpenAI 兼容的接口，请检查地址是否以 /v1 结尾（{detail}）", detail=detail)
    return say("服务器的回答不能用，请换一个模型（{detail}）", detail=detail)


def _unavailable(status: int | None, detail: str) -> Text:
    if status == 429:
        return say("请求太频繁，被服务器限流，请稍后再试或提高套餐（{detail}）", detail=detail)
    if status is not None:
        return say("服务器出错或过载，请稍后再试（{detail}）", detail=detail)
    return say("连不上服务器，请检查地址、网络和代理（{detail}）", detail=detail)


def _refused(status: int | None, llm: LlmSettings, detail: str) -> Text:
    if status == 401:
        return say("密钥不对，请核对密钥（{detail}）", detail=detail)
    if status == 403:
        return say("密钥无权使用模型 {model}，请核对（{detail}）", model=llm.model, detail=detail)
    if status in (402, 429):
        return say("账户余额不足，请充值或换一个模型（{detail}）", detail=detail)
    return say(
        "服务器不认模型 {model} 或这次请求，请核对模型名和地址（{detail}）", model=llm.model, detail=detail
    )
