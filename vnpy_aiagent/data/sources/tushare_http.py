"""Tushare Pro over HTTP, by https://tushare.pro/document/1?doc_id=130; no package of theirs is needed.

A request is a POST of JSON {api_name, token, params, fields}; the answer is {code, msg, data: {fields,
items}} where code 0 is success and 2002 is a question of rights. Rates depend on the account (doc_id=290);
that one asked too often is told in msg alone: 每分钟最多访问该接口N次.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import httpx2

from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.domain.text import Text, clean, say

SOURCE = "tushare"
ADDRESS = "http://api.tushare.pro"
TIMEOUT = 30.0
PROBLEM_LENGTH = 120
_TOO_FAST = ("最多访问", "频次", "频率")


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by name and rows of JSON values, None where a value is missing."""

    fields: tuple[str, ...]
    items: tuple[tuple[Any, ...], ...]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.items)

    def column(self, name: str) -> list[Any]:
        """One column; SourceAbsence where the answer lacks it."""
        self.require((name,))
        index = self.fields.index(name)
        return [row[index] for row in self.items]

    def records(self) -> list[dict[str, Any]]:
        """Rows as dicts."""
        return [dict(zip(self.fields, row, strict=True)) for row in self.items]

    def require(self, names: Sequence[str]) -> Self:
        """The table itself; SourceAbsence where a documented column is missing."""
        missing = [name for name in names if name not in self.fields]
        if missing:
            raise _absence(
                AbsenceKind.BAD_DATA, say("tushare 的表缺少列 {columns}", columns=", ".join(missing))
            )
        return self


class TushareClient:
    """Asks one address with one token. The token stands in no error's text."""

    def __init__(self, token: str, address: str = ADDRESS, timeout: float = TIMEOUT) -> None:
        """`timeout`: seconds for connecting, and for each pause while reading."""
        self._token = token
        self._address = address
        self._timeout = timeout

    @property
    def is_set_up(self) -> bool:
        """Whether there is a token."""
        return bool(self._token)

    def missing_token(self) -> SourceAbsence:
        """What to do where there is none."""
        return _absence(
            AbsenceKind.NOT_SET_UP,
            say("没有 tushare 的 token：请运行 aiagent data token，或在设置文件填写 data.tushare.token"),
        )

    def query(self, api_name: str, params: Mapping[str, str], fields: Sequence[str] = ()) -> Table:
        """One table, with all of `fields`; an empty one where there are no rows. SourceAbsence otherwise.

        A row whose length differs from the columns, no JSON, and a missing column are BAD_DATA.
        """
        if not self._token:
            raise self.missing_token()
        body = {
            "api_name": api_name,
            "token": self._token,
            "params": dict(params),
            "fields": ",".join(fields),
        }
        try:
            with httpx2.Client(timeout=self._timeout, trust_env=True) as client:
                answer = client.post(self._address, json=body)
        except httpx2.HTTPError as error:
            raise _absence(
                AbsenceKind.UNREACHABLE,
                say(
                    "tushare 没有应答（{problem}）；请检查网络或代理",
                    problem=self._said(f"{type(error).__name__}: {error}"),
                ),
            ) from error
        return self._table(answer).require(fields if fields else ())

    def _table(self, answer: httpx2.Response) -> Table:
        if answer.status_code != 200:
            kind = AbsenceKind.LIMITED if answer.status_code == 429 else AbsenceKind.UNREACHABLE
            kind = AbsenceKind.REFUSED if answer.status_code in (401, 403) else kind
            kind = AbsenceKind.DISCONTINUED if answer.status_code in (404, 410) else kind
            raise _absence(kind, say("tushare 答复 HTTP {status}；请稍后再试", status=answer.status_code))
        try:
            content = json.loads(answer.content)
            code, message = int(content["code"]), str(content.get("msg") or "")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _absence(AbsenceKind.BAD_DATA, say("tushare 的答复不是文档所写的 JSON")) from error
        if code != 0:
            too_fast = any(word in message for word in _TOO_FAST)
            raise _absence(
                AbsenceKind.LIMITED if too_fast else AbsenceKind.REFUSED,
                say(
                    "tushare 拒绝（{code}：{problem}）；请检查 token、积分和访问频次",
                    code=code,
                    problem=self._said(message),
                ),
            )
        try:
            data = content["data"] or {"fields": [], "items": []}
            table = Table(tuple(data["fields"]), tuple(tuple(row) for row in data["items"]))
            fits = all(len(row) == len(table.fields) for row in table.items)
        except (KeyError, TypeError) as error:
            raise _absence(AbsenceKind.BAD_DATA, say("tushare 的答复不是文档所写的 JSON")) from error
        if not fits:
            raise _absence(AbsenceKind.BAD_DATA, say("tushare 的表有行与列数不符"))
        return table

    def _said(self, words: str) -> str:
        """The server's own words, short, without the token."""
        return clean(words.replace(self._token, "…").replace("\n", " "), PROBLEM_LENGTH)


def _absence(kind: AbsenceKind, text: Text) -> SourceAbsence:
    return SourceAbsence(SOURCE, kind, text)
