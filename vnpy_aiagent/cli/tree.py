"""The command tree, and one place where errors become one line and an exit code."""

import os
import sys
from typing import Annotated, NoReturn

import typer

from vnpy_aiagent import __version__
from vnpy_aiagent.cli import (
    INTERRUPTED,
    audit,
    backtest,
    compare,
    control,
    data,
    demo,
    doctor,
    facts,
    facts_fetch,
    inspect,
    local_model,
    lookahead,
    recorded,
    replay,
    run,
)
from vnpy_aiagent.cli.common import BAD_USAGE, utf8_output
from vnpy_aiagent.errors import AiAgentError

UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""Typer carries its own click, whose usage errors have no public name but this one's base."""

app = typer.Typer(
    name="aiagent",
    help="A team of AI agents for VeighNa (vnpy). Start with: aiagent demo",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"vnpy_aiagent {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Shared options."""


for part in (
    demo,
    run,
    control,
    data,
    facts,
    facts_fetch,
    recorded,
    inspect,
    replay,
    audit,
    backtest,
    compare,
    lookahead,
    doctor,
    local_model,
):
    part.register(app)


def run_command() -> None:
    """Run a command. Exit 0 done, 1 a check failed, 2 bad usage or input with one line that says what.

    Ctrl+C is a KeyboardInterrupt, whatever typer makes of it.
    """
    utf8_output()
    try:
        code = app(prog_name="aiagent", standalone_mode=False)
        sys.stdout.flush()
        if code == INTERRUPTED:  # typer's own answer to Ctrl+C
            raise KeyboardInterrupt
    except UsageError as error:
        _misused(error)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except AiAgentError as error:
        _fail(str(error))
    except BrokenPipeError:
        _reader_gone()
    except SystemExit as leaving:  # typer and rich turn a closed pipe into exit 1, which means a failed check
        if not isinstance(leaving.__context__, BrokenPipeError):
            raise
        _reader_gone()
    except OSError as error:
        _fail(f"the system refused: {error}")
    sys.exit(code if isinstance(code, int) else 0)


def _reader_gone() -> NoReturn:
    """Standard output was closed early, as by `head`: no failure, and nothing may be flushed into it now."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    sys.exit(0)


def _misused(error: Exception) -> None:
    format_message = getattr(error, "format_message", error.__str__)
    message = str(format_message())
    if message.startswith("Usage:"):  # a group without a command: its help, as asked for
        sys.stderr.write(message + "\n")
        sys.exit(BAD_USAGE)
    _fail(f"{message} (see `aiagent --help`)")


def _fail(sentence: str) -> None:
    sys.stderr.write("error: " + " ".join(sentence.split()) + "\n")
    sys.exit(BAD_USAGE)
