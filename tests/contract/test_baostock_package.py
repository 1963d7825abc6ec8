"""The package baostock itself against a server on this machine that speaks its protocol.

AIAGENT_TEST_AKSHARE=1 runs it where baostock is installed. A message is 21 characters of head (version,
kind, length of the body in ten digits, between them \\x01), the body with its parts between \\x01, and
`<![CDATA[]]>\\n`; bodies of kind 96 (bars) are compressed by zlib. Read in baostock 0.9.4.
"""

import json
import os
import socket
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from importlib import import_module
from importlib.util import find_spec
from threading import Thread

import pytest

from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.baostock_bars import BaostockBars
from vnpy_aiagent.data.sources.port import BarRequest
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.enums import BarInterval

pytestmark = [
    pytest.mark.skipif(
        os.environ.get("AIAGENT_TEST_AKSHARE") != "1" or find_spec("baostock") is None,
        reason="set AIAGENT_TEST_AKSHARE=1 and install baostock to run its own client",
    ),
]
NOW = datetime(2025, 11, 19, 16, tzinfo=MARKET_TZ)
REQUEST = BarRequest("600519.SSE", BarInterval.DAILY, date(2025, 11, 17), date(2025, 11, 19))
END = b"<![CDATA[]]>\n"
VALUES = {
    "date": "2025-11-18", "code": "sh.600519", "open": "1468.0000", "high": "1486.0000", "low": "1460.0000",
    "close": "1476.0000", "preclose": "1471.0000", "volume": "3100000", "amount": "4566300000.0000",
    "tradestatus": "1",
}  # fmt: skip


class Vendor:
    """One thread that serves one connection after another; `hang_up` at a kind of message ends it there."""

    def __init__(self, hang_up: str = "") -> None:
        self.hang_up = hang_up
        self.kinds: list[str] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.05)
        self.port = self._server.getsockname()[1]
        self._over = False
        self._thread = Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._over = True
        self._thread.join()
        self._server.close()

    def _run(self) -> None:
        while not self._over:
            try:
                connection, _ = self._server.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(10)
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        waiting = b""
        while True:
            found = connection.recv(65_536)
            if not found:
                return
            waiting += found
            while b"\n" in waiting:
                line, _, waiting = waiting.partition(b"\n")
                kind = line.split(b"\x01")[1].decode()
                self.kinds.append(kind)
                if kind == self.hang_up:
                    return
                connection.sendall(self._answer(kind, line.decode()))

    def _answer(self, kind: str, line: str) -> bytes:
        parts = line[21:].split("\x01")
        if kind == "95":
            names = parts[5].split(",")
            record = json.dumps({"record": [[VALUES[name] for name in names]]})
            body = [
                "0",
                "success",
                parts[0],
                parts[1],
                parts[2],
                parts[3],
                record,
                parts[4],
                parts[5],
                *parts[6:10],
            ]
            packed = zlib.compress("\x01".join(body).encode())
            return f"00.9.40\x0196\x01{len(packed):010d}".encode() + packed + END
        body = "\x01".join(["0", "success", parts[0], "anonymous", ""])
        return f"00.9.40\x01{int(kind) + 1:02d}\x01{len(body):010d}".encode() + body.encode() + END


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    contants = import_module("baostock.common.contants")
    standin = Vendor()
    monkeypatch.setattr(contants, "BAOSTOCK_SERVER_IP", "127.0.0.1")
    monkeypatch.setattr(contants, "BAOSTOCK_SERVER_PORT", standin.port)
    yield standin
    standin.close()


def test_the_packages_own_client_brings_bars_and_prints_nothing(
    vendor: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = BaostockBars(patience=10).fetch(REQUEST, NOW, lambda: None)
    assert (bars.close.tolist(), bars.volume.tolist()) == ([1476.0], [3_100_000.0])
    assert vendor.kinds == ["00", "95", "02"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("kind", ["00", "95"])
def test_a_server_that_hangs_up_ends_the_request_and_no_thread_spins(
    vendor: Vendor, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    vendor.hang_up = kind
    with pytest.raises(SourceAbsence) as caught:
        BaostockBars(patience=10).fetch(REQUEST, NOW, lambda: None)
    assert caught.value.kind is AbsenceKind.UNREACHABLE
    assert "no answer in" not in str(caught.value)
    vendor.hang_up = ""
    assert len(BaostockBars(patience=10).fetch(REQUEST, NOW, lambda: None)) == 1
    assert capsys.readouterr().out == ""


def test_no_server_at_all_is_unreachable(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setattr(import_module("baostock.common.contants"), "BAOSTOCK_SERVER_PORT", port)
    with pytest.raises(SourceAbsence) as caught:
        BaostockBars(patience=10).fetch(REQUEST, NOW, lambda: None)
    assert caught.value.kind is AbsenceKind.UNREACHABLE
