"""A folder of futures bars through the whole simulation: decisions, orders, settlements, sound books."""

import csv
import gzip
from pathlib import Path

import pytest

from vnpy_aiagent.data import load_folder
from vnpy_aiagent.domain import Fill, HandlerFailed, ParentOrder, Settlement, Side, Verdict
from vnpy_aiagent.report.accounts import agreements
from vnpy_aiagent.report.read import read_journal

from .loop_helpers import Played, play

RB = "rb2605.SHFE"
SCALE = 400


@pytest.fixture(scope="module")
def played(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The prices of 601857 in 2025, times 400 and on whole points, under the name of a contract."""
    folder = tmp_path_factory.mktemp("futures")
    with (
        gzip.open(shared / "data/sse50/daily.csv.gz", "rt", encoding="utf-8") as source,
        (folder / "daily.csv").open("w", newline="", encoding="utf-8") as target,
    ):
        rows = [row for row in csv.DictReader(source) if row["vt_symbol"] == "601857.SSE"]
        written = csv.writer(target)
        written.writerow(["vt_symbol", "date", "open", "high", "low", "close", "volume"])
        for row in rows:
            prices = [round(float(row[name]) * SCALE) for name in ("open", "high", "low", "close")]
            written.writerow([RB, row["date"], *prices, int(float(row["volume"])) // 100])
    return play(load_folder(folder))


def test_contracts_are_traded_by_their_terms(played: Played) -> None:
    fills = played.of(Fill)
    assert {fill.side for fill in fills} == {Side.BUY, Side.SELL}
    assert all(fill.terms.multiplier == 10 and fill.symbol == RB for fill in fills)
    assert all(fill.stamp_duty == fill.transfer_fee == 0 < fill.commission for fill in fills)
    assert played.of(HandlerFailed) == []
    assert all(order.volume <= 20 for order in played.of(ParentOrder))


def test_what_is_held_is_settled_every_day(played: Played) -> None:
    settlements = played.of(Settlement)
    assert {settlement.basis for settlement in settlements} == {"CLOSE"}
    days = [(settlement.account, settlement.trading_day) for settlement in settlements]
    assert len(set(days)) == len(days) > 20
    assert any(settlement.profit < 0 for settlement in settlements)


def test_verdicts_are_said_for_contracts(played: Played) -> None:
    entries = [verdict for verdict in played.of(Verdict) if verdict.side is Side.BUY and verdict.lines]
    judged = [verdict for verdict in entries if len(verdict.lines) > 5]
    assert judged
    assert all("margin" in {line.rule for line in verdict.lines} for verdict in judged)


def test_the_journal_alone_gives_the_cash(played: Played) -> None:
    found = agreements(read_journal(played.result.journal))
    assert len(found) == 3
    assert all(agreement.ok for agreement in found)
