import pytest

from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.llm.openai_client import OpenAIModel
from vnpy_aiagent.llm.port import ModelPort

KEY = "sk-very-secret-0123456789"


@pytest.mark.parametrize(
    "url", ["", "api.deepseek.com", "ftp://x/v1", "http://", "http://host:port/v1", "http://a b/v1"]
)
def test_a_base_url_that_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"llm\.base_url is no web address"):
        OpenAIModel(url, "m", KEY)


def test_a_key_with_a_foreign_character_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigError, match="copy it again") as caught:
        OpenAIModel("http://localhost:1/v1", "m", KEY + "密")
    assert KEY not in str(caught.value)


def test_the_client_shows_server_and_model_but_no_key_and_no_password() -> None:
    model: ModelPort = OpenAIModel("https://user:hidden@example.com:8443/v1/?token=hidden", "qwen-max", KEY)
    assert repr(model) == "OpenAIModel(base_url='https://example.com:8443/v1', model='qwen-max')"
    assert model.name == "qwen-max"
    assert model.is_llm
    model.close()
