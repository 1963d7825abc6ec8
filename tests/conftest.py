"""What every test stands on: a working folder of its own, no network, the same random choices each time.

vnpy decides at import where its folder is, so this file imports it inside a new folder with a `.vntrader`
before any test module can. pytest itself reads its arguments in the folder where it was called.
"""

import gc
import ipaddress
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
VNPY_SETTINGS = {"log.console": False, "log.file": False, "database.timezone": "Asia/Shanghai"}
TEST_VARIABLES = ("AIAGENT_SHARED", "AIAGENT_TEST_", "AIAGENT_CI_")


def _make_work_folder() -> Path:
    if "vnpy.trader.utility" in sys.modules:
        raise RuntimeError("vnpy was imported before tests/conftest.py could give it a folder")
    folder = Path(tempfile.mkdtemp(prefix="aiagent-tests-")).resolve()
    vntrader = folder / ".vntrader"
    vntrader.mkdir()
    (vntrader / "vt_setting.json").write_text(json.dumps(VNPY_SETTINGS), encoding="utf-8")
    return folder


def _forget_settings() -> None:
    """Settings of the developer's own shell must not reach a test."""
    for name in list(os.environ):
        if name.startswith("AIAGENT_") and not name.startswith(TEST_VARIABLES):
            del os.environ[name]


def _shared_folder() -> Path:
    return (ROOT / os.environ.get("AIAGENT_SHARED", "../shared")).resolve()


WORK = _make_work_folder()
SHARED = _shared_folder()
os.environ["AIAGENT_SHARED"] = str(SHARED)
_forget_settings()
with chdir(WORK):
    import_module("vnpy.trader.setting")

settings.register_profile("deterministic", derandomize=True, deadline=None, database=None)
settings.load_profile("deterministic")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Go to the working folder before the first fixture.

    A background job's children ignore Ctrl+C; tests that send it need processes that do not.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    hands_out = getattr(session.config.option, "numprocesses", None) and not hasattr(
        session.config, "workerinput"
    )
    if not hands_out:  # with xdist, the process that only hands out tests passes its folder on
        os.chdir(WORK)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave and remove the working folder."""
    os.chdir(ROOT)
    shutil.rmtree(WORK, ignore_errors=True)


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The clone."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real data beside the clone."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"{SHARED} holds no data folder: set AIAGENT_SHARED to the folder with the real data")
    return SHARED


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """URL of a PostgreSQL database for tests."""
    url = os.environ.get("AIAGENT_TEST_POSTGRES")
    if not url:
        pytest.skip("set AIAGENT_TEST_POSTGRES to the URL of a PostgreSQL database to run this")
    return url


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_open() -> Iterator[None]:
    """Collect after each module, so that a file or database left open fails where it was opened."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def _home_folder() -> Iterator[None]:
    """Each test begins in the working folder, wherever the one before went."""
    os.chdir(WORK)
    yield
    os.chdir(WORK)


def _is_loopback(address: Any) -> bool:
    """Whether a socket address stays on this machine; a path is a local socket."""
    if not isinstance(address, tuple):
        return True
    host = address[0]
    if host in ("", "localhost", None):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Refuse connections and name look-ups that leave the machine, and fail the test that tried.

    The value is the list of refused addresses; a test of the guard itself empties it.
    """
    refused: list[str] = []
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(address: Any) -> None:
        if not _is_loopback(address):
            refused.append(str(address))
            raise ConnectionRefusedError(f"tests have no network: {address}")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        check(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        check(address)
        return connect_ex(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        check((host.decode() if isinstance(host, bytes) else host,))
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    yield refused
    if refused:
        pytest.fail(f"this test tried to reach {', '.join(refused)}; use a server on 127.0.0.1")
