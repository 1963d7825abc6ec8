"""`aiagent local-model`: says which settings use it, serves for a while, refuses what cannot be."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from vnpy_aiagent.cli import local_model
from vnpy_aiagent.config import LlmSettings

Call = Callable[..., Any]


class Served:
    """In place of a server."""

    name = "small"
    base_url = "http://127.0.0.1:9001/v1"
    closed = 0

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *_: object) -> None:
        Served.closed += 1


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[SimpleNamespace]:
    asked: list[SimpleNamespace] = []

    def make(model: Path | None, **options: Any) -> Served:
        asked.append(SimpleNamespace(model=model, **options))
        return Served()

    monkeypatch.setattr(local_model, "LocalServer", make)
    return asked


def test_the_settings_that_it_prints_are_settings(call: Call, served: list[SimpleNamespace]) -> None:
    before = Served.closed
    done = call("local-model", "--seconds", "0.01")
    assert done.code == 0
    told = yaml.safe_load(done.out.split("settings that use it:")[1])
    llm = LlmSettings.model_validate(told["llm"])
    assert (llm.base_url, llm.model, llm.offline) == (Served.base_url, "small", False)
    assert (served[0].port, served[0].model) == (8765, None)
    assert Served.closed == before + 1


def test_machines_get_one_json_object(call: Call, served: list[SimpleNamespace]) -> None:
    done = call("local-model", "--seconds", "0.01", "--port", "0", "--context", "4096", "--json")
    assert json.loads(done.out) == {"base_url": Served.base_url, "model": "small", "context": 4096}
    assert (served[0].port, served[0].context) == (0, 4096)


@pytest.mark.parametrize("option", [("--port", "70000"), ("--context", "10"), ("--threads", "-1")])
def test_numbers_that_cannot_be_are_refused(
    call: Call, served: list[SimpleNamespace], option: tuple[str, str]
) -> None:
    done = call("local-model", *option)
    assert (done.code, served) == (2, [])
    assert done.err.startswith(f"error: {'--port' if option[0] == '--port' else '--context'}")
