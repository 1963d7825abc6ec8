"""Cells of sources' tables that are neither numbers nor plainly missing."""

from typing import Any

import pytest

from vnpy_aiagent.data.fact_sources.rows import plain, share_of


class NAType:
    """As pandas.NA: it compares with nothing."""

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")

    def __ne__(self, other: object) -> Any:
        return self

    def __eq__(self, other: object) -> Any:
        return self

    __hash__ = None  # type: ignore[assignment]


def test_a_missing_cell_of_a_nullable_column_is_missing() -> None:
    assert plain(NAType()) is None


@pytest.mark.parametrize("code", ["²", "٦٠٠٥١٩", "６００５１９", "-1", "6005191", ""])
def test_what_looks_like_digits_is_no_share(code: str) -> None:
    assert share_of(code) is None
