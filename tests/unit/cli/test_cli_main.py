"""The one place where endings become exit codes: 0 done, 1 a check failed, 2 one line that says what."""

import json
import sys
from pathlib import Path

import pytest
import typer
from vnpy.trader.database import get_database

from vnpy_aiagent import __version__
from vnpy_aiagent.cli import inspect, main
from vnpy_aiagent.data.vnpy_database import release
from vnpy_aiagent.errors import DataError

from .conftest import Call


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (DataError("two\nlines  of text"), "error: two lines of text"),
        (PermissionError(13, "Permission denied"), "error: the system refused: [Errno 13] Permission denied"),
        (typer.BadParameter("no such thing"), "error: Invalid value: no such thing (see `aiagent --help`)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_an_expected_ending_is_one_line_and_exit_code_2(
    call: Call, monkeypatch: pytest.MonkeyPatch, raised: BaseException, said: str
) -> None:
    def fail(path: str) -> str:
        raise raised

    monkeypatch.setattr(inspect, "_target", fail)
    assert call("journal", "verify", "x").refusal == said


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), typer.Abort()], ids=["Ctrl+C", "abort"])
def test_a_command_that_the_user_stops_is_one_line_and_exit_code_130(
    call: Call, monkeypatch: pytest.MonkeyPatch, raised: BaseException
) -> None:
    def fail(path: str) -> str:
        raise raised

    monkeypatch.setattr(inspect, "_target", fail)
    assert call("journal", "verify", "x") == (130, "", "error: stopped by the user\n")


class Interrupting:
    """An import hook: Ctrl+C comes while the commands are imported."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "vnpy_aiagent.cli.tree":
            raise KeyboardInterrupt


def test_ctrl_c_during_the_imports_is_one_line_and_exit_code_130(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "vnpy_aiagent.cli.tree", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    assert call("--version") == (130, "", "error: stopped by the user\n")


def test_a_fault_of_the_program_itself_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: str) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(inspect, "_target", fail)
    monkeypatch.setattr("sys.argv", ["aiagent", "journal", "verify", "x"])
    with pytest.raises(ZeroDivisionError):
        main()


def test_the_version_is_shown(call: Call) -> None:
    assert call("--version") == (0, f"vnpy_aiagent {__version__}\n", "")


@pytest.mark.parametrize("group", [(), ("journal",), ("data",)], ids=["aiagent", "journal", "data"])
def test_a_group_without_a_command_shows_its_help(call: Call, group: tuple[str, ...]) -> None:
    done = call(*group)
    assert done.code == 2
    assert "Usage: aiagent" in done.out + done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("group", ["journal", "data"])
def test_the_help_of_a_group_has_an_example(call: Call, group: str) -> None:
    done = call(group, "--help")
    assert done.code == 0
    assert f"Example: aiagent {group} " in done.out


def test_a_download_without_akshare_says_what_to_install(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "akshare", None)
    line = call("data", "download", "600519.SSE", "--start", "2025-01-02").refusal
    assert 'pip install "vnpy_aiagent[akshare]"' in line
    span = ("--start", "2025-06-03", "--end", "2025-06-06")
    line = call("demo", "--symbols", "600519.SSE", *span, "--out", tmp_path / "out").refusal
    assert "akshare is not installed" in line
    assert not (tmp_path / "out").exists()


def test_nothing_is_downloaded_without_symbols_or_a_span(call: Call) -> None:
    assert "no symbol was given" in call("data", "download", " , ").refusal
    assert "--start and --end" in call("demo", "--symbols", "600519.SSE").refusal


def test_a_download_saves_what_comes_and_names_what_does_not(
    call: Call, monkeypatch: pytest.MonkeyPatch, repo_root: Path
) -> None:
    monkeypatch.syspath_prepend(repo_root / "tests" / "akshare_standin")
    monkeypatch.delitem(sys.modules, "akshare", raising=False)
    span = ("--start", "2025-11-17", "--end", "2025-11-20")
    try:
        done = call("data", "download", "600519.SSE,600000.SSE,605999,510300", *span)
        facts = json.loads(call("data", "download", "600519,600000", *span, "--json").out)
        assert call("data", "download", "600519", *span, "--frequency", "hourly").code == 0
        assert "swap them" in call("data", "download", "600519", *span[2:], "--start", "2025-12-01").refusal
    finally:
        sys.modules.pop("akshare", None)
        database = get_database()
        for row in database.get_bar_overview():
            database.delete_bar_data(row.symbol, row.exchange, row.interval)
        release(database)
    assert done.code == 1
    assert "8 bars of 2 symbols" in done.out
    assert "2 symbols did not come: 600000.SSE, 605999.SSE" in done.out
    assert "600000.SSE: akshare (Eastmoney) gave no bars of 600000.SSE (ConnectionError: no route" in done.err
    assert "605999.SSE: akshare (Eastmoney) has no daily bars of 605999.SSE there" in done.err
    assert facts["saved"] == {"600519.SSE": 4}
    assert list(facts["failed"]) == ["600000.SSE"]
