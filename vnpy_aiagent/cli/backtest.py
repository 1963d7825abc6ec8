"""`aiagent backtest`: one CTA strategy over one symbol, under the exchange's rules."""

from datetime import date, datetime, time
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vnpy_aiagent.cli.common import (
    DataOption,
    JsonOption,
    absolute,
    err_console,
    parse_cash,
    parse_day,
    parse_frequency,
    print_json,
    print_line,
    scratch_vnpy_folder,
)
from vnpy_aiagent.config import load_settings
from vnpy_aiagent.domain import MARKET_TZ, BarInterval
from vnpy_aiagent.errors import ConfigError, DataError
from vnpy_aiagent.i18n import Localizer

if TYPE_CHECKING:
    from vnpy.trader.object import BarData

    from vnpy_aiagent.backtest import AShareBacktestingEngine
    from vnpy_aiagent.backtest.session import Instrument
    from vnpy_aiagent.data import MarketData

PACKAGES = ("vnpy_aiagent.cta", "vnpy_ctastrategy.strategies")
SHOWN = {
    "total_return": "总收益率（%）",
    "annual_return": "年化收益率（%）",
    "max_ddpercent": "最大回撤（%）",
    "sharpe_ratio": "夏普比率",
    "total_trade_count": "成交笔数",
}
EVALUATED = {
    "annual_return": "年化收益率",
    "volatility": "年化波动率",
    "sharpe": "夏普比率",
    "sortino": "索提诺比率",
    "calmar": "卡玛比率",
    "max_drawdown": "最大回撤",
    "drawdown_days": "最长回撤（交易日）",
    "win_rate": "胜率",
    "payoff": "盈亏比",
    "profit_factor": "利润因子",
    "turnover": "年换手率",
    "exposure": "平均仓位",
    "cost_share": "费用占毛利",
    "cost_drag": "年费用拖累",
    "alpha": "阿尔法",
    "beta": "贝塔",
}
LABELS = {
    "lot_size": "交易单位",
    "t_plus_one": "T+1",
    "price_limit": "涨跌停",
    "price_cage": "有效申报价格范围",
    "cash": "可用资金",
    "holding": "持仓",
    "short_sale": "卖空",
    "daily_buy": "单日买入上限",
    "self_trade": "自成交",
    "suspended": "停牌",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backtest")(backtest)


def backtest(
    strategy: Annotated[str, typer.Option(help="Class name of a CtaTemplate.")],
    vt_symbol: Annotated[str, typer.Option("--vt-symbol", help="For example 600519.SSE.")],
    data: DataOption = None,
    start: Annotated[str | None, typer.Option(help="First day, YYYY-MM-DD.")] = None,
    end: Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the strategy, k=v; may be repeated.")
    ] = None,
    frequency: Annotated[str, typer.Option(help="daily or hourly.")] = "daily",
    cash: Annotated[str, typer.Option(help="Cash at the start, CNY.")] = "1000000",
    trials: Annotated[
        int,
        typer.Option(min=1, help="How many settings were tried, this one included."),
    ] = 1,
    as_json: JsonOption = False,
) -> None:
    """Backtest one CTA strategy under the exchange's rules: T+1, lots, cash, dated limits and fees.

    Strategies are looked for in ./strategies, then in this app and in vnpy_ctastrategy.

    Example: aiagent backtest --strategy DualAverageStrategy --vt-symbol 600036.SSE --data sse50
    """
    if data is None:
        raise ConfigError("a backtest needs market data; give its folder with --data")
    interval = parse_frequency(frequency)
    first, last = parse_day(start, "--start"), parse_day(end, "--end")
    if first and last and first > last:
        raise ConfigError(f"--start {first} is after --end {last}; swap them")
    capital, parameters = parse_cash(cash), parse_parameters(settings or [])
    folder, own = absolute(data), absolute(Path("strategies"))
    tell = Localizer(load_settings().display_language)
    begun = perf_counter()
    with scratch_vnpy_folder():
        from vnpy_aiagent.backtest.find import find_strategy

        chosen = find_strategy(strategy, PACKAGES, own)
        checked = check_parameters(chosen, parameters)
        loaded, symbol, bars = _load(folder, vt_symbol, interval, first, last)
        engine = _run(chosen, checked, _instrument(loaded, symbol), symbol, bars, interval, int(capital))
        facts = _facts(engine, strategy, symbol, len(bars), perf_counter() - begun, trials)
    if as_json:
        print_json(facts)
        return
    _show(facts, tell)


