"""Every Chinese sentence has an English translation with the same places, compiled and in step."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import vnpy_aiagent
from vnpy_aiagent.domain import Stance, StopState, Text, say
from vnpy_aiagent.i18n import LABELS, LOCALE_DIR, Localizer, show, translator
from vnpy_aiagent.locale.build import catalogues, compile_mo, main, read_po

PACKAGE = Path(vnpy_aiagent.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
PLACE = re.compile(r"\{(\w+)\}")
ALL_STRINGS = ("report", "llm/offline")
PO = LOCALE_DIR / "en" / "LC_MESSAGES" / "vnpy_aiagent.po"


def docstrings(tree: ast.AST) -> set[int]:
    """Ids of constants that are statements of their own."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def strings(node: ast.AST, skipped: set[int]) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Constant) and id(child) not in skipped:
            value = child.value
            if isinstance(value, str) and CHINESE.search(value):
                yield value


def templates_of(path: Path) -> Iterator[str]:
    """Chinese strings inside say(...) calls; all Chinese strings in rooms that only write sentences."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = docstrings(tree)
    inside = path.relative_to(PACKAGE).as_posix()
    if inside.startswith(ALL_STRINGS):
        yield from strings(tree, skipped)
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
            yield from strings(node, skipped)


def all_templates() -> list[str]:
    found = {template: None for path in sorted(PACKAGE.rglob("*.py")) for template in templates_of(path)}
    return [*found, *(label for label in dict.fromkeys(LABELS.values()) if label not in found)]


def test_the_walk_finds_sentences_of_rules_and_of_the_offline_analyst():
    found = all_templates()
    assert "当日亏损 {loss}，上限 {cap}" in found
    assert "缺少行情或指标，不作判断" in found
    assert len(found) > 150


def test_every_chinese_sentence_has_an_english_translation():
    english = read_po(PO.read_text(encoding="utf-8"))
    missing = [template for template in all_templates() if template not in english]
    stanzas = "\n".join(f'msgid "{template}"\nmsgstr ""\n' for template in missing)
    assert not missing, f"add to {PO.name} and run python -m vnpy_aiagent.locale.build:\n{stanzas}"


def test_translations_keep_every_place_and_hold_no_chinese():
    for template, translation in read_po(PO.read_text(encoding="utf-8")).items():
        if template:
            assert set(PLACE.findall(template)) == set(PLACE.findall(translation)), template
            assert not CHINESE.search(translation), template


def test_the_catalogue_holds_nothing_that_is_no_longer_said():
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")]
    used = {string for tree in trees for string in strings(tree, docstrings(tree))}
    stale = [
        template for template in read_po(PO.read_text(encoding="utf-8")) if template and template not in used
    ]
    assert not stale


def test_the_compiled_catalogue_is_in_step_with_its_source():
    assert catalogues() == [PO]
    assert PO.with_suffix(".mo").read_bytes() == compile_mo(read_po(PO.read_text(encoding="utf-8")))
    assert main(["--check"]) == 0


def test_a_sentence_is_shown_in_both_languages():
    text = say("当日亏损 {loss}，上限 {cap}", loss="1.0%", cap="3.0%")
    assert show(text, translator("zh")) == "当日亏损 1.0%，上限 3.0%"
    assert show(text, translator("en")) == "loss today 1.0%, limit 3.0%"


def test_figures_that_are_chinese_fragments_or_names_are_translated():
    text = say(
        "成交 {account} {side} {symbol} {volume} 股 @ {price}",
        account="judge",
        side="买入",
        symbol="510300.SSE",
        volume=100,
        price="4.1",
    )
    assert "buy" in show(text, translator("en"))
    assert show(say("{setup}", setup="breakout"), translator("zh")) == "突破"


def test_lines_of_a_debate_with_numbered_places_are_translated_one_by_one():
    text = Text(
        template="把握 {confidence_0} 不足 {minimum_0}，不开仓\nRSI 已到 {rsi_1}，是否追高？",
        figures={"confidence_0": "50.0%", "minimum_0": "60.0%", "rsi_1": "71.0"},
    )
    shown = show(text, translator("en"))
    assert not CHINESE.search(shown)
    assert "50.0%" in shown
    assert "71.0" in shown


def test_free_text_of_a_model_stays_as_it_is():
    text = Text(template="brand new idea {x_1}\n随便写的一句话")
    assert show(text, translator("en")) == "brand new idea {x_1}\n随便写的一句话"


def test_an_empty_template_does_not_become_the_header_of_the_catalogue():
    assert translator("en")("") == ""


def test_labels_follow_the_class_where_two_enums_share_a_name():
    chinese = Localizer("zh")
    assert chinese.label(StopState.FLAT) == "已清仓"
    assert chinese.label("FLAT") == "震荡"
    assert chinese.label(Stance.BULLISH) == "看多"
    assert chinese.label("never seen") == "never seen"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('msgid "a"\nmsgstr ""\n', "no translation"),
        ('msgid "a"\nmsgstr "b"\nmsgid "a"\nmsgstr "c"\n', "twice"),
        ("msgid a\n", "not a quoted string"),
    ],
)
def test_a_broken_catalogue_is_refused_with_its_reason(text: str, complaint: str):
    with pytest.raises(ValueError, match=complaint):
        read_po(text)
