from decimal import Decimal

from vnpy_aiagent.llm.port import ChatMessage, ModelRequest, ToolCall, ToolSpec
from vnpy_aiagent.llm.pricing import TokenPrice, estimate_messages, estimate_prompt, estimate_tokens


def test_cost_is_exact_in_cny_per_million_tokens() -> None:
    price = TokenPrice(input=Decimal(2), output=Decimal(8))
    assert price.cost(1_000, 250) == Decimal("0.004")
    assert price.cost(0, 0) == 0


def test_chinese_and_digits_count_a_token_a_character_and_english_two_fifths() -> None:
    assert estimate_tokens("贵州茅台") == 4
    assert estimate_tokens("abcde") == 2
    assert estimate_tokens("abcdef") == 3
    assert estimate_tokens("12.34") == 5
    assert estimate_tokens("") == 0


def test_every_part_of_a_request_counts() -> None:
    plain = ModelRequest(task="t", messages=(ChatMessage(role="user", content="abc"),))
    tool = ToolSpec(name="get_bars", description="bars", parameters={"type": "object"})
    with_tools = plain.model_copy(update={"tools": (tool,)})
    with_schema = plain.model_copy(update={"answer_schema": {"type": "object"}})
    assert estimate_prompt(plain) == 6
    assert estimate_prompt(with_tools) > estimate_prompt(plain)
    assert estimate_prompt(with_schema) > estimate_prompt(plain)


def test_tool_calls_of_the_history_count() -> None:
    call = ToolCall(id="1", name="abc", arguments="{1}")
    assert estimate_messages([ChatMessage(role="assistant", tool_calls=(call,))]) == 7
