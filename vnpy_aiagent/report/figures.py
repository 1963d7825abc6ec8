"""The evaluation in words: one row a figure, one column an account; periods; what must be said."""

from collections.abc import Callable, Sequence

from vnpy_aiagent.backtest.significance import RESAMPLES, Interval
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.evaluation import AccountEvaluation, Evaluation
from vnpy_aiagent.report.numbers import percent, ratio_or_dash, share

Cell = Callable[[AccountEvaluation], str]


def figure_header(evaluation: Evaluation, say: Localizer) -> list[str]:
    """The name of the figure, then each account."""
    return [say("指标"), *[account.name for account in evaluation.accounts]]


def figure_rows(evaluation: Evaluation, say: Localizer) -> list[list[str]]:
    """Every figure of every account; a dash where the data do not define it."""
    cells: list[tuple[str, Cell]] = [
        (say("收益率"), lambda a: percent(a.result.figures.total_return)),
        (say("年化收益率"), lambda a: _percent(a.result.figures.annual_return)),
        (say("年化收益率 95% 区间"), lambda a: _interval(a.result.intervals.get("annual_return"), percent)),
        (say("年化波动率"), lambda a: _share(a.result.figures.volatility)),
        (say("夏普比率"), lambda a: ratio_or_dash(a.result.figures.sharpe)),
        (say("夏普比率 95% 区间"), lambda a: _interval(a.result.intervals.get("sharpe"), ratio_or_dash)),
        (say("索提诺比率"), lambda a: ratio_or_dash(a.result.figures.sortino)),
        (say("卡玛比率"), lambda a: ratio_or_dash(a.result.figures.calmar)),
        (say("最大回撤"), lambda a: share(a.result.figures.max_drawdown)),
        (say("最大回撤 95% 区间"), lambda a: _interval(a.result.intervals.get("max_drawdown"), share)),
        (say("最长水下（交易日）"), lambda a: str(a.result.figures.drawdown_days)),
        (say("胜率"), lambda a: _share(a.result.figures.win_rate)),
        (say("盈亏比"), lambda a: ratio_or_dash(a.result.figures.payoff)),
        (say("盈利因子"), lambda a: ratio_or_dash(a.result.figures.profit_factor)),
        (say("年换手（单边，倍）"), lambda a: ratio_or_dash(a.result.figures.turnover)),
        (say("平均仓位"), lambda a: _share(a.result.figures.exposure)),
        (say("费用占扣费前盈利"), lambda a: _share(a.result.figures.cost_share)),
        (say("费用拖累（每年）"), lambda a: _share(a.result.figures.cost_drag)),
        (say("阿尔法（每年）"), lambda a: _percent(a.result.figures.alpha)),
        (say("贝塔"), lambda a: ratio_or_dash(a.result.figures.beta)),
        (say("真实夏普为正的概率"), lambda a: _share(a.result.probabilistic)),
        (say("同上，扣除多次尝试"), lambda a: _share(a.result.deflated)),
        (say("同换手随机交易的中位收益"), _random_median),
        (say("随机不逊于本账户的比例"), _random_share),
        (say("各笔交易收益之和（占权益）"), lambda a: _shifted(a, real=True)),
        (say("同上，进出移动至多 5 日的中位"), lambda a: _shifted(a, real=False)),
    ]
    return [[name, *[cell(account) for account in evaluation.accounts]] for name, cell in cells]


def year_rows(evaluation: Evaluation) -> list[list[str]]:
    """Return of each calendar year by account; a dash where an account had no session."""
    found = [{year.label: year for year in account.result.years} for account in evaluation.accounts]
    labels = sorted({label for years in found for label in years})
    return [
        [label, *[percent(years[label].total_return) if label in years else "-" for years in found]]
        for label in labels
    ]


def notes(evaluation: Evaluation, say: Localizer) -> list[str]:
    """What a reader has to know about these figures, and the same days a year earlier."""
    lines = [_benchmark(evaluation.accounts, say)]
    if any(account.result.intervals for account in evaluation.accounts):
        lines.append(
            say(
                "95% 区间来自分块自助法（{count} 次重抽样）：只反映这段行情里的运气，不反映行情的改变。",
                count=RESAMPLES,
            )
        )
    if any(account.result.deflated is not None for account in evaluation.accounts):
        lines.append(
            say(
                "“扣除多次尝试”把本次并行的 {count} 个账户算作尝试次数；此前调过的参数不在其内，"
                "所以真实概率只会更低。",
                count=evaluation.accounts[0].result.trials,
            )
        )
    for account in evaluation.accounts:
        if account.result.year_earlier is not None:
            now, before = account.result.year_earlier
            lines.append(
                say(
                    "{account}：{start} 至 {end} 收益 {now}，上一年同日期 {before}",
                    account=account.name,
                    start=now.start,
                    end=now.end,
                    now=percent(now.total_return),
                    before=percent(before.total_return),
                )
            )
    return lines


def _benchmark(accounts: Sequence[AccountEvaluation], say: Localizer) -> str:
    named = {account.benchmark for account in accounts if account.benchmark}
    if not named:
        return say("没有与账户日期相同的基准，不计算阿尔法和贝塔。")
    return say("阿尔法和贝塔相对 {name}，无风险利率 0。", name=", ".join(sorted(named)))


def _random_median(account: AccountEvaluation) -> str:
    return "-" if account.result.random is None else percent(account.result.random.median_return)


def _random_share(account: AccountEvaluation) -> str:
    return "-" if account.result.random is None else share(account.result.random.as_good)


def _shifted(account: AccountEvaluation, *, real: bool) -> str:
    found = account.result.shifted
    return "-" if found is None else percent(found.real if real else found.median)


def _percent(value: float | None) -> str:
    return "-" if value is None else percent(value)


def _share(value: float | None) -> str:
    return "-" if value is None else share(value)


def _interval(found: Interval | None, show: Callable[[float], str]) -> str:
    return "-" if found is None else f"{show(found.low)} ~ {show(found.high)}"
