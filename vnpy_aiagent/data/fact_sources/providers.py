"""Who is asked: akshare, Tushare Pro, the lists of three authorities. A table a request, or an absence."""

import json
import os
import re
from collections.abc import Callable, Mapping
from html import unescape
from importlib import import_module
from textwrap import shorten
from typing import Any, Protocol

from vnpy_aiagent.data.fact_sources.dataset import Arguments, Call, Dataset
from vnpy_aiagent.data.fact_sources.rows import plain, rows_of
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.akshare_bars import is_installed
from vnpy_aiagent.data.sources.patience import within
from vnpy_aiagent.data.sources.tushare_http import TushareClient
from vnpy_aiagent.domain.text import say

PATIENCE = 180.0
"""Seconds for one table of akshare: some have dozens of pages, and some requests no limit of their own."""
PROBLEM_LENGTH = 120
SITE_PATIENCE = 20.0
Rows = list[dict[str, Any]]
Get = Callable[[str], bytes]


class Provider(Protocol):
    """One who gives tables."""

    @property
    def is_set_up(self) -> bool:
        """Whether it can be asked here at all."""
        ...

    def table(self, dataset: Dataset, call: Call, arguments: Arguments) -> Rows:
        """Rows of the documented columns, none where there are none. SourceAbsence where it fails."""
        ...


class AkshareProvider:
    """Tables of akshare. Each function runs in a thread of its own, since some wait without end."""

    def __init__(self, client: Any = None, patience: float = PATIENCE) -> None:
        """`client`: what has akshare's functions, by default akshare itself, loaded when first asked."""
        self._client = client
        self._patience = patience

    @property
    def is_set_up(self) -> bool:
        """Whether akshare is there."""
        return self._client is not None or is_installed()

    def table(self, dataset: Dataset, call: Call, arguments: Arguments) -> Rows:
        """One table."""
        client = self._load(dataset.source)
        function = getattr(client, call.function, None)
        if function is None:
            raise _absence(
                dataset.source,
                AbsenceKind.BAD_DATA,
                say("akshare 没有函数 {name}；请安装相配的版本", name=call.function),
            )
        if call.function.endswith("_qvix"):
            _forget_qvix(client)
        frame = self._run(dataset.source, lambda: function(**arguments))
        return rows_of(frame, call.columns, dataset.source)

    def _load(self, source: str) -> Any:
        if self._client is None:
            os.environ.setdefault("TQDM_DISABLE", "1")  # its progress bars have no place in a trading process
            try:
                self._client = import_module("akshare")
            except Exception as error:
                missing = isinstance(error, ModuleNotFoundError) and error.name == "akshare"
                kind = AbsenceKind.NOT_SET_UP if missing else AbsenceKind.BAD_DATA
                raise _absence(
                    source,
                    kind,
                    say(
                        'akshare 无法载入（{problem}）；请运行 pip install "vnpy_aiagent[akshare]"',
                        problem=_said(error),
                    ),
                ) from error
        return self._client

    def _run(self, source: str, work: Callable[[], Any]) -> Any:
        try:
            return within(self._patience, work, "akshare-facts")
        except Exception as error:  # akshare raises whatever its parsers do
            if isinstance(error, TypeError) and "NoneType" in str(error):
                return None  # it takes apart an answer whose `result` or `data` is null: there are no rows
            kind = AbsenceKind.UNREACHABLE if isinstance(error, OSError) else AbsenceKind.BAD_DATA
            kind = AbsenceKind.NOT_SET_UP if isinstance(error, ModuleNotFoundError) else kind
            raise _absence(
                source, kind, say("{source} 没有给出数据（{problem}）", source=source, problem=_said(error))
            ) from error


class TushareProvider:
    """Tables of Tushare Pro."""

    def __init__(self, client: TushareClient) -> None:
        """`client`: with the user's token."""
        self._client = client

    @property
    def is_set_up(self) -> bool:
        """Whether there is a token."""
        return self._client.is_set_up

    def table(self, dataset: Dataset, call: Call, arguments: Arguments) -> Rows:
        """One table."""
        found = self._client.query(call.function, arguments, tuple(call.columns))
        return [
            {name: plain(cell) for name, cell in record.items() if name in call.columns}
            for record in found.records()
        ]


