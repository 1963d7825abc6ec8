"""Sentences with figures."""

from hypothesis import given
from hypothesis import strategies as st

from vnpy_aiagent.domain import Text, clean, say, without_surrogates


def test_figures_fill_their_places() -> None:
    assert (
        str(say("单票仓位 {weight} 超过上限 {cap}", weight="14.5%", cap="10.0%"))
        == "单票仓位 14.5% 超过上限 10.0%"
    )


def test_a_translated_template_keeps_the_figures() -> None:
    text = say("现价 {last}", last=10)
    assert text.render({"现价 {last}": "last price {last}"}.__getitem__) == "last price 10"


def test_braces_without_a_figure_stay_as_they_are() -> None:
    assert str(Text(template='{"json": 1} {unknown} {', figures={"a": "b"})) == '{"json": 1} {unknown} {'


def test_a_figure_that_looks_like_a_place_is_not_filled_again() -> None:
    assert str(say("{a} {b}", a="{b}", b="2")) == "{b} 2"


def test_cleaning_takes_what_nobody_sees_and_keeps_chinese_punctuation() -> None:
    assert clean("\u202e跌\u200b\u2066停\x00\x1b[31m\ufeff") == "跌停[31m"
    assert clean("涨５％，（持仓）：“好”！…\r\n二\u2028三\t四") == "涨5％，（持仓）：“好”！…\n二\n三 四"
    assert clean("ﬁ e\u0301 \ud800\ue000x") == "fi é x"


def test_cleaning_cuts_at_a_limit() -> None:
    assert clean("abcdef", 6) == "abcdef"
    assert clean("abcdefg", 6) == "abcde…"


@given(st.text())
def test_cleaned_text_is_clean_and_can_be_stored(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    once.encode("utf-8")


@given(st.text(st.characters(codec=None)))
def test_without_surrogates_everything_can_be_encoded(text: str) -> None:
    kept = without_surrogates(text)
    kept.encode("utf-8")
    assert kept == text or any("\ud800" <= c <= "\udfff" for c in text)
