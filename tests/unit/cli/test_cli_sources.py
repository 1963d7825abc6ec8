"""`aiagent data sources | token | download`, and what `aiagent doctor` says of the sources."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.database import get_database

from vnpy_aiagent.config import load_settings
from vnpy_aiagent.data.sources.build import build_router
from vnpy_aiagent.data.vnpy_database import release
from vnpy_aiagent.domain import LiveClock
from vnpy_aiagent.keys import KeyStore
from vnpy_aiagent.places import user_folder

from .conftest import Call

SPAN = ("--start", "2025-11-17", "--end", "2025-11-20")


@pytest.fixture(autouse=True)
def _own_files(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No notes, keys or bars of another test, and no system keyring."""
    monkeypatch.setattr("vnpy_aiagent.keys._usable_keyring", lambda: None)
    files = [user_folder() / name for name in ("sources.db", "keys.json")]
    for file in files:
        file.unlink(missing_ok=True)
    yield
    for file in files:
        file.unlink(missing_ok=True)
    database = get_database()
    for row in database.get_bar_overview():
        database.delete_bar_data(row.symbol, row.exchange, row.interval)
    release(database)


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch, repo_root: Path) -> Iterator[None]:
    """akshare's stand-in under its name."""
    monkeypatch.syspath_prepend(repo_root / "tests" / "akshare_standin")
    monkeypatch.delitem(sys.modules, "akshare", raising=False)
    yield
    sys.modules.pop("akshare", None)


@pytest.fixture
def _nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("akshare", "baostock"):
        monkeypatch.setitem(sys.modules, name, None)


def states(done: Any) -> dict[str, str]:
    return {row["source"]: row["state"] for row in json.loads(done.out)["sources"]}


@pytest.mark.usefixtures("standin")
def test_a_download_names_its_source_units_and_cache(call: Call) -> None:
    first = call("data", "download", "600519", *SPAN)
    assert first.code == 0
    assert (
        "1 symbols from akshare (price in CNY, volume in share, turnover in CNY; not adjusted)" in first.out
    )
    again = json.loads(call("data", "download", "600519", *SPAN, "--json").out)
    origin = again["sources"]["600519.SSE"]
    assert (origin["source"], origin["cached"], origin["old"]) == ("akshare", True, False)
    assert origin["units"]["volume"] == "share"
    assert again["notes"] == []
    anew = json.loads(call("data", "download", "600519", *SPAN, "--anew", "--json").out)
    assert anew["sources"]["600519.SSE"]["cached"] is False
    shown = json.loads(call("data", "sources", "--json").out)["origins"]
    assert [(row["symbol"], row["source"], row["bars"], row["last"]) for row in shown] == [
        ("600519.SSE", "akshare", 4, "2025-11-20")
    ]
    assert (
        "600519.SSE DAILY: 4 bars, 2025-11-17 to 2025-11-20, from akshare at" in call("data", "sources").out
    )


@pytest.mark.usefixtures("_nothing_installed")
def test_sources_that_lack_something_say_what(call: Call) -> None:
    done = call("data", "sources", "--check", "--json")
    assert done.code == 0
    assert states(done) == dict.fromkeys(("akshare", "tushare", "baostock", "gateway"), "not set up")
    text = call("data", "sources").out
    for words in ("vnpy_aiagent[akshare]", "aiagent data token", "vnpy_aiagent[baostock]"):
        assert words in text


@pytest.mark.usefixtures("standin")
def test_a_check_asks_each_source_and_exits_1_where_one_fails(call: Call, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    address = "http://127.0.0.1:9"  # the discard port: nobody listens
    config.write_text(
        f"data: {{order: [tushare, akshare], tushare: {{token: t, address: '{address}'}}}}\n",
        encoding="utf-8",
    )
    assert states(call("data", "sources", "--config", config, "--json")) == {
        "tushare": "ready",
        "akshare": "ready",
    }
    done = call("data", "sources", "--check", "--config", config, "--json")
    assert done.code == 1
    assert states(done)["tushare"] == "fails"
    noted = json.loads(call("data", "sources", "--config", config, "--json").out)["sources"][0]
    assert noted["state"] == "fails"
    assert "check the network or proxy" in noted["reason"]
    assert noted["checked_at"]
    doctor = json.loads(call("doctor", "--config", config, "--json").out)["findings"]
    sources = [row for row in doctor if row["check"] == "data source"]
    assert [row["grade"] for row in sources] == ["warn", "ok"]
    assert "tushare: fails, score 0.50 at" in sources[0]["found"]
    assert "the next source takes its place" in sources[0]["advice"]


@pytest.mark.usefixtures("_nothing_installed")
def test_the_doctor_warns_where_no_source_can_be_asked(call: Call) -> None:
    findings = json.loads(call("doctor", "--json").out)["findings"]
    sources = [row for row in findings if row["check"] == "data source"]
    assert [row["grade"] for row in sources] == ["ok"] * 4 + ["warn"]
    assert "none can be asked" in sources[-1]["found"]
    assert "docs/data-sources.md" in sources[-1]["advice"]


def test_a_token_is_stored_and_used_and_shown_nowhere(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "  the-token ")
    done = call("data", "token", "--json")
    assert done.code == 0
    assert "the-token" not in done.out + done.err
    assert KeyStore().get("http://api.tushare.pro") == "the-token"
    router = build_router(load_settings(), tmp_path, LiveClock())
    assert router.missing("tushare") is None
    monkeypatch.setattr("typer.prompt", lambda *_, **__: " ")
    assert "no token was given" in call("data", "token").refusal


def test_a_key_store_that_refuses_is_why_tushare_is_not_asked(tmp_path: Path) -> None:
    (user_folder() / "keys.json").parent.mkdir(parents=True, exist_ok=True)
    (user_folder() / "keys.json").write_text("no json", encoding="utf-8")
    missing = build_router(load_settings(), tmp_path, LiveClock()).missing("tushare")
    assert "cannot be read" in str(missing)
    (tmp_path / "config.yaml").write_text("data: {tushare: {token: own}}\n", encoding="utf-8")
    assert (
        build_router(load_settings(tmp_path / "config.yaml"), tmp_path, LiveClock()).missing("tushare")
        is None
    )


@pytest.mark.usefixtures("standin")
def test_a_demo_downloads_through_the_sources(call: Call, tmp_path: Path) -> None:
    done = call("demo", "--symbols", "605999", *SPAN, "--out", tmp_path / "out")
    assert "akshare (Eastmoney) has no daily bars of 605999.SSE there" in done.refusal


def test_an_order_with_a_source_twice_is_refused(call: Call, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("data: {order: [akshare, akshare]}\n", encoding="utf-8")
    assert "name each source once" in call("data", "sources", "--config", config).refusal
    config.write_text("data: {order: [sina]}\n", encoding="utf-8")
    assert "data.order" in call("data", "sources", "--config", config).refusal