def parse_parameters(pairs: list[str]) -> dict[str, str]:
    """Pairs k=v as a dictionary; ConfigError for anything else."""
    values: dict[str, str] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key.strip():
            raise ConfigError(f"--set {pair!r} is not of the form name=value")
        values[key.strip()] = value.strip()
    return values


def check_parameters(strategy: type[Any], given: dict[str, str]) -> dict[str, Any]:
    """The values in the types of the strategy's defaults; ConfigError names what is unknown or wrong."""
    checked: dict[str, Any] = {}
    for name, text in given.items():
        if name not in strategy.parameters:
            known = ", ".join(strategy.parameters) or "none"
            raise ConfigError(f"{strategy.__name__} has no parameter {name!r}; it has {known}")
        default = getattr(strategy, name)
        try:
            checked[name] = _as(default, text)
        except ValueError:
            kind = type(default).__name__
            raise ConfigError(f"parameter {name} of {strategy.__name__} is {kind}, not {text!r}") from None
    return checked


def _as(default: Any, text: str) -> Any:
    if isinstance(default, bool):
        if text.lower() not in ("true", "false"):
            raise ValueError(text)
        return text.lower() == "true"
    return type(default)(text)


def bars_of(
    folder: Path, asked: str, interval: BarInterval, first: date | None, last: date | None
) -> "tuple[str, list[BarData]]":
    """The symbol as it is written, and its bars of those days; DataError where there are none."""
    return _load(folder, asked, interval, first, last)[1:]


def _load(
    folder: Path, asked: str, interval: BarInterval, first: date | None, last: date | None
) -> "tuple[MarketData, str, list[BarData]]":
    from vnpy_aiagent.data import load_folder
    from vnpy_aiagent.data.vnpy_database import to_vnpy_bars

    loaded = load_folder(folder, symbols=[asked], frequency=interval)
    symbol = loaded.symbols[0]
    bars = [
        bar
        for bar in to_vnpy_bars(loaded.bars(symbol, interval))
        if (first is None or bar.datetime.date() >= first) and (last is None or bar.datetime.date() <= last)
    ]
    if not bars:
        raise DataError(f"{folder.name} has no bars of {symbol} between {first} and {last}; change the dates")
    return loaded, symbol, bars


def _instrument(loaded: "MarketData", symbol: str) -> "Instrument":
    """What the folder's members say; the issue price is the first day's `pre_close`, where given."""
    from vnpy_aiagent.backtest.session import Instrument
    from vnpy_aiagent.domain import to_decimal
    from vnpy_aiagent.market import Board

    item, daily = loaded.instruments[symbol], loaded.bars(symbol, BarInterval.DAILY)
    given = len(daily) > 0 and daily.day_of(0) == item.listed and daily.pre_close[0] > 0
    return Instrument(
        item.name,
        item.listed,
        Board[item.board] if item.board else None,
        delisting=item.delisting,
        issue_price=to_decimal(float(daily.pre_close[0])) if given else None,
    )


def _run(
    strategy: type[Any],
    parameters: dict[str, Any],
    instrument: "Instrument",
    symbol: str,
    bars: "list[BarData]",
    interval: BarInterval,
    capital: int,
) -> "AShareBacktestingEngine":
    from vnpy.trader.constant import Interval

    from vnpy_aiagent.backtest import AShareBacktestingEngine

    console = err_console()
    engine = AShareBacktestingEngine(instrument=instrument)
    setattr(engine, "output", lambda line: console.print(line, style="dim", markup=False))  # noqa: B010
    begin, finish = bars[0].datetime, bars[-1].datetime
    engine.set_parameters(
        vt_symbol=symbol,
        interval=Interval.DAILY if interval is BarInterval.DAILY else Interval.HOUR,
        start=datetime.combine(begin.date(), time(), MARKET_TZ),
        end=finish,
        rate=0.00025,
        slippage=0.0,
        capital=capital,
    )
    engine.add_strategy(strategy, parameters)
    engine.history_data = bars
    engine.run_backtesting()
    engine.calculate_result()
    return engine


