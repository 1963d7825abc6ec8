"""report.md: the short form, for terminals, chats and version control."""

from vnpy_aiagent.i18n import Language, Localizer
from vnpy_aiagent.report import figures, words
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.trades import Trade

SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\`*_[]<>|#"})


def build_markdown(contents: Contents, language: Language) -> str:
    """The report as Markdown; text of models is escaped."""
    say = Localizer(language)
    header = words.result_header(say)
    rows = [words.account_row(result, say) for result in contents.accounts]
    rows += [words.baseline_row(result, say) for result in contents.baselines]
    steps = [[name, f"{count:,}", unit] for name, count, unit in words.funnel_steps(contents.funnel, say)]
    why = [
        [each.stage, each.reason, f"{each.count:,}", each.example]
        for each in words.reasons(contents.funnel, say)
    ]
    journal = contents.summary["journal"]
    parts = [
        f"# {say('AI 交易团队报告')}",
        f"**{_safe(words.model_line(contents, say))}**",
        _safe(words.span_line(contents, say)),
        *[_safe(line) for line in words.data_lines(contents, say)],
        f"## {say('结果')}",
        _table(header, rows),
        _safe(words.agreement_line(contents, say)),
        f"## {say('评估')}",
        *_evaluation(contents, say),
        f"## {say('漏斗')}",
        _table([say("环节"), say("次数"), say("单位")], steps),
        f"### {say('多数候选为什么没有交易')}",
        _table([say("环节"), say("原因"), say("次数"), say("例句（真实数字）")], why)
        if why
        else say("没有未交易的候选"),
        f"## {say('最好与最差的交易')}",
        *_extremes(contents, say),
        f"## {say('日志与核验')}",
        say("日志共 {count} 条，哈希链末端：", count=f"{journal['entries']:,}") + f" `{journal['head']}`",
        words.verify_line(say),
    ]
    return "\n\n".join(parts) + "\n"


def _evaluation(contents: Contents, say: Localizer) -> list[str]:
    found = contents.evaluation
    if not found.accounts:
        return [say("没有收盘估值，无法评估")]
    header = figures.figure_header(found, say)
    return [
        _table(header, figures.figure_rows(found, say)),
        "\n".join("- " + _safe(line) for line in figures.notes(found, say)),
        f"### {say('各年收益率')}",
        _table([say("年份"), *header[1:]], figures.year_rows(found)),
    ]


def _extremes(contents: Contents, say: Localizer) -> list[str]:
    if contents.best is None or contents.worst is None:
        return [say("没有已了结的交易")]
    parts = _trade(say("最好的一笔"), contents.best, say)
    if contents.worst is not contents.best:
        parts += _trade(say("最差的一笔"), contents.worst, say)
    return parts


def _trade(title: str, trade: Trade, say: Localizer) -> list[str]:
    lines = [*words.trade_reasons(trade, say), *words.debate_lines(trade, say)]
    listed = "\n".join("- " + _safe(line).replace("\n", "\n  ") for line in lines)
    return [f"### {title}", _safe(words.trade_headline(trade, say)), *([listed] if listed else [])]


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [_cells(header), "|" + " --- |" * len(header), *[_cells(row) for row in rows]]
    return "\n".join(lines)


def _cells(row: list[str]) -> str:
    return "| " + " | ".join(_safe(cell).replace("\n", " ") for cell in row) + " |"


def _safe(text: str) -> str:
    """Characters that Markdown or HTML would act on, escaped."""
    return text.translate(SPECIAL)
