"""`aiagent doctor`: exit 0 where all is well or only could be better, 1 where something must be mended."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.utility import get_file_path

from vnpy_aiagent import checkup
from vnpy_aiagent.domain import MARKET_TZ
from vnpy_aiagent.other_apps import RISK_SETTING_FILE, SIZE_RULE
from vnpy_aiagent.testing.model_server import closed_port_url

from .conftest import Call, Done


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    set_today(monkeypatch, 2026, 6, 1)


def set_today(monkeypatch: pytest.MonkeyPatch, year: int, month: int, day: int) -> None:
    class Clock:
        def now(self) -> datetime:
            return datetime(year, month, day, 12, tzinfo=MARKET_TZ)

    monkeypatch.setattr(checkup, "LiveClock", Clock)


def write(tmp_path: Path, text: str = "") -> Path:
    """A settings file whose journal is the test's own."""
    config = tmp_path / "config.yaml"
    config.write_text(f"store: {{journal: '{tmp_path / 'journal.db'}'}}\n{text}", encoding="utf-8")
    return config


def finding(done: Done, check: str) -> dict[str, Any]:
    """One finding of a --json answer, which must agree with the exit code."""
    answer = json.loads(done.out)
    grades = [each["grade"] for each in answer["findings"]]
    assert answer["ok"] is ("fail" not in grades)
    assert done.code == (0 if answer["ok"] else 1)
    return next(each for each in answer["findings"] if each["check"] == check)


def test_nothing_but_advice_is_exit_code_0(call: Call, tmp_path: Path) -> None:
    done = call("doctor", "--config", write(tmp_path))
    assert done.code == 0, done.out
    assert "[ok  ] settings: mode PAPER, 3 accounts" in done.out
    assert "[warn] universe: no symbols\n       -> list symbols under `universe`" in done.out


def test_a_broken_setting_is_a_finding(call: Call, tmp_path: Path) -> None:
    found = finding(call("doctor", "--config", write(tmp_path, "llm: {modle: x}\n"), "--json"), "settings")
    assert found["grade"] == "fail"
    assert "llm.modle" in found["found"]


def test_a_model_that_does_not_answer_is_a_finding_unless_it_is_not_asked(call: Call, tmp_path: Path) -> None:
    config = write(tmp_path, f"llm: {{base_url: '{closed_port_url()}', model: some-model}}\n")
    asked = finding(call("doctor", "--config", config, "--json"), "model")
    assert (asked["grade"], "no answer came from" in asked["found"]) == ("fail", True)
    assert "llm.base_url" in asked["advice"]
    assert finding(call("doctor", "--config", config, "--no-online", "--json"), "model")["grade"] == "ok"


@pytest.mark.parametrize(
    ("day", "grade"), [((2026, 6, 1), "ok"), ((2026, 12, 1), "warn"), ((2027, 1, 4), "fail")]
)
def test_the_end_of_the_known_calendar_is_announced(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, day: tuple[int, int, int], grade: str
) -> None:
    set_today(monkeypatch, *day)
    found = finding(call("doctor", "--config", write(tmp_path), "--json"), "calendar")
    assert found["grade"] == grade
    assert ("extra_years_file" in found["advice"]) is (grade != "ok")


def test_a_symbol_without_bars_is_a_finding_with_the_command_that_mends_it(
    call: Call, tmp_path: Path
) -> None:
    found = finding(
        call("doctor", "--config", write(tmp_path, "universe: [688981.SSE]\n"), "--json"), "universe"
    )
    assert (found["grade"], "688981.SSE" in found["found"]) == ("fail", True)
    assert "aiagent data import" in found["advice"]


def test_the_usual_notations_of_a_symbol_are_understood(call: Call, tmp_path: Path) -> None:
    done = call("doctor", "--config", write(tmp_path, "universe: [688981.SH, sh688981]\n"), "--json")
    assert finding(done, "universe")["found"].startswith("1 of 1 symbols have no daily bars")


@pytest.mark.parametrize(
    ("word", "said"), [("rb2605", "rb2605"), ("'000001'", "000001.SZSE"), ("113050.SSE", "bond")]
)
def test_a_word_that_cannot_be_traded_is_to_be_corrected_in_the_settings(
    call: Call, tmp_path: Path, word: str, said: str
) -> None:
    done = call("doctor", "--config", write(tmp_path, f"universe: [{word}]\n"), "--json")
    found = finding(done, "universe")
    assert (found["grade"], said in found["found"]) == ("fail", True)
    assert found["advice"] == "correct `universe` in the settings"


def test_a_damaged_journal_is_a_finding(call: Call, tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"these are my notes\n" * 500)
    assert finding(call("doctor", "--config", write(tmp_path), "--json"), "journal")["grade"] == "fail"


def test_live_trading_that_was_not_reported_is_a_finding(call: Call, tmp_path: Path) -> None:
    live = "mode: LIVE\nlive: {capital_limit: 10000, allowlist: [600519.SSE]}\n"
    found = finding(call("doctor", "--config", write(tmp_path, live), "--json"), "program trading")
    assert (found["grade"], "report program trading" in found["advice"]) == ("fail", True)


def test_too_little_disk_is_a_finding(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "MIN_FREE_BYTES", 10**18)
    assert finding(call("doctor", "--config", write(tmp_path), "--json"), "disk")["grade"] == "fail"


def test_outside_live_mode_the_doctor_says_that_real_orders_are_held_back(call: Call, tmp_path: Path) -> None:
    found = finding(call("doctor", "--config", write(tmp_path), "--json"), "real orders")
    assert (found["grade"], "only simulated gateways" in found["found"]) == ("ok", True)


LIVE_TEXT = """
mode: LIVE
live: {capital_limit: 100000, allowlist: [600519.SSE]}
accounts: [{name: judge, style: JUDGE, gateway: CTP}]
"""


def test_the_doctor_warns_of_other_apps_that_stop_or_swallow_real_orders(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "find_spec", lambda name: name)
    config = write(tmp_path, LIVE_TEXT)
    file = get_file_path(RISK_SETTING_FILE)

    def limits(**rule: object) -> tuple[str, str]:
        file.write_text(json.dumps({SIZE_RULE: rule}), encoding="utf-8")
        found = finding(call("doctor", "--config", config, "--no-online", "--json"), "vnpy_riskmanager")
        return found["grade"], found["found"]

    try:
        assert limits() == ("warn", "refuses orders over 500 shares or 1,000,000 CNY where it is loaded")
        assert limits(order_volume_limit=200_000)[0] == "ok"
        assert limits(active=False) == ("ok", "does not limit the size of an order")
    finally:
        file.unlink()
    done = call("doctor", "--config", config, "--no-online", "--json")
    assert "takes every order" in finding(done, "real orders")["found"]
