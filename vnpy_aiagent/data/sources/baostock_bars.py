"""Daily and hourly bars through the package baostock, not adjusted (adjustflag 3).

By http://baostock.com (A股K线数据, query_history_k_data_plus): every value is a string, volume counts shares,
amount is CNY, `time` of an hourly bar is its end as YYYYMMDDHHMMSSsss, tradestatus 0 marks a day of
suspension (no bar here). There are no one-minute bars, no hourly bars of indices, and nothing of the
Beijing exchange.

The package keeps one connection for the whole process, prints to standard output, has no time-out, and
spins in a loop where the server hangs up; a failed second page it leaves out silently. So requests go one
at a time, are cut to less than a page, and its sockets are given a time-out and an end (`_tame`).
"""

import socket
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from sys import modules
from threading import Lock
from typing import Any

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.csv_files import parse_time
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.patience import within
from vnpy_aiagent.data.sources.port import BarRequest, Turn, complete_series, not_offered
from vnpy_aiagent.data.sources.units import in_shares
from vnpy_aiagent.data.symbols import is_index
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.domain.text import Text, clean, say
from vnpy_aiagent.errors import BadRow

SOURCE, LABEL = "baostock", "BaoStock"
PATIENCE = 60.0  # seconds for one table
QUIET_SECONDS = 20.0  # after so many without a byte its socket gives up
PROBLEM_LENGTH = 120
PREFIXES = {"SSE": "sh", "SZSE": "sz"}
DAY_FIELDS = ("date", "code", "open", "high", "low", "close", "preclose", "volume", "amount")
HOUR_FIELDS = ("date", "time", "code", "open", "high", "low", "close", "volume", "amount")
STATUS = "tradestatus"
SPANS = {BarInterval.DAILY: timedelta(days=5 * 365), BarInterval.HOUR: timedelta(days=365)}
OK = "0"
_NOT_OFFERED = ("10004011", "10004014", "10004015")  # codes of baostock/common/contants.py
_REFUSED, _NETWORK = "10001", "10002"
_one_at_a_time = Lock()


def is_installed() -> bool:
    """Whether baostock is there; it is not imported."""
    return find_spec("baostock") is not None


class BaostockBars:
    """Bars of shares, ETFs and indices of Shanghai and Shenzhen."""

    name = SOURCE
    is_kept = True

    def __init__(self, client: Any = None, patience: float = PATIENCE) -> None:
        """client: what has baostock's functions, by default itself. patience: seconds a table."""
        self._client = client
        self._patience = patience

    def missing(self) -> SourceAbsence | None:
        """Whether the package lacks."""
        if self._client is not None or is_installed():
            return None
        return _absence(
            AbsenceKind.NOT_SET_UP, say('没有安装 baostock：请运行 pip install "vnpy_aiagent[baostock]"')
        )

    def fetch(self, request: BarRequest, now: datetime, turn: Turn) -> BarSeries:
        """Bars, a few years at a time."""
        code, _, exchange = request.vt_symbol.rpartition(".")
        index = is_index(request.vt_symbol)
        hours = request.interval is BarInterval.HOUR
        if exchange not in PREFIXES or request.interval not in SPANS or (index and hours):
            raise not_offered(SOURCE, LABEL, request)
        fields = HOUR_FIELDS if hours else DAY_FIELDS if index else (*DAY_FIELDS, STATUS)
        rows: list[tuple[Any, ...]] = []
        for first, last in _spans(request):
            turn()
            ask = partial(
                self._table,
                f"{PREFIXES[exchange]}.{code}",
                fields,
                first,
                last,
                "60" if hours else "d",
                request,
            )
            try:
                table = within(self._patience, ask, SOURCE)
            except SourceAbsence:
                raise
            except Exception as error:  # whatever the package raises: its sockets and parsers are not ours
                raise _unreachable(f"{type(error).__name__}: {error}") from error
            rows += [_row(row) for row in table if row.get(STATUS) != "0"]
        bars = complete_series(rows, request, now, SOURCE, LABEL)
        return bars if index else in_shares(bars, SOURCE, LABEL, stated=1)

    def _table(
        self,
        code: str,
        fields: tuple[str, ...],
        first: date,
        last: date,
        frequency: str,
        request: BarRequest,
    ) -> list[dict[str, str]]:
        """Rows of one answer by field; a connection of its own for each."""
        if not _one_at_a_time.acquire(timeout=self._patience):
            raise _unreachable(f"TimeoutError: {self._patience:g} s")
        try:
            client = self._client if self._client is not None else _package()
            entered = client.login()
            if entered.error_code != OK:
                raise _refused(entered.error_code, entered.error_msg, request)
            found = client.query_history_k_data_plus(
                code,
                ",".join(fields),
                start_date=first.isoformat(),
                end_date=last.isoformat(),
                frequency=frequency,
                adjustflag="3",
            )
            rows = _rows(found, fields, request)
            client.logout()
            return rows
        finally:
            _hang_up()
            _one_at_a_time.release()


