"""The `aiagent` command: every capability from the terminal."""

from vnpy_aiagent.cli.main import main

__all__ = ["main"]
