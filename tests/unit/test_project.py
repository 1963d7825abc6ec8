"""The promises that every file of the project keeps, read from the files themselves."""

import ast
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "vnpy_aiagent"
MAX_LINES = 600

CLOCK_READS = {
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "datetime.date.today",
    "pandas.Timestamp.now",
    "pandas.Timestamp.today",
    "pandas.Timestamp.utcnow",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
    "time.ctime",
}
TRANSLATED_ENUMS = {"Direction", "Offset", "Status", "Product", "OrderType", "OptionType"}
TRANSLATED_FIELDS = {"direction", "offset", "status", "product", "option_type", "order_type"}
POSIX_ONLY = {"fcntl", "grp", "posix", "pwd", "resource", "termios", "tty", "pty"}
POSIX_CALLS = {"os.fork", "os.forkpty", "os.killpg", "os.setsid", "signal.alarm", "signal.SIGKILL"}
POSIX_CALLS |= {"os.getuid", "os.geteuid", "os.getgid", "os.getppid", "os.getpgid", "os.uname", "os.nice"}
POSIX_CALLS |= {"os.kill", "os.mkfifo", "os.chown", "os.fchmod", "os.fchown", "os.sync", "os.statvfs"}
POSIX_CALLS |= {"os.sched_getaffinity", "os.getloadavg", "signal.pause", "signal.setitimer", "time.tzset"}
POSIX_CALLS |= {"signal.SIGALRM", "signal.SIGHUP", "signal.SIGUSR1", "signal.SIGUSR2", "signal.SIGCHLD"}
TEXT_MODES = {"r", "w", "a", "x", "r+", "w+", "rt", "wt", "at", "xt"}


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


PRODUCT = [*files_of(PACKAGE), *files_of(ROOT / "strategies"), ROOT / "run_vnpy.py"]
ALL = [*PRODUCT, *files_of(ROOT / "tests"), *files_of(ROOT / "benchmarks"), *files_of(ROOT / ".ci")]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def dotted(node: ast.AST, imports: dict[str, str]) -> str:
    """The full dotted name of an expression, seen through the module's imports; empty for anything else."""
    if isinstance(node, ast.Name):
        return imports.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value, imports)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def imports_of(tree: ast.AST) -> dict[str, str]:
    """Local name to full dotted name, for every import in the file."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                found[item.asname or item.name.split(".")[0]] = (
                    item.name if item.asname else item.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for item in node.names:
                found[item.asname or item.name] = f"{node.module}.{item.name}"
    return found


def uses_of(source: str, forbidden: set[str]) -> list[int]:
    """Lines that mention one of the forbidden dotted names, called or not."""
    tree = ast.parse(source)
    imports = imports_of(tree)
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute) and dotted(node, imports) in forbidden
    ]


def imported_modules(source: str) -> set[str]:
    """Every module that a file imports, at the top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {item.name for item in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{item.name}" for item in node.names}
    return found


def translated_values(source: str) -> list[int]:
    """Lines that read `.value` of a vnpy enum whose values change with the locale."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and node.attr == "value" and _is_translated(node.value)
    ]


def _is_translated(owner: ast.AST) -> bool:
    if isinstance(owner, ast.Name):
        return owner.id in TRANSLATED_FIELDS
    if isinstance(owner, ast.Attribute):
        of_class = isinstance(owner.value, ast.Name) and owner.value.id in TRANSLATED_ENUMS
        return of_class or owner.attr in TRANSLATED_FIELDS
    return False


def texts_without_encoding(source: str) -> list[int]:
    """Lines that open a text file without naming its encoding."""
    tree = ast.parse(source)
    imports = imports_of(tree)
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _opens_text(node, imports) and not _names_encoding(node)
    ]


def _opens_text(call: ast.Call, imports: dict[str, str]) -> bool:
    name = dotted(call.func, imports)
    mode = _mode_of(call, 0 if isinstance(call.func, ast.Attribute) and name != "io.open" else 1)
    if name in {"open", "io.open"}:
        return "b" not in mode
    if name in {"gzip.open", "bz2.open", "lzma.open"}:
        return "t" in _mode_of(call, 1)
    if isinstance(call.func, ast.Attribute):
        return call.func.attr in {"read_text", "write_text"} or (
            call.func.attr == "open" and mode in TEXT_MODES
        )
    return False


def _mode_of(call: ast.Call, position: int) -> str:
    nodes = [word.value for word in call.keywords if word.arg == "mode"]
    nodes += call.args[position : position + 1]
    return next((str(node.value) for node in nodes if isinstance(node, ast.Constant)), "")


def _names_encoding(call: ast.Call) -> bool:
    """`encoding=` by keyword, or given to read_text by position."""
    if any(word.arg in {"encoding", None} for word in call.keywords):
        return True
    position = {"read_text": 1, "write_text": 2}.get(getattr(call.func, "attr", ""), 99)
    return len(call.args) >= position


def offences(paths: list[Path], check: object) -> list[str]:
    """`file:line` for each line that a check names."""
    assert callable(check)
    return [f"{name_of(path)}:{line}" for path in paths for line in check(path.read_text(encoding="utf-8"))]


def requirements() -> Iterator[Requirement]:
    """Every direct dependency, with extras."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    for group in [project["dependencies"], *project["optional-dependencies"].values()]:
        yield from map(Requirement, group)


def pins() -> dict[str, str]:
    """Name to version, from constraints.txt."""
    rows = (ROOT / "constraints.txt").read_text(encoding="ascii").splitlines()
    return {
        canonicalize_name(row.split("==")[0]): row.split("==")[1] for row in rows if not row.startswith("#")
    }


def test_the_wall_clock_is_read_in_one_file_only() -> None:
    paths = [path for path in PRODUCT if path != PACKAGE / "domain" / "clock.py"]
    assert offences(paths, lambda source: uses_of(source, CLOCK_READS)) == []


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\ndatetime.now()",
        "from datetime import datetime as dt\nmake = dt.utcnow",
        "import datetime\ndatetime.date.today()",
        "import time as t\nt.time()",
        "from time import time\ntime()",
        "import pandas as pd\npd.Timestamp.now()",
    ],
)
def test_a_read_of_the_wall_clock_is_seen_under_any_name(source: str) -> None:
    assert uses_of(source, CLOCK_READS) == [2]


