"""Commands called in this process: arguments in, exit code and both streams out."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from vnpy_aiagent.cli import main

FIVE = "600519.SSE,600036.SSE,601318.SSE,600900.SSE,601988.SSE"


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line of a refused command."""
        assert self.code == 2, self
        lines = self.err.splitlines()
        assert len(lines) == 1, self
        assert lines[0].startswith("error: "), self
        return lines[0]


Call = Callable[..., Done]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs `aiagent ARGUMENTS`, in English."""
    monkeypatch.setenv("AIAGENT_LANGUAGE", "en")

    def run(*arguments: Any) -> Done:
        monkeypatch.setattr(sys, "argv", ["aiagent", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ending:
            main()
        out, err = capsys.readouterr()
        code = ending.value.code
        return Done(code if isinstance(code, int) else 0, out, err)

    return run


@pytest.fixture
def week(shared: Path) -> tuple[Any, ...]:
    """Arguments of a demo over one week of five real shares."""
    folder = shared / "data" / "sse50"
    return ("demo", "--data", folder, "--symbols", FIVE, "--start", "2025-06-03", "--end", "2025-06-06")
