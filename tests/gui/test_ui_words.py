"""Every Chinese sentence of the window has an English one, compiled and in step."""

import ast
import re
from pathlib import Path

import vnpy_aiagent
from vnpy_aiagent.i18n import LABELS, LOCALE_DIR
from vnpy_aiagent.locale.build import compile_mo, read_po
from vnpy_aiagent.ui.locale.build import SOURCE
from vnpy_aiagent.ui.presets import presets
from vnpy_aiagent.ui.settings.universe import HEADINGS
from vnpy_aiagent.ui.words import Words

UI = Path(vnpy_aiagent.__file__).parent / "ui"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
PLACE = re.compile(r"\{(\w+)\}")
OWN = {"中文", *HEADINGS, *(preset.name for preset in presets())}
"""Shown as they stand in every language, or read from users' files."""


def sentences() -> set[str]:
    found = set()
    for path in UI.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and id(node) not in skipped else None
            if isinstance(text, str) and CHINESE.search(text):
                found.add(text)
    return found - OWN


def test_every_sentence_of_the_window_has_an_english_one():
    own = read_po(SOURCE.read_text(encoding="utf-8"))
    shared = read_po((LOCALE_DIR / "en/LC_MESSAGES/vnpy_aiagent.po").read_text(encoding="utf-8"))
    assert len(sentences()) > 150
    assert sorted(sentences() - set(own) - set(shared)) == []


def test_translations_keep_their_places_and_none_is_left_over():
    own = read_po(SOURCE.read_text(encoding="utf-8"))
    for template, translation in own.items():
        if template:
            assert set(PLACE.findall(template)) == set(PLACE.findall(translation)), template
            assert not CHINESE.search(translation), template
    assert sorted(set(own) - sentences() - OWN - set(LABELS.values()) - {""}) == []


def test_the_compiled_catalogue_is_in_step():
    own = read_po(SOURCE.read_text(encoding="utf-8"))
    assert SOURCE.with_suffix(".mo").read_bytes() == compile_mo(own)


def test_the_window_falls_back_to_the_sentences_of_the_package():
    words = Words("en")
    assert words("全部停止") == "Stop all"
    assert words("当日亏损 {loss}，上限 {cap}", loss="1%", cap="3%") == "loss today 1%, limit 3%"
    assert Words("zh")("全部停止") == "全部停止"
