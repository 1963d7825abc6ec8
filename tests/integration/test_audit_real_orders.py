"""Orders that language models really placed, judged through the terminal."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CENT = 0.005
FILES = {
    "daily/MiniMax-M2": 114,
    "daily/claude-3.7-sonnet": 123,
    "daily/deepseek-chat-v3.1": 151,
    "daily/gemini-2.5-flash": 140,
    "hourly/gemini-2.5-flash-astock-hour": 528,
}
"""Buys and sells of each file."""


def aiagent(repo_root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "vnpy_aiagent", "audit", *arguments],
        env={**os.environ, "PYTHONPATH": str(repo_root)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def audited(repo_root: Path, shared: Path, name: str, *options: str) -> dict[str, Any]:
    orders = shared / "data" / "llm_orders" / f"{name}.jsonl"
    done = aiagent(repo_root, str(orders), "--data", str(shared / "data" / "sse50"), "--json", *options)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", FILES)
def test_the_cash_of_every_file_is_reproduced_to_the_cent(repo_root: Path, shared: Path, name: str) -> None:
    frequency = name.partition("/")[0]
    found = audited(repo_root, shared, name, "--frequency", frequency, "--cash", "100000")
    path = shared / "data" / "llm_orders" / f"{name}.jsonl"
    last = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
    assert (found["cash_mismatches"], found["holdings_mismatches"]) == (0, 0)
    assert abs(found["cash_end"] - last["cash_after"]) < CENT
    assert found["holdings_end"] == {s: v for s, v in last["holdings_after"].items() if v}
    assert found["orders"] == FILES[name]


def test_same_day_sales_and_small_star_buys_of_an_hourly_model_are_found(
    repo_root: Path, shared: Path
) -> None:
    found = audited(repo_root, shared, "hourly/gemini-2.5-flash-astock-hour")
    assert found["violations"] == {
        "lot_size": 17,
        "t_plus_one": 120,
        "price_limit": 0,
        "cash": 0,
        "holding": 0,
        "suspended": 0,
    }
    small = [item for item in found["items"] if item["rule"] == "lot_size"]
    assert {item["vt_symbol"][:3] for item in small} == {"688"}
    assert len(found["items"]) == 137
    assert all(item["reason"] and set(item) == {"seq", "vt_symbol", "rule", "reason"} for item in small)


def test_a_changed_cash_figure_of_a_real_record_is_found(
    repo_root: Path, shared: Path, tmp_path: Path
) -> None:
    lines = (shared / "data/llm_orders/daily/MiniMax-M2.jsonl").read_text(encoding="utf-8").splitlines()
    changed = json.loads(lines[40])
    changed["cash_after"] += 0.01
    lines[40] = json.dumps(changed)
    path = tmp_path / "orders.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    done = aiagent(repo_root, str(path), "--data", str(shared / "data" / "sse50"), "--json")
    found = json.loads(done.stdout)
    assert [item["seq"] for item in found["cash_items"]] == [changed["seq"]]


def test_people_read_counts_reasons_and_the_end(
    repo_root: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = str(shared / "data" / "llm_orders" / "hourly" / "gemini-2.5-flash-astock-hour.jsonl")
    data = str(shared / "data" / "sse50")
    monkeypatch.setenv("AIAGENT_LANGUAGE", "zh")
    chinese = aiagent(repo_root, orders, "--data", data)
    assert chinese.stdout.startswith("委托 528 笔，违规 137 项")
    assert "#6 2025-10-09 11:30:00 601288.SSE [T+1] 卖出 100 股，可卖 0 股" in chinese.stdout
    monkeypatch.setenv("AIAGENT_LANGUAGE", "en")
    english = aiagent(repo_root, orders, "--data", data)
    assert english.stdout.startswith("528 orders, 137 violations")
    assert "117 more" in english.stdout
    assert english.stdout.isascii()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ((), "--data"),
        (("--data", "nowhere"), "nowhere does not exist"),
        (("--data", "{data}", "--frequency", "daily"), "line 2: .*--frequency hourly"),
        (("--data", "{data}", "--frequency", "weekly"), "--frequency 'weekly' is unknown"),
        (("--data", "{data}", "--cash", "much"), "--cash 'much' is not an amount"),
        (("--data", "{data}", "--cash", "-1"), "--cash -1 must be above 0"),
    ],
)
def test_bad_options_end_with_two_and_one_line(
    repo_root: Path, shared: Path, options: tuple[str, ...], complaint: str
) -> None:
    orders = str(shared / "data" / "llm_orders" / "hourly" / "gemini-2.5-flash-astock-hour.jsonl")
    given = [option.format(data=shared / "data" / "sse50") for option in options]
    done = aiagent(repo_root, orders, *given)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert re.search(complaint, done.stderr)
