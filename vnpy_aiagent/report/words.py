"""Sentences and tables that the page, the Markdown file and the terminal share."""

from collections.abc import Iterable
from dataclasses import dataclass

from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.accounts import AccountResult, BaselineResult
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.describe import debate_text
from vnpy_aiagent.report.model_cost import ModelCost, ModelCosts
from vnpy_aiagent.report.numbers import money, percent, ratio_or_dash, share, signed_money
from vnpy_aiagent.report.trades import Trade
from vnpy_aiagent.report.why_not import Funnel, Why


@dataclass(frozen=True, slots=True)
class Reason:
    """Why candidates were not traded: the stage, the reason, how often, and an example sentence."""

    stage: str
    reason: str
    count: int
    example: str


def model_line(contents: Contents, say: Localizer) -> str:
    """Which model decided, and plainly whether it is a language model."""
    model = contents.summary["model"]
    if not model["is_llm"]:
        return say("离线分析员：规则，不是语言模型")
    return say("语言模型：{name}", name=model["name"])


def span_line(contents: Contents, say: Localizer) -> str:
    """The days that the report covers."""
    if contents.span is None:
        return say("没有收盘估值")
    start, end = contents.span
    days = len({mark.day for marks in contents.record.marks.values() for mark in marks})
    return say("{start} 至 {end}，{days} 个交易日", start=start, end=end, days=days)


def data_lines(contents: Contents, say: Localizer) -> list[str]:
    """Where the data come from, and what a reader must know about them."""
    data = contents.summary["data"]
    lines = [say("数据来源：{source}", source=data.get("source", "-"))]
    if data.get("hypothetical"):
        lines.append(say("注意：这是假设的交易品种，真实市场没有这只产品，结果不能当作实盘业绩"))
    notes = data.get("notes") or ()
    return [*lines, *([notes] if isinstance(notes, str) else [say.translate(str(note)) for note in notes])]


def result_header(say: Localizer) -> list[str]:
    """Column names of the result table."""
    return [
        say("账户 / 基准"),
        say("收益率"),
        say("最大回撤"),
        say("夏普比率"),
        say("期末权益（元）"),
        say("期初权益（元）"),
        say("风格"),
        say("委托"),
        say("成交笔数"),
        say("被拒"),
        say("费用（元）"),
    ]


def account_row(result: AccountResult, say: Localizer) -> list[str]:
    """One account in the result table."""
    return [
        result.name,
        percent(result.total_return),
        share(result.max_drawdown),
        ratio_or_dash(result.sharpe),
        money(result.equity_end),
        money(result.equity_start),
        say.label(result.style),
        str(result.orders),
        str(result.fills),
        str(result.rejected),
        money(result.fees),
    ]


def baseline_row(result: BaselineResult, say: Localizer) -> list[str]:
    """One baseline in the result table; it has no orders."""
    return [
        say.show(result.label),
        percent(result.total_return),
        share(result.max_drawdown),
        ratio_or_dash(result.sharpe),
        "-",
        "-",
        say("基准"),
        *["-"] * 4,
    ]


def agreement_line(contents: Contents, say: Localizer) -> str:
    """Whether cash and holdings follow from the fills."""
    if not contents.agreements:
        return say("没有收盘估值，无法核对账目")
    off = [each for each in contents.agreements if not each.ok]
    if not off:
        return say("核对：仅用期初资金和成交重新计算，每个账户的现金和持仓与最后一次估值完全一致（精确到分）")
    named = ", ".join(f"{each.account} ({signed_money(each.cash_off)})" for each in off)
    return say("核对不一致：{accounts} 的现金或持仓与成交推算不符，请先核查日志再使用本报告", accounts=named)


def funnel_steps(funnel: Funnel, say: Localizer) -> list[tuple[str, int, str]]:
    """Name, count and unit of each step."""
    return [
        (say("扫描"), funnel.scanned, say("标的次")),
        (say("分析"), funnel.analysed, say("个决策")),
        (say("提案"), funnel.proposed, say("个开仓提案")),
        (say("通过"), funnel.approved, say("个通过风控")),
        (say("成交"), funnel.filled, say("个有成交")),
    ]


def reasons(funnel: Funnel, say: Localizer) -> list[Reason]:
    """Why candidates were not traded, stage by stage, the most frequent first."""
    found = [
        Reason(say("扫描"), say.label(name), count, "")
        for name, count in sorted(funnel.left_out.items(), key=lambda item: (-item[1], item[0]))
    ]
    found += [
        Reason(say("分析"), say("模型失败而放弃"), why.count, say.show(why.example))
        for why in funnel.abstained
    ]
    found += _reasons(say("分析"), say("不开仓"), funnel.held, say)
    found += _reasons(say("分析"), say("未询问模型"), funnel.unasked, say)
    found += _reasons(say("风控"), "", funnel.refused, say)
    return found + _reasons(say("执行"), say("未成交"), funnel.unfilled, say)


def trade_headline(trade: Trade, say: Localizer) -> str:
    """A round trip in one sentence."""
    if trade.record is None:
        first = trade.fills[0]
        return say(
            "{account} {symbol} {opened} 买入，仍持有",
            account=trade.account,
            symbol=trade.symbol,
            opened=first.trading_day,
        )
    found = trade.record
    return say(
        "{account} {symbol} {opened} 至 {closed}，盈亏 {pnl} 元（{change}），费用 {fees} 元",
        account=trade.account,
        symbol=trade.symbol,
        opened=found.opened,
        closed=found.closed,
        pnl=signed_money(found.pnl),
        change=percent(found.return_ratio),
        fees=money(found.fees),
    )


def model_cost_line(costs: ModelCosts, say: Localizer) -> str:
    """What a decision and a trade cost in model use, on average."""
    return say(
        "模型用量平均：每个决策 {decision}；每笔交易（全部决策分摊）{trade}",
        decision=model_cost(costs.per_decision, say),
        trade=model_cost(costs.per_trade, say),
    )


def model_cost(found: ModelCost | None, say: Localizer) -> str:
    """Tokens and CNY; where the price is not known it says so."""
    if found is None:
        return "-"
    if found.cost is None:
        return say("{tokens} 个 token（没有填写单价，费用未知）", tokens=found.tokens)
    return say("{tokens} 个 token、{cost} 元", tokens=found.tokens, cost=f"{found.cost:.4f}")


def trade_reasons(trade: Trade, say: Localizer) -> list[str]:
    """Why it was opened, and why it was closed."""
    lines = []
    if trade.proposal is not None:
        lines += [f"{say('开仓理由')}: {say.show(reason.text)}" for reason in trade.proposal.reasons]
    if trade.record is not None:
        lines.append(f"{say('离场理由')}: {say.show(trade.record.exit_reason)}")
    return lines


def debate_lines(trade: Trade, say: Localizer) -> list[str]:
    """The debate that led to the entry, one speaker a line."""
    turns = trade.decision.debate if trade.decision else ()
    return debate_text(turns, say)


def verify_line(say: Localizer) -> str:
    """How a reader checks the journal."""
    return say("核验：在本报告所在的文件夹运行 aiagent journal verify journal.db，输出的 head 应与此相同")


def _reasons(stage: str, name: str, whys: Iterable[Why], say: Localizer) -> list[Reason]:
    return [
        Reason(stage, say.label(why.name) if why.name else name, why.count, say.show(why.example))
        for why in whys
    ]