def _facts(
    engine: "AShareBacktestingEngine", strategy: str, symbol: str, bars: int, seconds: float, trials: int
) -> dict[str, Any]:
    from vnpy_aiagent.backtest.assess import facts
    from vnpy_aiagent.backtest.run_curve import assess_engine

    judged = assess_engine(engine, trials)
    statistics = engine.calculate_statistics(output=False)
    return {
        "strategy": strategy,
        "vt_symbol": symbol,
        "bars": bars,
        "orders": engine.limit_order_count + engine.stop_order_count,
        "trades": len(engine.trades),
        "rejected": dict(sorted(engine.rejected.items())),
        "fees": {
            "commission": float(engine.fees.commission),
            "stamp_duty": float(engine.fees.stamp_duty),
            "transfer_fee": float(engine.fees.transfer_fee),
        },
        "statistics": {key: _plain(value) for key, value in statistics.items()},
        "evaluation": {} if judged is None else facts(judged),
        "wall_seconds": round(seconds, 3),
    }


def _plain(value: Any) -> Any:
    """numpy's numbers and dates as JSON has them."""
    if isinstance(value, date):
        return value.isoformat()
    item = getattr(value, "item", None)
    return item() if callable(item) else value


def _show(facts: dict[str, Any], tell: Localizer) -> None:
    print_line(
        tell(
            "{strategy} {symbol}：{bars} 根K线，成交 {trades} 笔",
            strategy=facts["strategy"],
            symbol=facts["vt_symbol"],
            bars=f"{facts['bars']:,}",
            trades=facts["trades"],
        )
    )
    for reason, count in facts["rejected"].items():
        print_line("  " + tell("被拒 {count} 笔：{reason}", count=count, reason=tell(LABELS[reason])))
    fees = facts["fees"]
    print_line(
        tell(
            "费用：佣金 {commission}，印花税 {stamp_duty}，过户费 {transfer_fee} 元",
            **{name: f"{amount:,.2f}" for name, amount in fees.items()},
        )
    )
    if not facts["trades"]:
        print_line(_why_nothing(facts, tell))
    for name, label in SHOWN.items():
        value = facts["statistics"].get(name)
        if value is not None:
            number = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
            print_line(f"  {tell(label)} {number}")
    _show_evaluation(facts["evaluation"], tell)
    print_line(tell("用时 {seconds} 秒", seconds=f"{facts['wall_seconds']:.1f}"))


def _why_nothing(facts: dict[str, Any], tell: Localizer) -> str:
    """What may be the matter where nothing was traded."""
    if facts["rejected"]:
        return tell("没有成交：委托都被交易规则拒绝，原因见上；可用 --cash 增加资金，或用 --set 改数量")
    if facts["orders"]:
        return tell("没有成交：发出 {orders} 笔委托，价格都没有到", orders=facts["orders"])
    return tell(
        "没有成交：策略没有发出委托。{bars} 根K线可能不够它预热，或者入场条件从未满足；"
        "请换更长的区间，或用 --set 改参数",
        bars=f"{facts['bars']:,}",
    )


def _show_evaluation(found: dict[str, Any], tell: Localizer) -> None:
    """The figures as ratios, one a line, and what chance has to do with them."""
    if found:
        print_line(tell("评估（比率：0.1 即 10%；方括号内为 95% 区间）"))
    for name, label in EVALUATED.items():
        value = found.get(name)
        if value is not None:
            span = found["intervals"].get(name)
            between = f"  [{span[0]:,.4f} ~ {span[1]:,.4f}]" if span else ""
            number = f"{value:,}" if isinstance(value, int) else f"{value:,.4f}"
            print_line(f"  {tell(label)} {number}{between}")
    if found.get("deflated_sharpe") is not None:
        print_line(
            tell(
                "真实夏普为正的概率 {alone}，按 {trials} 次尝试扣除后 {deflated}",
                alone=f"{found['probabilistic_sharpe']:.1%}",
                trials=found["trials"],
                deflated=f"{found['deflated_sharpe']:.1%}",
            )
        )
    random = found.get("random")
    if random is not None:
        print_line(
            tell(
                "同换手的随机交易：中位收益 {median}，其中 {share} 不逊于本策略",
                median=f"{random['median_return']:+.2%}",
                share=f"{random['as_good']:.1%}",
            )
        )