def _rows(found: Any, fields: tuple[str, ...], request: BarRequest) -> list[dict[str, str]]:
    """All rows of a ResultData by field."""
    if found is None or found.error_code != OK:
        number, words = (found.error_code, found.error_msg) if found is not None else ("", "")
        raise _refused(number, words, request)
    lacking = [name for name in fields if name not in found.fields]
    if lacking and found.fields:
        text = say("{source} 的表缺少列 {columns}", source=LABEL, columns=", ".join(lacking))
        raise _absence(AbsenceKind.BAD_DATA, text)
    rows: list[dict[str, str]] = []
    while found.error_code == OK and found.next():
        rows.append(dict(zip(found.fields, found.get_row_data(), strict=True)))
    if found.error_code != OK:
        raise _refused(found.error_code, found.error_msg, request)
    return rows


def _spans(request: BarRequest) -> Iterator[tuple[date, date]]:
    """Parts of the request with fewer rows than a page of 2,000."""
    start = request.start
    while start <= request.end:
        last = min(start + SPANS[request.interval], request.end)
        yield start, last
        start = last + timedelta(days=1)


def _row(row: dict[str, str]) -> tuple[Any, ...]:
    """A row of BarSeries.from_rows; an empty string is a missing value."""
    try:
        if "time" in row:
            when = datetime.strptime(row["time"][:14], "%Y%m%d%H%M%S").replace(tzinfo=MARKET_TZ)
        else:
            when = parse_time(row["date"])
    except ValueError as error:
        raise BadRow(f"{LABEL}, {row.get('code', '')}: {error}") from error
    names = ("open", "high", "low", "close", "volume", "amount", "preclose")
    return (when, *(row.get(name) or None for name in names))


def _refused(number: str, words: str, request: BarRequest) -> SourceAbsence:
    """What an error code of theirs means."""
    if number in _NOT_OFFERED:
        return not_offered(SOURCE, LABEL, request)
    said = clean(f"{number} {words}".replace("\n", " "), PROBLEM_LENGTH)
    if number.startswith(_NETWORK) or not number:
        return _unreachable(said)
    kind = AbsenceKind.REFUSED if number.startswith(_REFUSED) else AbsenceKind.BAD_DATA
    return _absence(kind, say("{source} 拒绝（{problem}）；请稍后再试", source=LABEL, problem=said))


def _unreachable(problem: str) -> SourceAbsence:
    return _absence(
        AbsenceKind.UNREACHABLE,
        say("{source} 没有应答（{problem}）；请检查网络或代理", source=LABEL, problem=problem),
    )


def _absence(kind: AbsenceKind, text: Text) -> SourceAbsence:
    return SourceAbsence(SOURCE, kind, text)


def _package() -> Any:
    package = import_module("baostock")
    _tame()
    return package


class _Socket(socket.socket):
    """A socket with a time-out, for which the server's hanging up is an error."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.settimeout(QUIET_SECONDS)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        found = super().recv(size, flags)
        if not found:
            raise ConnectionError("the server closed the connection")
        return found


class _Sockets:
    """What baostock needs of the module `socket`."""

    AF_INET, SOCK_STREAM, socket = socket.AF_INET, socket.SOCK_STREAM, _Socket


def _tame() -> None:
    """Give baostock's modules safe sockets and no voice; what they would print is in their error codes."""
    for name, module in list(modules.items()):
        if name.startswith("baostock."):
            vars(module)["print"] = _silent
    vars(modules["baostock.util.socketutil"])["socket"] = _Sockets


def _hang_up() -> None:
    """Close the package's connection, which a failed login leaves open."""
    context = modules.get("baostock.common.context")
    connection = getattr(context, "default_socket", None)
    if connection is not None:
        connection.close()


def _silent(*_: object) -> None:
    """Print nothing."""
