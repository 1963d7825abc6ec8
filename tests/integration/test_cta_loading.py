"""Both CTA apps find the installed strategy, and its class survives their reloads for the optimisers."""

import pickle
import sys
from pathlib import Path

import pytest
from vnpy.trader.engine import MainEngine
from vnpy_ctabacktester import CtaBacktesterApp
from vnpy_ctastrategy import CtaStrategyApp

from vnpy_aiagent.cta import AiAgentStrategy
from vnpy_aiagent.cta.install import install_strategies
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine

NAME = "AiAgentStrategy"


@pytest.fixture
def trader(tmp_path, monkeypatch):
    """A trader's folder with the strategies installed, on the import path as a working folder is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    install_strategies(tmp_path / "strategies")
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] == "strategies"]:
        del sys.modules[name]


def test_both_apps_find_the_same_class_and_it_can_be_pickled(trader: Path):
    main = MainEngine(DeterministicEventEngine())
    try:
        engines = [main.add_app(CtaStrategyApp), main.add_app(CtaBacktesterApp)]
        for engine in (*engines, *engines):
            engine.load_strategy_class_from_folder(trader / "strategies", "strategies")
        found = [engine.classes[NAME] for engine in engines]
        assert found == [AiAgentStrategy, AiAgentStrategy]
        assert pickle.loads(pickle.dumps(found[0])) is AiAgentStrategy
    finally:
        main.close()


def test_the_windows_see_every_parameter_with_its_default():
    parameters = AiAgentStrategy.get_class_parameters()
    assert parameters["account"] == "judge"
    assert {type(value) for value in parameters.values()} <= {str, int, float, bool}
    assert all(hasattr(AiAgentStrategy, name) for name in AiAgentStrategy.variables)


def test_loading_the_strategy_imports_no_window_toolkit(repo_root):
    import subprocess

    code = (
        "import sys, vnpy_aiagent.cta; sys.exit(any(name.split('.')[0] == 'PySide6' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path.cwd(), check=False).returncode == 0
