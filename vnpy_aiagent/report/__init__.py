"""Reports made from the journal alone: a page, a Markdown file, a JSON summary, lines for the terminal."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vnpy_aiagent.i18n import Language
from vnpy_aiagent.report.accounts import recompute_accounts
from vnpy_aiagent.report.chain import chain_lines, entry_line
from vnpy_aiagent.report.console import print_summary
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.evaluation import evaluate
from vnpy_aiagent.report.html import build_html
from vnpy_aiagent.report.markdown import build_markdown
from vnpy_aiagent.report.prices import Prices
from vnpy_aiagent.report.read import RunRecord, read_journal
from vnpy_aiagent.report.summary import build_summary
from vnpy_aiagent.report.why_not import Funnel, why_not

__all__ = [
    "Funnel",
    "Prices",
    "RunRecord",
    "build_html",
    "build_markdown",
    "build_summary",
    "chain_lines",
    "entry_line",
    "print_summary",
    "read_journal",
    "recompute_accounts",
    "why_not",
    "write_report",
]


def write_report(
    journal_path: str | Path,
    out: Path,
    *,
    wall_seconds: float,
    data: Mapping[str, object],
    language: Language = "zh",
    prices: Prices | None = None,
) -> dict[str, Any]:
    """Write report.html, report.md and summary.json of a journal into a folder; returns the summary.

    `data` says where the bars came from: `source`, `symbols`, `bars`, `start`, `end`, and freely
    `hypothetical` (a bool) and `notes` (sentences); it must hold JSON values. `prices` make
    the moving average and the random baselines. Raises JournalError where the journal cannot be read.
    """
    record = read_journal(journal_path)
    evaluation = evaluate(record, prices)
    summary = build_summary(
        record,
        wall_seconds=wall_seconds,
        journal_entries=record.head.seq,
        journal_head=record.head.hash,
        data=data,
        language=language,
        evaluation=evaluation,
    )
    contents = Contents.of(record, summary, evaluation)
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(summary, ensure_ascii=False, indent=2) + "\n"
    for name, content in (
        ("summary.json", text),
        ("report.md", build_markdown(contents, language)),
        ("report.html", build_html(contents, language)),
    ):
        (out / name).write_text(content, encoding="utf-8", newline="\n")
    return summary
