"""Sentences with figures."""

from vnpy_aiagent.domain import Text, say


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
