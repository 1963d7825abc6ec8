"""The universe page: symbols in any notation, names, CSV files, indices, the automatic pool, the cap."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox
from shiboken6 import delete

from vnpy_aiagent.config import AutoPool, Settings
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.ui.background import Background
from vnpy_aiagent.ui.settings.universe import parse_text, read_csv
from vnpy_aiagent.ui.settings.universe_page import UniversePage
from vnpy_aiagent.ui.words import Words

LEFT = Qt.MouseButton.LeftButton
NAMES = {"day": "2026-11-20", "names": {"600519.SSE": "贵州茅台", "000001.SZSE": "平安银行"}}


class Market:
    """akshare's functions, without a network."""

    def index_stock_cons_csindex(self, symbol: str) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "日期": ["2026-11-20"] * 2,
                "成分券代码": ["600036", "000001"],
                "成分券名称": ["招商银行", "平安银行"],
            }
        )

    def stock_info_a_code_name(self) -> pd.DataFrame:
        return pd.DataFrame({"code": ["000858", "300750"], "name": ["五 粮 液", "宁德时代"]})


class NoNetwork:
    """akshare without a network."""

    def index_stock_cons_csindex(self, symbol: str) -> pd.DataFrame:
        raise ConnectionError("no route to host")

    stock_info_a_code_name = index_stock_cons_csindex


@pytest.fixture
def make_page(qapp: Any, wait_for: Any, tmp_path: Path) -> Any:
    pages: list[UniversePage] = []
    background = Background()

    def make(**settings: Any) -> UniversePage:
        page = UniversePage(Words("zh"), Settings(**settings), background, tmp_path)
        pages.append(page)
        page.show()
        return page

    yield make
    wait_for(lambda: background.busy == 0)
    for page in pages:
        delete(page)
    delete(background)


def put_market(monkeypatch: pytest.MonkeyPatch, market: object) -> None:
    for module in ("name_list", "index_members"):
        monkeypatch.setattr(f"vnpy_aiagent.data.{module}.akshare", lambda: market)


def test_symbols_in_every_notation_and_by_name_are_added_once(make_page, tmp_path):
    (tmp_path / "symbol_names.json").write_text(json.dumps(NAMES), encoding="utf-8")
    page = make_page(universe=("600036.SSE",))
    QTest.keyClicks(page.entry, "600519, 600519.SH sh600519 600519.SSE ")
    page.entry.insert("贵州茅台 乱写")
    QTest.mouseClick(page.add, LEFT)
    assert page.symbols() == ["600036.SSE", "600519.SSE"]
    assert page.list.item(1).text() == "600519.SSE  贵州茅台"
    assert page.entry.text() == "乱写"
    assert page.refused.toPlainText() == "乱写"
    page.list.setCurrentRow(0)
    QTest.mouseClick(page.remove, LEFT)
    assert page.changes({}) == {"universe": ["600519.SSE"]}


def test_an_ambiguous_code_is_asked(make_page):
    page = make_page()
    QTest.keyClicks(page.entry, "000001")
    QTest.mouseClick(page.add, LEFT)
    box = page.findChild(QMessageBox)
    assert "000001" in box.text()
    QTest.mouseClick(box.buttons()[0], LEFT)
    assert page.symbols() == ["000001.SZSE"]


def test_nonsense_lines_of_a_csv_are_listed_by_number_and_none_is_lost(make_page, tmp_path, wait_for):
    path = tmp_path / "list.csv"
    path.write_bytes("名称,证券代码\n招商银行,600036\n平安银行,000001\n不是,abc\n\n短行\n".encode("gb18030"))
    found = read_csv(path)
    assert found.symbols == ("600036.SSE",)
    assert found.ambiguous == ("000001",)
    assert [(each.line, each.text) for each in found.refused] == [(4, "abc"), (6, "短行")]
    page = make_page()
    page.import_file(path)
    wait_for(lambda: page.symbols() == ["600036.SSE"])
    assert page.refused.toPlainText() == "第 4 行：abc\n第 6 行：短行"
    assert "2 个看不懂" in page.news.text()


@pytest.mark.parametrize("content", [b"\x00\x01\x02", b"", b"hello,world\nfoo,bar\n", b"\xff\xfe\xfd\x80"])
def test_a_nonsense_csv_is_refused_with_a_sentence(content, tmp_path, make_page, wait_for):
    path = tmp_path / "nonsense.csv"
    path.write_bytes(content)
    with pytest.raises(DataError):
        read_csv(path)
    page = make_page(universe=("600519.SSE",))
    page.import_file(path)
    wait_for(lambda: "数据有问题" in page.news.text())
    assert page.symbols() == ["600519.SSE"]


def test_a_file_that_is_not_there_is_told(tmp_path, make_page, wait_for):
    page = make_page()
    page.import_file(tmp_path / "none.csv")
    wait_for(lambda: "none.csv" in page.news.text())


def test_index_members_are_added_with_their_day_and_kept(make_page, monkeypatch, wait_for, tmp_path):
    put_market(monkeypatch, Market())
    page = make_page()
    QTest.mouseClick(page.members, LEFT)
    assert not page.members.isEnabled()
    wait_for(lambda: page.symbols() == ["000001.SZSE", "600036.SSE"])
    assert "上证50成分股 2 只（2026-11-20），添加了 2 个" in page.news.text()
    put_market(monkeypatch, NoNetwork())
    again = make_page()
    QTest.mouseClick(again.members, LEFT)
    wait_for(lambda: len(again.symbols()) == 2)
    assert "2026-11-20 保存的 2 只" in again.news.text()


def test_index_members_without_a_network_are_a_sentence(make_page, monkeypatch, wait_for):
    put_market(monkeypatch, NoNetwork())
    page = make_page()
    QTest.mouseClick(page.members, LEFT)
    wait_for(page.members.isEnabled)
    assert "取不到上证50成分股" in page.news.text()
    assert page.symbols() == []


def test_refreshed_names_are_known_at_once(make_page, monkeypatch, wait_for):
    put_market(monkeypatch, Market())
    page = make_page()
    QTest.mouseClick(page.fetch_names, LEFT)
    wait_for(lambda: "名称表已更新：2 只" in page.news.text())
    page.entry.setText("五粮液")
    QTest.mouseClick(page.add, LEFT)
    assert page.symbols() == ["000858.SZSE"]


def test_the_automatic_pool_and_the_cap_are_set_and_taken_away(make_page):
    page = make_page()
    assert page.changes({}) == {}
    assert not page.pool_size.isEnabled()
    page.auto.click()
    page.pool_size.setValue(30)
    page.cap.setValue(12)
    assert page.changes({"budget": {"cost_per_day": "9"}}) == {
        "auto_pool": {"size": 30},
        "budget": {"cost_per_day": "9", "decisions_per_day": 12},
    }
    other = make_page(auto_pool=AutoPool(size=30))
    other.auto.click()
    assert other.changes({}) == {"auto_pool": None}


def test_symbols_are_parted_by_any_mark_and_kept_once():
    found = parse_text("600519，sh600519；510300.SH 600519.SSE")
    assert found.symbols == ("600519.SSE", "510300.SSE")
