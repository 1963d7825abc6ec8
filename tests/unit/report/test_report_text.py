"""The terminal, the Markdown file, the chain as lines, and the files on disk."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report import chain_lines, print_summary, write_report
from vnpy_aiagent.report.console import _Printer
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.describe import describe
from vnpy_aiagent.report.markdown import build_markdown
from vnpy_aiagent.report.read import RunRecord
from vnpy_aiagent.store.journal import JournalReader


def printed(contents: Contents, encoding: str, language: str = "zh") -> str:
    """What reaches a console of an encoding; writing fails where a character does not fit."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="strict", newline="\n")
    console = Console(file=stream, width=100, force_terminal=False)
    print_summary(console, contents.record, contents.summary, language)  # type: ignore[arg-type]
    stream.flush()
    return raw.getvalue().decode(encoding)


def test_a_cp936_console_shows_the_summary_in_chinese(contents: Contents):
    text = printed(contents, "cp936")
    assert "离线分析员：规则，不是语言模型" in text
    assert "aggressive" in text
    assert "+2,379.00" in text
    assert "多数候选为什么没有交易" in text


def test_an_accounts_name_stays_whole_beside_long_baselines(contents: Contents):
    stream = io.StringIO()
    printer = _Printer(Console(file=stream, width=80, force_terminal=False), contents, Localizer("en"))
    header = [
        "account / baseline",
        "return",
        "max drawdown",
        "Sharpe ratio",
        "equity at end (CNY)",
        "fees (CNY)",
    ]
    figures = ["-11.16%", "45.60%", "-0.04", "1,027,226.27", "3,077.23"]
    names = ["conservative", "random trades, turnover of conservative (median of 500)"]
    printer.table(header, [[name, *figures] for name in names], numeric_from=1)
    assert stream.getvalue().count("conservative") == 2


def test_an_ascii_console_gets_english_and_plain_rules(contents: Contents):
    text = printed(contents, "ascii")
    assert "not a language model" in text
    assert "Why most candidates were not traded" in text
    assert "+--" in text or "|--" in text


def test_a_utf8_console_shows_best_and_worst_with_reasons(contents: Contents):
    text = printed(contents, "utf-8")
    assert "最好的一笔" in text
    assert "最差的一笔" in text
    assert "开仓理由" in text
    assert "journal verify" in text


def test_text_of_a_model_is_no_markup_on_the_terminal(contents: Contents, record: RunRecord):
    text = printed(contents, "utf-8", "en")
    assert "[/" not in text
    assert "\x1b" not in text


def test_markdown_escapes_what_would_be_markup(contents: Contents):
    text = build_markdown(contents, "zh")
    assert "synthetic \\<bars\\>" in text
    assert "| aggressive | +0.24% |" in text
    assert "a" * 64 in text
    assert build_markdown(contents, "en").startswith("# AI trading team: report")


def test_the_chain_of_a_fill_begins_with_the_schedule(journal_path: Path, record: RunRecord):
    with JournalReader.open(journal_path) as reader:
        lines = chain_lines(reader, record.fills[0].id)
        english = chain_lines(reader, record.fills[0].id, "en")
    heads = [line for line in lines if not line.startswith(" ")]
    assert "定时任务" in heads[0]
    assert "成交: 买入 510300.SSE 10000 股 @ 4.000，费用 10.00 元" in heads[-1]
    assert any("[+] 把握" in line for line in lines)
    assert any(line.startswith("    ") and "保护性止损" in line for line in lines)
    assert "buy 510300.SSE 10000 shares" in "\n".join(english)


def test_the_chain_of_an_unknown_entry_says_where_to_look(journal_path: Path):
    with JournalReader.open(journal_path) as reader, pytest.raises(JournalError, match="check the id"):
        chain_lines(reader, "no-such-id")


def test_every_kind_of_message_is_described(record: RunRecord):
    say = Localizer("zh")
    for message in record.messages:
        line = describe(message, say)
        assert line.label not in ("", message.kind), message.kind
        assert line.text


def test_a_report_is_written_as_three_files(
    journal_path: Path, tmp_path: Path, record: RunRecord, attack: str, data: dict[str, object]
):
    out = tmp_path / "out" / "deeper"
    summary = write_report(journal_path, out, wall_seconds=2.0, data=data)
    assert sorted(path.name for path in out.iterdir()) == ["report.html", "report.md", "summary.json"]
    assert json.loads((out / "summary.json").read_text(encoding="utf-8")) == summary
    assert summary["journal"]["entries"] == len(record.messages)
    assert summary["journal"]["head"] in (out / "report.html").read_text(encoding="utf-8")
    assert attack not in (out / "report.html").read_text(encoding="utf-8")


def test_the_same_journal_gives_the_same_files(journal_path: Path, tmp_path: Path, data: dict[str, object]):
    for name in ("one", "two"):
        write_report(journal_path, tmp_path / name, wall_seconds=2.0, data=data, language="en")
    for file in ("report.html", "report.md", "summary.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_missing_journal_is_a_clear_error(tmp_path: Path):
    with pytest.raises(JournalError):
        write_report(tmp_path / "none.db", tmp_path / "out", wall_seconds=0.0, data={})
