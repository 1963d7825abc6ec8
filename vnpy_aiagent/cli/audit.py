"""`aiagent audit`: recorded orders judged by the exchanges' rules."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vnpy_aiagent.cli.common import (
    DataOption,
    JsonOption,
    absolute,
    parse_cash,
    parse_frequency,
    print_json,
    print_line,
    scratch_vnpy_folder,
)
from vnpy_aiagent.config import load_settings
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.i18n import Localizer

if TYPE_CHECKING:
    from vnpy_aiagent.backtest.audit import Audit

SHOWN = 20
LABELS = {
    "lot_size": "交易单位",
    "t_plus_one": "T+1",
    "price_limit": "涨跌停",
    "cash": "可用资金",
    "holding": "持仓",
    "suspended": "停牌",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit")(audit)


def audit(
    orders: Annotated[
        Path, typer.Argument(help="Recorded orders, one JSON object a line; see docs/audit.md.")
    ],
    data: DataOption = None,
    cash: Annotated[
        str | None, typer.Option(help="Cash at the start, CNY; default: that of the record's init line.")
    ] = None,
    frequency: Annotated[
        str | None,
        typer.Option(help="daily or hourly: which bar a date names; default: as the dates are written."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge recorded orders by the exchanges' rules of their day, and replay their cash.

    Violations are the result: the exit code is 0 whether or not there are any.

    Example: aiagent audit orders.jsonl --data sse50 --frequency hourly
    """
    if data is None:
        raise ConfigError("the orders are judged by market data; give its folder with --data")
    amount = parse_cash(cash) if cash is not None else None
    interval = parse_frequency(frequency) if frequency is not None else None
    path, folder = absolute(orders), absolute(data)
    tell = Localizer(load_settings().display_language)
    with scratch_vnpy_folder():
        from vnpy_aiagent.backtest.audit import audit_record, read_record
        from vnpy_aiagent.data import load_folder

        record = read_record(path)
        interval = interval or record.frequency
        found = audit_record(record, load_folder(folder, frequency=interval), interval, amount)
    if as_json:
        print_json(_facts(found, tell))
        return
    for line in _lines(found, tell):
        print_line(line)


def _facts(found: "Audit", tell: Localizer) -> dict[str, Any]:
    """As one JSON object."""
    return {
        "orders": found.orders,
        "violations": found.counts(),
        "items": [
            {"seq": v.seq, "vt_symbol": v.vt_symbol, "rule": v.rule, "reason": tell.show(v.reason)}
            for v in found.violations
        ],
        "cash_mismatches": len(found.mismatches),
        "cash_items": [
            {"seq": m.seq, "recorded": float(m.recorded), "replayed": float(m.replayed)}
            for m in found.mismatches
        ],
        "holdings_mismatches": found.holdings_mismatches,
        "without_limit": found.without_limit,
        "cash_end": float(found.cash_end),
        "holdings_end": dict(found.holdings_end),
    }


def _lines(found: "Audit", tell: Localizer) -> Iterator[str]:
    """For people."""
    yield tell("委托 {orders} 笔，违规 {count} 项", orders=found.orders, count=len(found.violations))
    for name, count in found.counts().items():
        yield f"  {count:>5}  {tell(LABELS[name])}"
    for item in found.violations[:SHOWN]:
        rule, reason = tell(LABELS[item.rule]), tell.show(item.reason)
        yield f"  #{item.seq} {item.date} {item.vt_symbol} [{rule}] {reason}"
    if len(found.violations) > SHOWN:
        yield "  " + tell("另有 {count} 项，用 --json 查看全部", count=len(found.violations) - SHOWN)
    yield from _account(found, tell)


def _account(found: "Audit", tell: Localizer) -> Iterator[str]:
    """Cash and holdings, and where the record contradicts itself."""
    if found.mismatches:
        first = found.mismatches[0]
        yield tell(
            "现金 {count} 步与回放不符，首先是 #{seq}：记录 {recorded} 元，回放 {replayed} 元",
            count=len(found.mismatches),
            seq=first.seq,
            recorded=f"{first.recorded:,}",
            replayed=f"{first.replayed:,}",
        )
    else:
        yield tell("现金逐步回放，与记录分毫不差")
    if found.holdings_mismatches:
        yield tell("持仓 {count} 步与委托不符", count=found.holdings_mismatches)
    if found.without_limit:
        yield tell("{count} 笔委托缺少前收盘价，未核对涨跌停", count=found.without_limit)
    yield tell("期末现金 {cash} 元", cash=f"{found.cash_end:,}")
    yield tell("期末持仓 {count} 只", count=len(found.holdings_end))
    for symbol, volume in sorted(found.holdings_end.items()):
        yield f"  {symbol} {volume}"
