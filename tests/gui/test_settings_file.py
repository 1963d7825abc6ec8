"""The settings file keeps what its owner wrote: order, comments, unknown spacing; only values change."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnpy_aiagent.config import parse_yaml
from vnpy_aiagent.ui.settings.values import BadSetting, SettingsFile
from vnpy_aiagent.ui.settings.yaml_edit import edited

TEXT = """\
# my notes
universe: [600519.SSE]  # maotai
llm:
  # the cheap one
  model: deepseek-chat
  base_url: "https://x.test/v1" # url

# end of llm
sim: {slippage_ticks: 3}
schedule:
  - {name: plan, at: 07:00, task: plan}  # early
# tail"""


def changed(**changes: object) -> str:
    old = parse_yaml(TEXT)
    new = {key: value for key, value in {**old, **changes}.items() if value is not None}
    found = edited(TEXT, old, new)
    assert found is not None
    assert parse_yaml(found.text) == new
    return found.text


def test_a_nested_value_changes_and_every_comment_stays():
    text = changed(llm={"model": "r", "base_url": "https://x.test/v1", "timeout": 45})
    assert all(
        note in text
        for note in ("# my notes", "# maotai", "# the cheap one", "# url", "# end of llm", "# tail")
    )
    assert "  timeout: 45" in text


def test_a_part_is_removed_and_one_is_added():
    text = changed(sim=None, brain={"debate": False})
    assert "slippage" not in text
    assert "# end of llm" in text


def test_words_that_yaml_takes_for_something_else_stay_words():
    assert "'on'" in changed(universe=["on", "000001"])


def test_comments_inside_a_replaced_part_are_told_as_lost():
    old = parse_yaml(TEXT)
    found = edited(TEXT, old, {**old, "llm": {}})
    assert found is not None
    assert found.comments_lost
    assert parse_yaml(found.text)["llm"] == {}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab:#'\" 中-", max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["universe", "llm", "sim", "schedule", "brain"]), VALUES, max_size=5))
def test_whatever_is_written_reads_back_or_is_left_to_be_written_anew(new):
    found = edited(TEXT, parse_yaml(TEXT), new)
    if found is not None and new:
        assert parse_yaml(found.text) == new


def test_a_flow_style_file_is_written_anew_with_a_backup(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text("{universe: [600519.SSE]} # all on one line\n", encoding="utf-8")
    saved = SettingsFile(path).save({"language": "en"})
    assert saved.comments_lost
    assert saved.backup is not None
    assert parse_yaml(path.read_text(encoding="utf-8")) == {"universe": ["600519.SSE"], "language": "en"}


def test_a_refused_value_writes_nothing(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text(TEXT, encoding="utf-8")
    with pytest.raises(BadSetting):
        SettingsFile(path).save({"language": "klingon"})
    assert path.read_text(encoding="utf-8") == TEXT
    assert [each.name for each in tmp_path.iterdir()] == ["config.yaml"]
