"""The data of the two charts, as JSON that is safe inside a script element."""

import json
from datetime import date

from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.accounts import baseline_curve, equity_curve
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.metrics import drawdowns


def chart_json(contents: Contents, say: Localizer) -> str:
    """Series of accounts and baselines (equity CNY, drawdown percent below zero) and the axes' titles."""
    record = contents.record
    accounts, baselines = record.marks, record.baselines
    series = [
        _series(
            name,
            [mark.day for mark in accounts[name]],
            equity_curve(opened.cash, accounts[name]),
            baseline=False,
        )
        for name, opened in record.accounts.items()
        if name in accounts
    ]
    for marks in baselines.values():
        days = [mark.day for mark in marks]
        series.append(_series(say.show(marks[-1].label), days, baseline_curve(record, marks), baseline=True))
    content = {
        "series": series,
        "equityTitle": say("权益（元）"),
        "equityUnit": say("元"),
        "drawdownTitle": say("回撤（%）"),
        "dateTitle": say("日期"),
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _series(name: str, days: list[date], values: list[float], *, baseline: bool) -> dict[str, object]:
    """One line of each chart. `values` may begin with the starting cash, which belongs to no day."""
    falls = drawdowns(values)
    return {
        "name": name,
        "baseline": baseline,
        "days": [day.isoformat() for day in days],
        "equity": [round(value, 2) for value in values[-len(days) :]],
        "drawdown": [round(-fall * 100, 3) for fall in falls[-len(days) :]],
    }
