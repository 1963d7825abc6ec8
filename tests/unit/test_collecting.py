"""What paper and live runs collect and record: as the settings say, and only where somebody can be asked."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.constant import Exchange
from vnpy.trader.object import TickData

from vnpy_aiagent.collecting import Collecting
from vnpy_aiagent.config import Settings
from vnpy_aiagent.config.facts import FactsSettings, RecorderSettings
from vnpy_aiagent.data.fact_sources import build
from vnpy_aiagent.data.fact_sources.providers import AkshareProvider
from vnpy_aiagent.data.recorded import summary
from vnpy_aiagent.data.recorder import FOLDER
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock
from vnpy_aiagent.market import default_calendar

AT = datetime(2025, 11, 3, 10, 0, tzinfo=MARKET_TZ)


class Bus:
    """Remembers who listens."""

    def __init__(self) -> None:
        self.handlers: dict[str, Callable[[Any], None]] = {}

    def subscribe(self, event: str, handler: Callable[[Any], None]) -> None:
        self.handlers[event] = handler


def made(folder: Path, settings: Settings) -> Collecting:
    return Collecting(
        settings, VirtualClock(AT), default_calendar(), folder, lambda: ["600519.SSE"], lambda *_: None
    )


def test_ticks_of_a_run_are_on_the_disk_when_it_ends(tmp_path: Path) -> None:
    bus, parts = Bus(), made(tmp_path, Settings(facts=FactsSettings(collect=False)))
    parts.start(bus, "eTick.", None)  # type: ignore[arg-type]
    bus.handlers["eTick."](
        TickData(symbol="600519", exchange=Exchange.SSE, datetime=AT, last_price=100.0, gateway_name="Q")
    )
    parts.stop()
    assert summary(tmp_path / FOLDER / "2025-11-03.jsonl.gz").ticks == 1


def test_what_is_switched_off_is_not_there(tmp_path: Path) -> None:
    off = Settings(facts=FactsSettings(collect=False), recorder=RecorderSettings(enabled=False))
    bus, parts = Bus(), made(tmp_path, off)
    parts.start(bus, "eTick.", None)  # type: ignore[arg-type]
    parts.stop()
    assert (parts.recorder, parts.collector, bus.handlers) == (None, None, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("installed", [True, False])
def test_facts_are_collected_where_somebody_can_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    client = object() if installed else None
    monkeypatch.setattr("vnpy_aiagent.data.fact_sources.providers.is_installed", lambda: False)
    monkeypatch.setattr(build, "AkshareProvider", lambda: AkshareProvider(client))
    parts = made(tmp_path, Settings(recorder=RecorderSettings(enabled=False)))
    assert (parts.collector is not None) is installed


def test_settings_of_the_two_do_not_change_the_digest_of_a_run() -> None:
    changed = Settings(facts=FactsSettings(collect=False), recorder=RecorderSettings(days=2))
    assert changed.digest() == Settings().digest()
