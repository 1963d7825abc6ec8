"""A change of state that a human ordered is on the disk when the command returns."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vnpy_aiagent.domain import StateChanged, parse_message
from vnpy_aiagent.engine import AiAgentEngine
from vnpy_aiagent.store.journal import JournalReader

from .small_house import SmallHouse

COMMANDS: dict[str, Callable[[AiAgentEngine], object]] = {
    "pause": AiAgentEngine.pause,
    "halt": lambda engine: engine.halt("look"),
    "flatten": AiAgentEngine.flatten,
    "resume": AiAgentEngine.resume,
}


def states(journal: Path) -> list[str]:
    """What another process reads of the trading state."""
    reader = JournalReader.open(journal)
    try:
        told = [parse_message(e.kind, e.body) for e in reader.read(kinds=["StateChanged"])]
    finally:
        reader.close()
    return [each.reason for each in told if isinstance(each, StateChanged)]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_process_killed_right_after_a_command_has_not_lost_it(tmp_path: Path, command: str) -> None:
    journal = tmp_path / "journal.db"
    with SmallHouse(journal, "2025-07-01 10:00", threaded=True) as house:
        held: Any = house.engine.parts.writer._journal  # type: ignore[attr-defined]
        append = held.append

        def slow_disk(*args: Any, **kwargs: Any) -> Any:
            time.sleep(0.05)
            return append(*args, **kwargs)

        held.append = slow_disk
        COMMANDS[command](house.engine)
        assert states(journal) == ["look" if command == "halt" else command]
