"""Facts on their way to the brain: as known at that moment, and told where they cannot be read."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from vnpy_aiagent.agents.snapshots import known_facts
from vnpy_aiagent.config import load_settings
from vnpy_aiagent.data.facts import FactView, TextFact
from vnpy_aiagent.data.facts_store import FILE_NAME, FactReader, store_facts
from vnpy_aiagent.domain import Alert, AnalysisRequest, RequestKind, say

from .small_house import BANK, SmallHouse, at

MORNING = "2025-06-03 09:35"


def news(known: datetime) -> TextFact:
    return TextFact(vt_symbol=BANK, source="wire", available_at=known, text_kind="news", body="利润预增")


def asked() -> AnalysisRequest:
    return AnalysisRequest(
        id="r1-0000099",
        at=at(MORNING),
        request=RequestKind.OPEN,
        symbol=BANK,
        accounts=("judge",),
        reason=say("测试"),
        deadline=at(MORNING) + timedelta(hours=1),
    )


def test_a_decision_gets_what_was_known_and_nothing_later(tmp_path: Path) -> None:
    known, later = news(at(MORNING)), news(at(MORNING) + timedelta(minutes=1))
    store_facts(tmp_path / FILE_NAME, [(2, known), (3, later)])
    with SmallHouse(tmp_path / "journal.db", MORNING) as house:
        object.__setattr__(house.engine.house, "facts", FactReader(tmp_path / FILE_NAME, 7))
        assert known_facts(house.engine.house, asked()).texts == (known,)
        house.go("2025-06-03 09:37")
        assert known_facts(house.engine.house, asked()).texts == (later, known)


def test_facts_that_cannot_be_read_are_told_and_are_none(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 100)
    with SmallHouse(tmp_path / "journal.db", MORNING) as house:
        object.__setattr__(house.engine.house, "facts", FactReader(tmp_path / FILE_NAME, 7))
        assert known_facts(house.engine.house, asked()) == FactView()
        assert ["事实读不了" in alert.text.render() for alert in house.said(Alert)] == [True]


@pytest.mark.parametrize("name", ["text_weight_cap", "text_reads", "text_days"])
def test_settings_for_texts_count_in_the_digest_where_they_are_changed(name: str) -> None:
    plain = load_settings()
    same = load_settings(brain={name: getattr(plain.brain, name)})
    other = load_settings(brain={name: getattr(plain.brain, name) * 2})
    assert same.digest() == plain.digest() != other.digest()
