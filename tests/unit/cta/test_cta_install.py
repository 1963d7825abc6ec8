"""Shims in a user's folder: what is written, and what is never written over."""

import ast
from pathlib import Path

import pytest
from vnpy_ctastrategy import CtaTemplate

from vnpy_aiagent import cta
from vnpy_aiagent.cta.install import default_folder, install_strategies, shims
from vnpy_aiagent.errors import ConfigError


def test_the_repository_holds_the_shims_that_are_installed(repo_root):
    held = {path.name: path.read_text(encoding="utf-8") for path in (repo_root / "strategies").glob("*.py")}
    assert held == shims()


def test_every_exported_class_is_a_strategy_with_a_shim_of_its_own():
    classes = [getattr(cta, name) for name in cta.__all__]
    assert classes
    assert all(issubclass(item, CtaTemplate) for item in classes)
    assert len(shims()) == len(classes)
    assert shims()["ai_agent_strategy.py"].count("import") == 1


def test_a_shim_is_a_docstring_and_one_import():
    for text in shims().values():
        kinds = [type(node) for node in ast.parse(text).body]
        assert kinds == [ast.Expr, ast.ImportFrom]


def test_a_new_folder_is_made_and_filled(tmp_path):
    folder = tmp_path / "trader" / "strategies"
    assert install_strategies(folder) == [folder / name for name in shims()]
    assert (folder / "ai_agent_strategy.py").read_text(encoding="utf-8") == shims()["ai_agent_strategy.py"]
    assert not (folder / "__init__.py").exists()


def test_installing_twice_changes_nothing(tmp_path):
    install_strategies(tmp_path)
    assert len(install_strategies(tmp_path)) == len(shims())


@pytest.mark.parametrize("content", [b"# mine\n", b"\xff\xfe\x00"])
def test_a_users_own_file_is_not_overwritten(tmp_path, content):
    mine = tmp_path / "ai_agent_strategy.py"
    mine.write_bytes(content)
    with pytest.raises(ConfigError, match=r"ai_agent_strategy\.py exists .* rename it"):
        install_strategies(tmp_path)
    assert mine.read_bytes() == content


def test_a_users_own_file_is_overwritten_when_asked(tmp_path):
    mine = tmp_path / "ai_agent_strategy.py"
    mine.write_text("# mine\n", encoding="utf-8")
    install_strategies(tmp_path, overwrite=True)
    assert mine.read_text(encoding="utf-8") == shims()["ai_agent_strategy.py"]


def test_a_folder_that_cannot_be_made_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="choose another folder"):
        install_strategies(tmp_path / "file" / "strategies")


def test_the_default_folder_lies_in_the_traders_own():
    assert default_folder() == Path.cwd() / "strategies"
