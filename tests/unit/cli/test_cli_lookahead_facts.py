"""The future-poison check of the app with facts: a restated figure that is read too early is caught."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from vnpy_aiagent.data.facts import FactView
from vnpy_aiagent.data.facts_store import FactReader

Call = Callable[..., Any]
SYMBOL = "600036.SSE"
ROWS = [
    {"metric": name, "value": value, "unit": unit, "period": period, "available_at": f"{at}T18:00:00+08:00"}
    for period, at, factor in (
        ("2024-09-30", "2024-10-30", 1.0),
        ("2024-12-31", "2025-03-26", 1.1),
        ("2024-12-31", "2025-05-14", 0.4),  # restated
        ("2025-03-31", "2025-04-30", 1.2),
        ("2025-03-31", "2025-06-11", 0.3),  # restated
    )
    for name, value, unit in (
        ("pe_ttm", f"{6 / factor:.2f}", "times"),
        ("pb", f"{0.9 * factor:.2f}", "times"),
        ("roe", f"{0.12 * factor:.4f}", "ratio"),
        ("profit_growth", f"{0.1 * factor - 0.05:.4f}", "ratio"),
    )
]


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    path = tmp_path / "facts.json"
    rows = [{"kind": "value", "vt_symbol": SYMBOL, "source": "test", **row} for row in ROWS]
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def arguments(shared: Path, *more: str) -> list[str]:
    folder = str(shared / "data" / "sse50")
    return ["lookahead", "--strategy", "demo", "--vt-symbol", SYMBOL, "--data", folder, *more]


def test_the_app_with_facts_passes(call: Call, shared: Path, facts: Path) -> None:
    given = arguments(shared, "--facts", str(facts), "--end", "2025-07-31", "--cuts", "4", "--json")
    done = call(*given)
    found = json.loads(done.out)
    assert (done.code, found["changed"], found["cuts"]) == (0, [], 4)
    assert found["decisions"] > 20


def test_a_restated_figure_that_is_read_before_it_was_published_is_caught(
    call: Call, shared: Path, facts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = FactReader.view

    def as_restated(self: FactReader, vt_symbol: str, at: datetime) -> FactView:
        """The latest version of each period, passed off as the one that was known."""
        later = honest(self, vt_symbol, at + timedelta(days=60))
        values = tuple(each.model_copy(update={"available_at": at}) for each in later.values)
        return FactView(values=values)

    monkeypatch.setattr(FactReader, "view", as_restated)
    given = arguments(shared, "--facts", str(facts), "--end", "2025-07-31", "--cuts", "4", "--json")
    done = call(*given)
    found = json.loads(done.out)
    assert done.code == 1
    assert found["changed"][0]["before"].startswith(("DECISION", "PROPOSAL"))


def test_facts_go_with_the_app_alone_and_must_be_sound(call: Call, shared: Path, tmp_path: Path) -> None:
    bad = tmp_path / "facts.json"
    bad.write_text('[{"kind": "value", "vt_symbol": "600036.SSE"}]', encoding="utf-8")
    done = call(*arguments(shared, "--facts", str(bad)))
    assert (done.code, "facts.json, line 1" in done.err) == (2, True)
    done = call(*arguments(shared, "--facts", str(tmp_path / "none.csv")))
    assert (done.code, "is no file" in done.err) == (2, True)
    other = ["lookahead", "--strategy", "TurtleStrategy", "--vt-symbol", SYMBOL, "--facts", str(bad)]
    done = call(*other, "--data", str(shared / "data" / "sse50"))
    assert (done.code, "--strategy demo" in done.err) == (2, True)
