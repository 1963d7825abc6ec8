"""Tables stay bounded and never reload, whatever streams in."""

from datetime import datetime, timedelta
from decimal import Decimal

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from shiboken6 import delete

from vnpy_aiagent.domain import (
    MARKET_TZ,
    Action,
    Decision,
    Outcome,
    Proposal,
    RuleLine,
    TokenUsage,
    Verdict,
    say,
)
from vnpy_aiagent.ui.decision_rows import DecisionStream
from vnpy_aiagent.ui.decisions import decision_columns, reason_text
from vnpy_aiagent.ui.rows import WIDEST, Column, RowsModel, table_of
from vnpy_aiagent.ui.words import Words

AT = datetime(2025, 1, 2, 9, 35, tzinfo=MARKET_TZ)


def proposal(number: int, action: Action = Action.BUY) -> Proposal:
    return Proposal(
        id=f"p{number}",
        at=AT + timedelta(seconds=number),
        account="judge",
        request_id="q",
        decision_id=f"d{number}",
        symbol="600519.SSE",
        action=action,
        confidence=0.7,
        valid_until=AT + timedelta(days=1),
    )


def verdict(number: int, outcome: Outcome) -> Verdict:
    lines = (RuleLine(rule="cash", passed=outcome is not Outcome.REJECTED, text=say("可用资金不足")),)
    return Verdict(
        id=f"v{number}",
        at=AT,
        cause=f"p{number}",
        account="judge",
        proposal_id=f"p{number}",
        symbol="600519.SSE",
        action=Action.BUY,
        side=None,
        outcome=outcome,
        requested=200,
        volume=100,
        lines=lines,
    )


def test_ten_thousand_decisions_are_appended_and_scrolled_without_a_reload(qapp):
    stream = DecisionStream()
    model = RowsModel(decision_columns(Words("zh")), lambda row: row.id, newest_first=True, limit=10_000)
    table = table_of(model)
    table.resize(800, 400)
    table.show()
    resets: list[int] = []
    inserts: list[int] = []
    model.modelReset.connect(lambda: resets.append(1))
    model.rowsInserted.connect(lambda *args: inserts.append(1))
    for start in range(0, 10_000, 100):
        model.append(stream.fold([proposal(n) for n in range(start, start + 100)]))
        qapp.processEvents()
    for place in range(0, 10_000, 500):
        table.scrollTo(model.index(place, 0))
        qapp.processEvents()
    assert model.rowCount() == 10_000
    assert model.row_at(0).id == "p9999"
    assert resets == []
    assert len(inserts) == 100
    model.append(stream.fold([proposal(n) for n in range(10_000, 10_050)]))
    assert model.rowCount() == 10_000
    assert model.row_at(0).id == "p10049"
    assert model.row_at(9_999).id == "p50"
    assert resets == []
    delete(table)


def test_a_verdict_changes_its_row_in_place_even_after_rows_were_dropped(qapp):
    stream = DecisionStream(limit=50)
    model = RowsModel(decision_columns(Words("zh")), lambda row: row.id, newest_first=True, limit=50)
    model.append(stream.fold([proposal(n) for n in range(80)]))
    changed: list[int] = []
    model.dataChanged.connect(lambda first, last: changed.append(first.row()))
    model.append(stream.fold([verdict(79, Outcome.APPROVED), verdict(40, Outcome.REJECTED)]))
    assert changed == [0, 39]
    assert model.data(model.index(0, 5), Qt.ItemDataRole.DisplayRole) == "通过"
    assert model.row_at(39).reason.template == "可用资金不足"
    assert model.find("p0") is None
    assert stream.fold([verdict(0, Outcome.APPROVED)]) == []


def test_the_cost_of_a_day_is_the_sum_of_its_decisions():
    stream = DecisionStream()
    for number, cost in enumerate(("0.10", "0.25")):
        stream.fold(
            [
                Decision(
                    id=f"d{number}",
                    at=AT,
                    request_id="q",
                    symbol="600519.SSE",
                    model="m",
                    is_llm=True,
                    evidence=(),
                    findings=(),
                    debate=(),
                    lessons=(),
                    prompt_hash="",
                    usage=TokenUsage(cost=Decimal(cost)),
                )
            ]
        )
    assert stream.cost_on(AT.date()) == Decimal("0.35")
    assert stream.cost_on(AT.date() + timedelta(days=1)) == 0


def test_a_small_table_is_changed_in_place_while_its_keys_stay(qapp):
    model = RowsModel(
        [Column("键", lambda row: row[0]), Column("值", lambda row: str(row[1]))], lambda row: row[0]
    )
    model.show([("a", 1), ("b", 2)])
    resets: list[int] = []
    changed: list[int] = []
    moved: list[tuple[str, int]] = []
    model.modelReset.connect(lambda: resets.append(1))
    model.dataChanged.connect(lambda first, last: changed.append(first.row()))
    model.rowsInserted.connect(lambda _, first, last: moved.append(("in", first)))
    model.rowsRemoved.connect(lambda _, first, last: moved.append(("out", first)))
    model.show([("a", 1), ("b", 3)])
    assert (resets, changed, moved) == ([], [1], [])
    model.show([("b", 3)])
    model.show([("a", 1), ("b", 4), ("c", 5)])
    assert (resets, changed, moved) == ([], [1, 1], [("out", 0), ("in", 0), ("in", 2)])
    assert model.find("b") == ("b", 4)
    model.show([("c", 5), ("b", 4)])
    assert resets == [1]
    assert [model.row_at(0), model.row_at(1), model.find("a")] == [("c", 5), ("b", 4), None]


def test_the_chosen_row_stays_chosen_when_others_come_and_go(qapp):
    model = RowsModel([Column("键", lambda row: row)], lambda row: row)
    table = table_of(model)
    model.show(["a", "b", "c"])
    table.selectRow(1)
    model.show(["0", "b", "d"])
    assert [model.row_at(index.row()) for index in table.selectionModel().selectedRows()] == ["b"]
    delete(table)


def test_a_column_that_is_shown_whole_grows_with_its_texts_and_never_past_its_bound(qapp):
    columns = [
        Column("代码", lambda row: row, whole=True),
        Column("账户", lambda row: row),
        Column("理由", lambda row: row, stretch=True),
    ]
    model = RowsModel(columns, lambda row: row, newest_first=True)
    table = table_of(model, (60, 60))
    font = QFont()
    font.setPixelSize(22)
    table.setFont(font)
    model.append(["600519.SSE"])
    assert table.columnWidth(0) > table.fontMetrics().horizontalAdvance("600519.SSE")
    assert table.columnWidth(1) == 60
    model.append(["600519.SSE" * 20])
    assert table.columnWidth(0) == WIDEST
    delete(table)


def test_a_proposal_of_low_certainty_is_marked_in_the_stream() -> None:
    stream = DecisionStream()
    plain, low = stream.fold([proposal(1), proposal(2).model_copy(update={"low_certainty": True})])
    assert reason_text(plain, Words("zh")) == "无说明"
    assert reason_text(low, Words("zh")) == "[低确定性] 无说明"
    assert reason_text(low, Words("en")).startswith("[low certainty] ")
