"""Tokens that one decision's default prompts ask a model to read: by real tokenizers and by our estimate.

    python benchmarks/tokens.py

Qwen's own tokenizer is used where the packages dashscope (of which the vocabulary file alone is read) and
tiktoken are installed, that of SmolLM2 where the extra local-llm is; without any the estimate stands alone.
Three accounts, a debate, Chinese and English prompts; the symbol as the demo sees it, and one with facts of
every family and twenty long texts. "at once": every role answers its first question; "with tools": analysts
first call every tool that they have, and speakers are long-winded.
"""

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NamedTuple

from made_share import request, snapshot

SPEAKERS = ("aggressive", "conservative", "judge", "quant")
QWEN_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
WORDS = "收盘价站上二十日均线，均线多头排列，成交量温和放大，动量指标转正，但短线涨幅已大，需防回落。" * 3
FRAME = 4
"""Tokens around a message in the templates of both models."""
Count = Callable[[str], int]


class Part(NamedTuple):
    """Questions of one stage."""

    calls: int
    tokens: int


@dataclass(frozen=True)
class Use:
    """What one decision asked: study, debate, texts; `asked` are the requests themselves."""

    asked: tuple[Any, ...]

    def part(self, stage: str, count: Callable[[Any], int]) -> Part:
        """Calls and prompt tokens of a stage: study, debate, texts or all."""
        chosen = [each for each in self.asked if stage in ("all", stage_of(each.task))]
        return Part(len(chosen), sum(map(count, chosen)))


class Team:
    """Answers by the offline analyst's rules; `busy` models call all their tools first and talk at length."""

    name = "team"
    is_llm = True

    def __init__(self, *, busy: bool) -> None:
        from vnpy_aiagent.llm.offline import OfflineAnalyst

        self._rules = OfflineAnalyst()
        self._busy = busy
        self.asked: list[Any] = []

    def complete(self, asked: Any) -> Any:
        """An answer at once, or first the calls of every tool."""
        from vnpy_aiagent.llm.port import ModelReply, ToolCall

        self.asked.append(asked)
        begun = any(message.role == "tool" for message in asked.messages)
        if self._busy and asked.tools and not begun:
            calls = tuple(
                ToolCall(id=f"c{n}", name=t.name, arguments="{}") for n, t in enumerate(asked.tools)
            )
            return ModelReply(tool_calls=calls)
        reply = self._rules.complete(asked)
        if self._busy and asked.schema_name == "PlanAnswer":
            plan = json.loads(reply.text)
            plan["argument"]["text"], plan["argument"]["figures"] = WORDS, {}
            reply = reply.model_copy(update={"text": json.dumps(plan, ensure_ascii=False)})
        return reply

    def close(self) -> None:
        """Nothing to close."""


def decide(*, facts: bool, language: str, busy: bool) -> Use:
    """One debated decision with default settings."""
    from dataclasses import replace

    from vnpy_aiagent.brain.decide import Brain
    from vnpy_aiagent.config import BrainSettings, LlmSettings

    team = Team(busy=busy)
    seen = replace(snapshot(facts=facts), language=language)
    Brain(team, LlmSettings(), BrainSettings(language=language)).decide(request(), seen)
    return Use(tuple(team.asked))


def stage_of(task: str) -> str:
    """study, debate or texts."""
    if task in SPEAKERS:
        return "debate"
    return "texts" if task == "quarantine_reader" else "study"


def pieces(asked: Any) -> Iterator[str]:
    """All that a server reads of a request: messages, calls, tool schemas, answer schema."""
    for message in asked.messages:
        yield message.content
        yield from (call.name + call.arguments for call in message.tool_calls)
    yield from (json.dumps(tool.model_dump(), ensure_ascii=False) for tool in asked.tools)
    if asked.answer_schema:
        yield json.dumps(asked.answer_schema, ensure_ascii=False)


def counted(count: Count) -> Callable[[Any], int]:
    """Prompt tokens of a request by a tokenizer."""
    return lambda asked: FRAME * len(asked.messages) + sum(count(piece) for piece in pieces(asked))


def qwen() -> Count | None:
    """Qwen's tokenizer from the vocabulary in dashscope; None where a package is missing."""
    with suppress(ImportError, PackageNotFoundError):
        import tiktoken

        held = [file for file in distribution("dashscope").files or [] if file.name == "qwen.tiktoken"]
        rows = Path(str(held[0].locate())).read_bytes().splitlines()
        ranks = {base64.b64decode(row.split()[0]): int(row.split()[1]) for row in rows if row}
        encoding = tiktoken.Encoding("qwen", pat_str=QWEN_WORDS, mergeable_ranks=ranks, special_tokens={})
        return lambda text: len(encoding.encode_ordinary(text))
    return None


def smollm(open_servers: ExitStack) -> Count | None:
    """SmolLM2's tokenizer, by its own server; None where the extra is missing."""
    from vnpy_aiagent.errors import ConfigError
    from vnpy_aiagent.llm.local_server import LocalServer

    try:
        server = open_servers.enter_context(LocalServer(context=2048))
    except ConfigError:
        return None
    import httpx2

    client = open_servers.enter_context(
        httpx2.Client(base_url=server.base_url.removesuffix("/v1"), timeout=60)
    )
    return lambda text: len(client.post("/tokenize", json={"content": text}).json()["tokens"])


def main() -> None:
    """Count and print."""
    from scratch import enter

    enter()
    from vnpy_aiagent.llm.pricing import estimate_prompt

    with ExitStack() as stack:
        by = {"estimate": estimate_prompt}
        for name, count in (("Qwen", qwen()), ("SmolLM2", smollm(stack))):
            if count is not None:
                by[name] = counted(count)
        print("| symbol | prompts | answers | stage | calls | " + " | ".join(by) + " |")
        print("| --- | --- | --- | --- | ---: |" + " ---: |" * len(by))
        for facts in (False, True):
            for language in ("zh", "en"):
                for busy in (False, True):
                    use = decide(facts=facts, language=language, busy=busy)
                    _show(use, facts=facts, language=language, busy=busy, by=by)


def _show(use: Use, *, facts: bool, language: str, busy: bool, by: dict[str, Callable[[Any], int]]) -> None:
    stages = Counter(stage_of(each.task) for each in use.asked)
    for stage in (*stages, "all"):
        parts = [use.part(stage, count) for count in by.values()]
        cells = " | ".join(f"{part.tokens:,}" for part in parts)
        symbol, answers = "with facts" if facts else "demo", "with tools" if busy else "at once"
        print(f"| {symbol} | {language} | {answers} | {stage} | {parts[0].calls} | {cells} |")


if __name__ == "__main__":
    main()