def test_a_clock_of_our_own_and_durations_are_allowed() -> None:
    source = (
        "import time\nfrom datetime import time as day_time\nclock.now()\ntime.monotonic()\nday_time(9, 30)"
    )
    assert uses_of(source, CLOCK_READS) == []


def test_no_value_of_a_translated_vnpy_enum_is_kept() -> None:
    assert offences(PRODUCT, translated_values) == []


@pytest.mark.parametrize("source", ["order.direction.value", "Direction.LONG.value", "x(status.value)"])
def test_a_translated_value_is_seen(source: str) -> None:
    assert translated_values(source) == [1]


def test_no_file_is_longer_than_the_house_allows() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in ALL}
    assert {name: count for name, count in lengths.items() if count > MAX_LINES} == {}


def test_the_product_does_not_know_the_data_beside_the_clone() -> None:
    named = [name_of(path) for path in PRODUCT if "../shared" in path.read_text(encoding="utf-8")]
    assert named == []


def test_only_the_window_knows_the_window_toolkit() -> None:
    engine_code = [path for path in PRODUCT if PACKAGE in path.parents and PACKAGE / "ui" not in path.parents]
    bound = {
        name_of(path): sorted(modules)
        for path in engine_code
        if (modules := _window_modules(path.read_text(encoding="utf-8")))
    }
    assert bound == {}


def _window_modules(source: str) -> set[str]:
    return {name for name in imported_modules(source) if name.startswith(("PySide6", "vnpy.trader.ui"))}


def test_an_import_of_the_window_toolkit_is_seen_inside_a_function() -> None:
    assert _window_modules("def f():\n    from vnpy.trader.ui import QtWidgets\n")


def test_nothing_needs_a_posix_system() -> None:
    modules = {
        name_of(path): imported_modules(path.read_text(encoding="utf-8")) & POSIX_ONLY for path in PRODUCT
    }
    assert {name: found for name, found in modules.items() if found} == {}
    assert offences(PRODUCT, lambda source: uses_of(source, POSIX_CALLS)) == []


