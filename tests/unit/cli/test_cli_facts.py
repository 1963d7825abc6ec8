"""`aiagent facts import | show`: what is kept, what is refused by line, and how it is shown."""

import json
from pathlib import Path

import pytest
from vnpy.trader.utility import get_folder_path

from vnpy_aiagent.data.facts_store import FILE_NAME

from .conftest import Call

HEADER = "kind,vt_symbol,available_at,source,metric,period,value,unit,text_kind,title,body\n"
GOOD = (
    "value,600519.SSE,2025-04-02 18:30,filing,roe,2024-12-31,0.36,ratio,,,\n"
    "text,600519.SSE,2025-05-05 09:10,wire,,,,,news,<b>利\u200b润</b>预增,正文\n"
)
BAD = "value,600519.SSE,2025-04-02 18:30,filing,roe,2024-12-31,0.36,percent,,,\n"


@pytest.fixture
def folder() -> Path:
    """The app's folder, without facts."""
    path = get_folder_path("aiagent")
    for held in path.glob(f"{FILE_NAME}*"):
        held.unlink()
    return path


def file(where: Path, rows: str) -> Path:
    path = where / "facts.csv"
    path.write_text(HEADER + rows, encoding="utf-8")
    return path


def test_facts_are_imported_once_and_shown_as_of_a_moment(call: Call, tmp_path: Path, folder: Path) -> None:
    path = file(tmp_path, GOOD)
    done = call("facts", "import", path)
    assert (done.code, done.out) == (0, "2 facts imported, 0 were known, 0 rows refused\n")
    assert (folder / FILE_NAME).is_file()
    again = json.loads(call("facts", "import", path, "--json").out)
    assert again == {"source": "facts.csv", "rows": 2, "imported": 0, "known": 2, "refused": []}
    shown = json.loads(call("facts", "show", "600519", "--as-of", "2025-05-06 09:35", "--json").out)
    assert [value["value"] for value in shown["values"]] == ["0.36"]
    assert [text["title"] for text in shown["texts"]] == ["利润 预增"]
    assert shown["events"] == []
    people = call("facts", "show", "600519", "--as-of", "2025-05-06 09:35").out
    assert people == "roe 2024-12-31 0.36 ratio (filing, known 2025-04-02 18:30)\nnews: 利润 预增 (wire)\n"
    before = call("facts", "show", "600519", "--as-of", "2025-04-02 18:29")
    assert (before.code, before.out) == (0, "nothing is known of 600519.SSE at 2025-04-02 18:29\n")


def test_bad_rows_are_told_by_line_the_good_ones_kept_and_the_exit_is_one(
    call: Call, tmp_path: Path, folder: Path
) -> None:
    done = call("facts", "import", file(tmp_path, GOOD + BAD * 25), "--json")
    report = json.loads(done.out)
    assert (done.code, report["imported"], report["rows"]) == (1, 2, 27)
    assert [row["line"] for row in report["refused"]] == list(range(4, 29))
    assert "unit of roe is ratio" in report["refused"][0]["reason"]
    lines = call("facts", "import", tmp_path / "facts.csv").out.splitlines()
    assert lines[0] == "0 facts imported, 2 were known, 25 rows refused"
    assert lines[1].startswith("line 4: unit of roe")
    assert lines[-1] == "and 5 more; --json lists all"


def test_a_contradiction_with_a_held_row_is_told_by_line(call: Call, tmp_path: Path, folder: Path) -> None:
    call("facts", "import", file(tmp_path, GOOD))
    done = call("facts", "import", file(tmp_path, GOOD.replace("0.36", "0.37")), "--json")
    report = json.loads(done.out)
    assert (done.code, report["known"]) == (1, 1)
    assert report["refused"][0]["line"] == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("import", "nowhere.csv"), "is no file"),
        (("import", "empty.csv"), "holds no facts"),
        (("show", "600519", "--as-of", "soon"), "not a time"),
        (("show", "nobody"), "nobody"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    call: Call,
    tmp_path: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    (tmp_path / "empty.csv").write_text(HEADER, encoding="utf-8")
    paths = {"empty.csv": tmp_path / "empty.csv"}
    assert words in call("facts", *(paths.get(word, word) for word in arguments)).refusal


def test_facts_of_the_market_an_industry_and_absences_are_shown_with_the_symbol(
    call: Call, tmp_path: Path, folder: Path
) -> None:
    known = {"available_at": "2025-05-05 18:00", "source": "x"}
    rows = [
        {
            "kind": "value",
            "metric": "sw_industry",
            "unit": "code",
            "value": 801120,
            "vt_symbol": "600519.SSE",
        },
        {"kind": "value", "metric": "industry_pb", "unit": "times", "value": 5.5, "vt_symbol": "801120.SWS"},
        {"kind": "value", "metric": "advancers", "unit": "count", "value": 3100, "vt_symbol": "A.MARKET"},
        {
            "kind": "absence",
            "dataset": "pe_ttm",
            "since": "2025-05-05",
            "reason": "failed",
            "vt_symbol": "A.MARKET",
        },
    ]
    path = tmp_path / "facts.json"
    days = [{"period": "2025-05-05"} if row["kind"] == "value" else {} for row in rows]
    facts = [row | known | day for row, day in zip(rows, days, strict=True)]
    path.write_text(json.dumps(facts), encoding="utf-8")
    assert call("facts", "import", path).out == "4 facts imported, 0 were known, 0 rows refused\n"
    told = call("facts", "show", "600519", "--as-of", "2025-05-06 09:35").out.splitlines()
    assert told == [
        "sw_industry 2025-05-05 801120 code (x, known 2025-05-05 18:00)",
        "801120.SWS industry_pb 2025-05-05 5.5 times (x, known 2025-05-05 18:00)",
        "A.MARKET advancers 2025-05-05 3100 count (x, known 2025-05-05 18:00)",
        "A.MARKET pe_ttm absent since 2025-05-05: every source of it failed (x, known 2025-05-05 18:00)",
    ]
    market = call("facts", "show", "A.MARKET", "--as-of", "2025-05-06 09:35", "--json").out
    assert [value["metric"] for value in json.loads(market)["values"]] == ["advancers"]
