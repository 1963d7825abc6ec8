"""The universe of the settings as vnpy writes symbols, whatever notation a person chose."""

import pytest

from vnpy_aiagent import wiring
from vnpy_aiagent.config import Settings
from vnpy_aiagent.errors import UnknownSymbol
from vnpy_aiagent.wiring import load_universe, with_symbols


def test_the_usual_notations_become_one_symbol_each() -> None:
    settings = with_symbols(Settings(universe=("600519.SH", "sh600519", "000858.SZ", "IF2603.CFFEX")))
    assert settings.universe == ("600519.SSE", "000858.SZSE", "IF2603.CFFEX")
    assert load_universe(settings).symbols == ("000858.SZSE", "600519.SSE", "IF2603.CFFEX")


def test_a_name_that_is_known_is_a_symbol(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "known_names", lambda folder: {"600519.SSE": "贵州茅台"})
    assert with_symbols(Settings(universe=("贵州茅台",))).universe == ("600519.SSE",)


def test_symbols_that_vnpy_knows_leave_the_settings_as_they_are() -> None:
    settings = Settings(universe=("600519.SSE",))
    assert with_symbols(settings) is settings


@pytest.mark.parametrize("word", ["rb2605", "000001", "茅台"])
def test_a_word_that_is_no_symbol_is_refused_by_its_name(word: str) -> None:
    with pytest.raises(UnknownSymbol, match=word):
        with_symbols(Settings(universe=(word,)))