def posix_paths(source: str) -> list[int]:
    """Lines with a string that is a place on a POSIX disk; a docstring may name one."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in prose
        and re.match(r"/(tmp|dev|proc|etc|home|usr|var)(/|$)", node.value)
    ]


def test_no_place_on_a_posix_disk_is_named() -> None:
    assert offences(PRODUCT, posix_paths) == []


@pytest.mark.parametrize("source", ["open('/tmp')", "Path('/proc/self')", "f('/dev/null', 'rb')"])
def test_a_place_on_a_posix_disk_is_seen(source: str) -> None:
    assert posix_paths(source) == [1]


@pytest.mark.parametrize(
    "source",
    [
        "import os; os.kill(1, 9)",
        "from os import getuid; getuid()",
        "import signal as s; s.SIGKILL",
        "import os; os.fork()",
    ],
)
def test_a_call_that_only_posix_has_is_seen(source: str) -> None:
    assert uses_of(source, POSIX_CALLS) == [1]


def test_every_text_file_is_opened_with_its_encoding() -> None:
    assert offences(ALL, texts_without_encoding) == []


@pytest.mark.parametrize(
    "source",
    [
        "open('a')",
        "path.read_text()",
        "path.write_text('x')",
        "path.open('w')",
        "import gzip; gzip.open('a', 'rt')",
    ],
)
def test_a_text_file_opened_without_encoding_is_seen(source: str) -> None:
    assert texts_without_encoding(source) == [1]


@pytest.mark.parametrize(
    "source",
    [
        "open('a', encoding='utf-8')",
        "open('a', 'rb')",
        "path.open('rb')",
        "path.read_text('utf-8')",
        "import gzip; gzip.open('a')",
        "Journal.open(path)",
    ],
)
def test_binary_files_and_named_encodings_are_allowed(source: str) -> None:
    assert texts_without_encoding(source) == []


def test_constraints_are_exact_versions_without_addresses() -> None:
    rows = (ROOT / "constraints.txt").read_text(encoding="ascii").splitlines()
    odd = [
        row
        for row in rows
        if not row.startswith("#") and not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9.]*", row)
    ]
    assert odd == []
    assert not any("://" in row for row in rows)


def test_every_direct_dependency_is_pinned_inside_its_range() -> None:
    versions = pins()
    for requirement in requirements():
        name = canonicalize_name(requirement.name)
        if name == "vnpy-aiagent":
            continue
        assert name in versions, f"{requirement.name} is not in constraints.txt"
        assert requirement.specifier.contains(versions[name]), (
            f"{requirement} does not allow {versions[name]}"
        )


def test_every_direct_dependency_has_its_reason_on_record() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    names = {requirement.name.lower() for requirement in requirements()} - {"vnpy_aiagent"}
    assert {name for name in names if f"| {name} |" not in text} == set()


def test_the_strategy_shims_are_no_package() -> None:
    assert not (ROOT / "strategies" / "__init__.py").exists()


def test_the_wheel_brings_one_top_level_package() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        found = tomllib.load(file)["tool"]["setuptools"]["packages"]["find"]["include"]
    assert all(pattern.split(".")[0] == "vnpy_aiagent" for pattern in found)


def test_the_floors_of_the_house_hold() -> None:
    command = "from importlinter.cli import lint_imports_command as run; run(['--no-cache', '--no-logo'])"
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("host", ["192.0.2.1", "example.invalid"])
def test_a_test_cannot_reach_the_network(host: str, no_network: list[str]) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, 80), timeout=1)
    assert len(no_network) == 1
    no_network.clear()


def test_a_test_can_reach_a_server_on_this_machine(no_network: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
    assert no_network == []


def test_vnpy_keeps_its_files_in_the_working_folder_of_the_tests() -> None:
    from vnpy.trader.utility import TEMP_DIR, TRADER_DIR

    assert Path.cwd() == TRADER_DIR
    assert TEMP_DIR == TRADER_DIR / ".vntrader"
    assert ROOT not in TRADER_DIR.parents
