"""Results: what was run on what, accounts against baselines, the charts."""

from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report import words
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.markup import Markup, join, table, tag
from vnpy_aiagent.report.numbers import money


def head(contents: Contents, say: Localizer) -> Markup:
    """Title, the model's banner, data and span."""
    summary = contents.summary
    started = contents.record.started
    mode = say.label(started.mode) if started else ""
    llm = bool(summary["model"]["is_llm"])
    banner = tag("p", words.model_line(contents, say), class_="banner" if llm else "banner rules")
    facts = [words.span_line(contents, say), *words.data_lines(contents, say)]
    facts.append(say("模型：{name}", name=summary["model"]["name"]))
    warning = bool(summary["data"].get("hypothetical"))
    return tag(
        "header",
        tag("h1", say("AI 交易团队报告"), tag("span", mode, class_="mode")),
        banner,
        [tag("p", fact, class_="warning" if warning and n == 2 else "fact") for n, fact in enumerate(facts)],
    )


def results(contents: Contents, say: Localizer) -> Markup:
    """The table of accounts and baselines, and whether the books agree."""
    rows: list[list[object]] = [list(words.account_row(result, say)) for result in contents.accounts]
    rows += [list(words.baseline_row(result, say)) for result in contents.baselines]
    agrees = all(each.ok for each in contents.agreements)
    return join(
        [
            tag("div", table(words.result_header(say), rows), class_="results"),
            tag("p", words.agreement_line(contents, say), class_="good" if agrees else "warning"),
            tag(
                "p",
                say("夏普比率：日收益，一年 242 个交易日，无风险利率 0；不足 20 日或无波动时不计算。"),
                class_="note",
            ),
            _usage(contents, say),
            tag("p", words.model_cost_line(contents.costs, say), class_="fact"),
        ]
    )


def charts(say: Localizer) -> Markup:
    """Places that the script fills."""
    return join(
        [
            tag("h3", say("权益曲线")),
            tag("div", id="equity", class_="chart", role="img", aria_label=say("权益曲线")),
            tag("h3", say("回撤")),
            tag("div", id="drawdown", class_="chart", role="img", aria_label=say("回撤")),
            tag("noscript", tag("p", say("图表需要启用浏览器脚本；表格不需要。"), class_="warning")),
        ]
    )


def _usage(contents: Contents, say: Localizer) -> Markup:
    summary = contents.summary
    usage, triggers = summary["usage"], summary["triggers"]
    sentence = say(
        "决策 {decisions} 个，提案 {proposals} 个；"
        "触发条件登记 {registered}、触发 {fired}、重新分析 {again}；"
        "模型调用 {calls} 次，{tokens} 个 token，费用 {cost} 元；用时 {seconds} 秒",
        decisions=summary["decisions"],
        proposals=summary["proposals"],
        registered=triggers["registered"],
        fired=triggers["fired"],
        again=summary["reanalyses"],
        calls=usage["calls"],
        tokens=usage["prompt_tokens"] + usage["completion_tokens"],
        cost=money(usage["cost"]),
        seconds=f"{summary['wall_seconds']:.1f}",
    )
    return tag("p", sentence, class_="fact")
