"""Whatever the figures: what is approved keeps every limit; an exit is never hindered by an entry rule."""

from datetime import date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from vnpy_aiagent.config import RiskLimits
from vnpy_aiagent.domain import MARKET_TZ, Action, Mode, Outcome, Side, TradingState
from vnpy_aiagent.market import instrument_rules
from vnpy_aiagent.risk import RiskContext, RiskEngine
from vnpy_aiagent.tools.snapshot import QuoteView

TODAY = date(2024, 5, 6)
NOW = datetime(2024, 5, 6, 10, tzinfo=MARKET_TZ)
MONEY = st.decimals("-1000", "2000000", places=2)
SHARES = st.integers(0, 20_000)


@st.composite
def contexts(draw: st.DrawFn) -> RiskContext:
    price = draw(st.decimals("0.5", "300", places=2))
    held = draw(SHARES)
    quote = QuoteView(NOW, price, price, price, price, price, price * 2, price / 2)
    symbol = draw(st.sampled_from(["600036.SSE", "688981.SSE", "510300.SSE"]))
    return RiskContext(
        account="a",
        symbol=symbol,
        action=Action.BUY,
        side=draw(st.sampled_from(Side)),
        wanted=draw(st.integers(-100, 50_000)),
        price=price,
        stop=draw(st.none() | st.decimals("0.4", "300", places=2)),
        confidence=draw(st.floats(0, 1)),
        mode=Mode.PAPER,
        state=draw(st.sampled_from(TradingState)),
        limits=RiskLimits(),
        rules=instrument_rules(symbol, TODAY),
        fund=symbol.startswith("5"),
        quote=draw(st.sampled_from([quote, None])),
        equity=draw(MONEY),
        available=draw(MONEY),
        held=held,
        sellable=draw(st.integers(0, held)),
        working=draw(st.sampled_from([0, 0, 100])),
        exposure=draw(MONEY),
        positions=draw(st.integers(0, 10)),
        entries_today=draw(st.integers(0, 6)),
        day_start_equity=draw(MONEY),
        peak_equity=draw(MONEY),
        average_volume=draw(st.none() | st.floats(0, 1e8)),
    )


ENGINE = RiskEngine()


@given(contexts())
def test_an_approved_volume_keeps_every_limit(context: RiskContext) -> None:
    assessment = ENGINE.assess(context)
    assert (assessment.volume > 0) == (assessment.outcome is not Outcome.REJECTED)
    if assessment.outcome is Outcome.REJECTED:
        assert any(not line.passed for line in assessment.lines)
        return
    volume = assessment.volume
    assert volume <= context.wanted
    assert context.rules.volume_error(context.side, volume, context.held) is None
    if context.side is Side.SELL:
        assert volume <= context.sellable
        return
    cost = volume * context.price
    cap = Decimal("0.6") if context.fund else Decimal("0.1")
    assert context.held * context.price + cost <= context.equity * cap
    assert context.exposure + cost <= context.equity * Decimal("0.8")
    assert context.stop is not None
    assert volume * (context.price - context.stop) <= context.equity * Decimal("0.01")
    assert cost + context.rules.fees(Side.BUY, context.price, volume).total <= context.available
    assert context.state is TradingState.ACTIVE


@given(contexts())
def test_exits_do_not_depend_on_entry_figures(context: RiskContext) -> None:
    if context.side is Side.BUY:
        return
    possible = (
        context.state is not TradingState.HALTED
        and context.quote is not None
        and context.rules.round_sell(min(context.wanted, context.sellable), context.held) > 0
    )
    assert (ENGINE.assess(context).outcome is not Outcome.REJECTED) == possible


@given(contexts())
def test_the_same_figures_give_the_same_assessment(context: RiskContext) -> None:
    assert ENGINE.assess(context) == ENGINE.assess(context)
