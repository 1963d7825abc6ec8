"""`aiagent backtest`: figures as promised, strategies found and parameters checked."""

import json
from pathlib import Path
from typing import Any

import pytest

from vnpy_aiagent.backtest.session import Reason
from vnpy_aiagent.cli.backtest import LABELS

from .conftest import Call

OWN = """
from vnpy_ctastrategy import CtaTemplate


class TwoLots(CtaTemplate):
    author = "tests"
    lots = 2
    parameters = ["lots"]

    def on_init(self):
        self.n = 0

    def on_bar(self, bar):
        self.n += 1
        if self.n == 1:
            self.buy(bar.close_price * 1.05, self.lots * 100)
            self.buy(bar.close_price * 1.05, 50)
        if self.n == 5:
            self.sell(bar.close_price * 0.95, self.lots * 100)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with a strategy, and a broken neighbour."""
    folder = tmp_path / "strategies"
    folder.mkdir()
    (folder / "two_lots.py").write_text(OWN, encoding="utf-8")
    (folder / "broken.py").write_text("raise RuntimeError", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return folder


def arguments(shared: Path, strategy: str, *more: Any) -> tuple[Any, ...]:
    folder = shared / "data" / "sse50"
    return ("backtest", "--strategy", strategy, "--vt-symbol", "600036.SSE", "--data", folder, *more)


def test_a_users_own_strategy_is_found_and_its_orders_meet_the_rules(
    call: Call, shared: Path, own: Path
) -> None:
    done = call(*arguments(shared, "TwoLots", "--set", "lots=3", "--json"))
    facts = json.loads(done.out)
    assert done.code == 0
    assert {
        "strategy",
        "vt_symbol",
        "bars",
        "trades",
        "orders",
        "rejected",
        "fees",
        "statistics",
        "evaluation",
        "wall_seconds",
    } == set(facts)
    assert (facts["bars"], facts["trades"], facts["rejected"]) == (213, 2, {"lot_size": 1})
    assert facts["fees"]["commission"] == 10.0
    assert facts["fees"]["stamp_duty"] > 0
    assert facts["statistics"]["total_trade_count"] == 2


def test_people_read_refusals_and_fees(call: Call, shared: Path, own: Path) -> None:
    done = call(*arguments(shared, "TwoLots", "--start", "2025-03-03", "--end", "2025-04-30"))
    assert done.code == 0
    assert "1 refused: lot size" in done.out
    assert "commission 10.00" in done.out


def test_a_file_that_cannot_be_loaded_is_named(call: Call, shared: Path, own: Path) -> None:
    (own / "worse.py").write_text("# Worse\nraise RuntimeError('broken on purpose')", encoding="utf-8")
    assert "worse.py cannot be loaded: broken on purpose" in call(*arguments(shared, "Worse")).refusal


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--set", "fast"), "is not of the form name=value"),
        (("--set", "speed=3"), "has no parameter 'speed'"),
        (("--set", "fast_window=ten"), "fast_window of DoubleMaStrategy is int, not 'ten'"),
        (("--start", "2030-01-01"), "has no bars of 600036.SSE"),
        (("--start", "2025-05-01", "--end", "2025-04-01"), "swap them"),
        (("--cash", "-1"), "must be above 0"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(call: Call, shared: Path, more: Any, sentence: str) -> None:
    assert sentence in call(*arguments(shared, "DoubleMaStrategy", *more)).refusal


def test_an_unknown_strategy_names_the_known_ones(call: Call, shared: Path) -> None:
    refusal = call(*arguments(shared, "NoSuch")).refusal
    assert "AiAgentStrategy" in refusal
    assert "TurtleSignalStrategy" in refusal


CLIMBER = """
from vnpy_ctastrategy import CtaTemplate


class Climber(CtaTemplate):
    author = "tests"

    def on_init(self):
        pass

    def on_bar(self, bar):
        self.buy(bar.close_price * 1.3, 200)
"""


@pytest.mark.parametrize(
    ("members", "trades", "rejected"),
    [
        ("603999.SSE,2024-01-02,", 1, {}),
        ("603999.SSE,,2024-01-03", 1, {}),
        ("603999.SSE,,", 0, {"price_limit": 1}),
    ],
)
def test_the_folders_listing_and_delisting_days_reach_the_rules(
    call: Call, own: Path, tmp_path: Path, members: str, trades: int, rejected: dict[str, int]
) -> None:
    (own / "climber.py").write_text(CLIMBER, encoding="utf-8")
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / "daily.csv").write_text(
        "vt_symbol,date,open,high,low,close,volume\n"
        "603999.SSE,2024-01-02,10,10,10,10,1000000\n603999.SSE,2024-01-03,10,10,10,10,1000000\n",
        encoding="utf-8",
    )
    (folder / "members.csv").write_text(f"vt_symbol,listed,delisting\n{members}\n", encoding="utf-8")
    done = call("backtest", "--strategy", "Climber", "--vt-symbol", "603999.SSE", "--data", folder, "--json")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert (facts["trades"], facts["rejected"]) == (trades, rejected)


def test_every_reason_of_a_refusal_has_a_label() -> None:
    assert set(LABELS) == {reason.value for reason in Reason}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("--start", "2025-06-02", "--end", "2025-06-13"), "策略没有发出委托"),
        (("--cash", "1000"), "委托都被交易规则拒绝"),
    ],
)
def test_a_backtest_without_trades_says_what_may_be_the_matter(
    call: Call, shared: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...], why: str
) -> None:
    monkeypatch.setenv("AIAGENT_LANGUAGE", "zh")
    done = call(*arguments(shared, "DualAverageStrategy", *more))
    assert "成交 0 笔" in done.out
    assert why in done.out
