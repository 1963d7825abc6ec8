"""What tokens cost, and how many a text has where nobody counted them."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from vnpy_aiagent.llm.port import ChatMessage, ModelRequest

MILLION = Decimal(1_000_000)
DIGITS = "0123456789"
MESSAGE_OVERHEAD = 4


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """A model's price in CNY per million tokens, prompt (`input`) and completion (`output`)."""

    input: Decimal
    output: Decimal

    def cost(self, prompt_tokens: int, completion_tokens: int) -> Decimal:
        """CNY, not rounded."""
        return (self.input * prompt_tokens + self.output * completion_tokens) / MILLION


def estimate_tokens(text: str) -> int:
    """Tokens of a text, counted on the high side: each digit and each character that is not ASCII is one.

    Of other characters, five are two. Qwen's tokenizer splits numbers into digits, and what a model reads
    here is full of them: benchmarks/tokens.py sets this count beside Qwen's own.
    """
    plain = len(text.encode("ascii", "ignore"))
    digits = sum(map(text.count, DIGITS))
    return -(-(plain - digits) * 2 // 5) + digits + len(text) - plain


def estimate_messages(messages: Iterable[ChatMessage]) -> int:
    """Tokens of a conversation, with a few for the frame of each message."""
    return sum(
        MESSAGE_OVERHEAD
        + estimate_tokens(message.content)
        + sum(estimate_tokens(call.name + call.arguments) for call in message.tool_calls)
        for message in messages
    )


def estimate_prompt(request: ModelRequest) -> int:
    """Prompt tokens of a request: its messages, tool schemas and answer schema."""
    tools = sum(estimate_tokens(f"{tool.name}{tool.description}{tool.parameters}") for tool in request.tools)
    schema = estimate_tokens(str(request.answer_schema)) if request.answer_schema else 0
    return estimate_messages(request.messages) + tools + schema
