"""The `aiagent` command: every capability from the terminal."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run a command; Ctrl+C, also while everything is being imported, is one line and exit code 130."""
    try:
        from vnpy_aiagent.cli.tree import run_command

        run_command()
    except KeyboardInterrupt:
        sys.stderr.write("error: stopped by the user\n")
        sys.exit(INTERRUPTED)


__all__ = ["INTERRUPTED", "main"]
