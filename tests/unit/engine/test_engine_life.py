"""Before start, after close, and what close says when the journal could not be written."""

from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.logger import logger

from vnpy_aiagent.domain import Alert, Severity, Text, say
from vnpy_aiagent.errors import AiAgentError, ConfigError

from .small_house import BANK, SmallHouse

COMMANDS: dict[str, tuple[Any, ...]] = {
    "analyze": (BANK,),
    "pause": (),
    "halt": ("test",),
    "resume": (),
    "flatten": (),
    "run_job": ("plan",),
    "cancel_trigger": ("x",),
    "heartbeats": (),
    "breadth": (),
}


@pytest.fixture
def house(tmp_path: Path) -> SmallHouse:
    return SmallHouse(tmp_path / "journal.db", "2025-07-10T10:00", language="zh")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_before_start_or_after_close_is_refused_with_a_sentence(
    house: SmallHouse, command: str
) -> None:
    act = getattr(house.engine, command)
    with pytest.raises(AiAgentError, match="not started"):
        act(*COMMANDS[command])
    with house:
        pass
    with pytest.raises(AiAgentError, match="closed"):
        act(*COMMANDS[command])


def test_the_status_answers_before_the_start_and_after_the_close(house: SmallHouse) -> None:
    before = house.engine.status()
    assert (before["state"], before["running"], before["accounts"]) == ("NOT_STARTED", False, [])
    with house:
        running = house.engine.status()
    after = house.engine.status()
    assert (running["state"], running["running"]) == ("ACTIVE", True)
    assert (after["state"], after["running"]) == ("ACTIVE", False)
    assert set(before) == set(running) == set(after)


def test_a_closed_engine_does_not_start_again(house: SmallHouse) -> None:
    with house:
        house.engine.start()  # running already: nothing happens
    with pytest.raises(ConfigError, match="restart"):
        house.engine.start()


def test_a_journal_that_could_not_be_written_is_said_although_the_event_thread_has_ended(
    house: SmallHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    sink = logger.add(lambda line: heard.append(str(line)), level="CRITICAL", format="{message}")
    with house:
        writer = house.engine.parts.writer
        close = writer.close

        def half_done() -> bool:
            close()
            return False

        monkeypatch.setattr(writer, "close", half_done)
    logger.remove(sink)
    assert len(heard) == 1
    assert "日志未能全部写入" in heard[0]


def test_alerts_are_shown_in_the_display_language(tmp_path: Path) -> None:
    with SmallHouse(tmp_path / "journal.db", "2025-07-10T10:00", language="en") as house:
        house.engine.bus.alert(
            Severity.WARNING, say("已全部停止；以下持仓的止损单不会发出：{held}", held="x")
        )
        house.engine.bus.alert(Severity.WARNING, Text(template="no template of ours"))
        shown, plain = house.engine.status()["alerts"]  # type: ignore[misc]
        assert (shown, plain) == (house.engine.alerts[0], "no template of ours")
        assert shown.isascii()
        assert "已全部停止" in str(house.said(Alert)[0].text), "the journal is language-neutral"
