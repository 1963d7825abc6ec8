"""The data of the charts, as JSON that is safe inside a script element."""

import json
from collections.abc import Sequence
from datetime import date

from vnpy_aiagent.backtest.metrics import drawdowns, rolling_sharpe
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.evaluation import AccountEvaluation


def chart_json(contents: Contents, say: Localizer) -> str:
    """Series of accounts and baselines (equity CNY, drawdown percent below zero), of accounts also
    exposure (percent), fees so far (CNY), rolling Sharpe ratio and months (percent); the axes' titles."""
    found = contents.evaluation
    series = [
        {**_series(each.name, each.result.days, each.result.curve, baseline=False), **_account(each)}
        for each in found.accounts
    ]
    series += [
        _series(say.show(each.label), each.days, each.curve, baseline=True) for each in found.baselines
    ]
    content = {
        "series": series,
        "rollingTitle": say("夏普比率"),
        "exposureTitle": say("仓位（%）"),
        "costTitle": say("费用（元）"),
        "equityTitle": say("权益（元）"),
        "equityUnit": say("元"),
        "drawdownTitle": say("回撤（%）"),
        "dateTitle": say("日期"),
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _account(found: AccountEvaluation) -> dict[str, object]:
    """What only an account has. `months` are year, month and percent."""
    equity = found.result.curve[-len(found.result.days) :]
    rolling = rolling_sharpe(found.result.curve)[-len(found.result.days) :]
    return {
        "exposure": [
            round(held / worth * 100, 2) for held, worth in zip(found.market_values, equity, strict=True)
        ],
        "cost": [round(paid, 2) for paid in found.costs],
        "rolling": [None if each is None else round(each, 3) for each in rolling],
        "months": [
            [each.start.year, each.start.month, round(each.total_return * 100, 2)]
            for each in found.result.months
        ],
    }


def _series(name: str, days: Sequence[date], values: Sequence[float], *, baseline: bool) -> dict[str, object]:
    """One line of each chart. `values` may begin with the starting cash, which belongs to no day."""
    falls = drawdowns(values)
    return {
        "name": name,
        "baseline": baseline,
        "days": [day.isoformat() for day in days],
        "equity": [round(value, 2) for value in values[-len(days) :]],
        "drawdown": [round(-float(fall) * 100, 3) for fall in falls[-len(days) :]],
    }