CSRC = (
    "https://www.csrc.gov.cn/searchList/a1a078ee0bc54721ab6b148884c784a8"
    "?_isAgg=true&_isJson=true&_pageSize=20&_template=index&page=1"
)
PBC = "http://www.pbc.gov.cn/goutongjiaoliu/113456/113469/index.html"
NDRC = "https://www.ndrc.gov.cn/xwdt/xwfb/"
ADDRESSES: Mapping[str, str] = {"csrc": CSRC, "pbc": PBC, "ndrc": NDRC}
_LINK = re.compile(r"""<a\b[^>]*?\bhref\s*=\s*["']([^"']+)["'][^>]*>(.*?)</a>""", re.S | re.I)
_TITLE = re.compile(r"""\btitle\s*=\s*["']([^"']+)["']""", re.I)
_TAG = re.compile(r"<[^>]+>")
_PBC_PAGE = re.compile(r"/113456/113469/(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})\d*/index\.html$")
_NDRC_PAGE = re.compile(r"/?\d{6}/t(\d{4})(\d{2})(\d{2})_\d+\.html?$")


class SiteProvider:
    """Lists of authorities. What is no list of theirs is BAD_DATA, never an empty list."""

    def __init__(self, get: Get, addresses: Mapping[str, str] = ADDRESSES) -> None:
        """`get` fetches an address; it raises OSError where it cannot."""
        self._get = get
        self._addresses = addresses

    @property
    def is_set_up(self) -> bool:
        """Nothing is needed."""
        return True

    def table(self, dataset: Dataset, call: Call, arguments: Arguments) -> Rows:
        """Rows of title, published, body and url."""
        name = call.function
        try:
            content = self._get(self._addresses[name])
        except OSError as error:
            raise _absence(
                name,
                AbsenceKind.UNREACHABLE,
                say("{source} 没有应答（{problem}）", source=name, problem=_said(error)),
            ) from error
        try:
            text = content.decode("utf-8")
            rows = _csrc_rows(text) if name == "csrc" else _list_rows(name, text)
        except (ValueError, KeyError, TypeError) as error:
            raise self._changed(name) from error
        if not rows:
            raise self._changed(name)
        return rows

    def _changed(self, name: str) -> SourceAbsence:
        return _absence(name, AbsenceKind.BAD_DATA, say("{source} 的网页不是预期的列表", source=name))


def _csrc_rows(text: str) -> Rows:
    results = json.loads(text)["data"]["results"]
    return [
        {
            "title": plain(unescape(_TAG.sub("", item["title"]))),
            "published": plain(item["publishedTimeStr"]),
            "body": plain(item.get("content") or ""),
            "url": plain(item.get("url") or ""),
        }
        for item in results
    ]


def _list_rows(name: str, text: str) -> Rows:
    pattern = _PBC_PAGE if name == "pbc" else _NDRC_PAGE
    found: dict[str, dict[str, Any]] = {}
    for link in _LINK.finditer(text):
        page = pattern.search(link[1])
        if page is None:
            continue
        given = _TITLE.search(link[0][: link[0].find(">") + 1])
        title = unescape(given[1] if given else _TAG.sub("", link[2])).strip()
        if not title:
            continue
        on = f"{page[1]}-{page[2]}-{page[3]}"
        at = f"{on} {page[4]}:{page[5]}:{page[6]}" if name == "pbc" else on
        found.setdefault(link[1], {"title": title, "published": at, "body": None, "url": link[1]})
    return list(found.values())


def _forget_qvix(client: Any) -> None:
    """Drop akshare's copy of the volatility file: it is kept by lru_cache for the life of the process."""
    module = getattr(getattr(client, "index", None), "index_option_qvix", None)
    clear = getattr(getattr(module, "__get_optbbs_daily", None), "cache_clear", None)
    if clear is not None:
        clear()


def _said(error: Exception) -> str:
    return shorten(f"{type(error).__name__}: {error}", PROBLEM_LENGTH, placeholder="…")


def _absence(source: str, kind: AbsenceKind, text: Any) -> SourceAbsence:
    return SourceAbsence(source, kind, text)
