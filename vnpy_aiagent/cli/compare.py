"""`aiagent compare`: two journals of the same strategy, say a paper run and its backtest."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from vnpy_aiagent.cli.common import JsonOption, absolute, print_json, print_line
from vnpy_aiagent.config import load_settings
from vnpy_aiagent.i18n import Localizer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare")(compare)


def compare(
    first: Annotated[Path, typer.Argument(help="A journal, say that of a paper run.")],
    second: Annotated[Path, typer.Argument(help="Another one, say that of a demo over the same days.")],
    as_json: JsonOption = False,
) -> None:
    """Compare the accounts of two journals over the days that both have: return, deviation, the worst day.

    Example: aiagent compare paper/journal.db aiagent-demo/journal.db
    """
    from vnpy_aiagent.report import read_journal
    from vnpy_aiagent.report.against import compare_accounts

    found = compare_accounts(read_journal(absolute(first)), read_journal(absolute(second)))
    accounts = [{"name": name, **_plain(asdict(each))} for name, each in found.items()]
    if as_json:
        print_json({"accounts": accounts})
        return
    tell = Localizer(load_settings().display_language)
    for name, each in found.items():
        print_line(
            tell(
                "{account}：{days} 天，收益 {first} 对 {second}（差 {gap}），相关系数 {correlation}，"
                "跟踪误差 {error}，偏离最大的一天 {day}（{worst}）",
                account=name,
                days=each.days,
                first=f"{each.return_first:+.2%}",
                second=f"{each.return_second:+.2%}",
                gap=f"{each.return_gap:+.2%}",
                correlation="-" if each.correlation is None else f"{each.correlation:.3f}",
                error="-" if each.tracking_error is None else f"{each.tracking_error:.2%}",
                day=each.worst_day or "-",
                worst=f"{each.worst_gap:+.2%}",
            )
        )


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Ratios to 6 places, days as text."""
    day = values["worst_day"]
    shown = {name: round(value, 6) if isinstance(value, float) else value for name, value in values.items()}
    return {**shown, "worst_day": None if day is None else day.isoformat()}
