"""Each rule: it passes, it refuses, and its bound is what the figures give by hand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest

from vnpy_aiagent.config import RiskLimits
from vnpy_aiagent.domain import Mode, RuleLine, TradingState
from vnpy_aiagent.risk import RiskContext
from vnpy_aiagent.risk.rules.cash import CashRule
from vnpy_aiagent.risk.rules.confidence import ConfidenceRule
from vnpy_aiagent.risk.rules.entries_per_day import EntriesPerDayRule
from vnpy_aiagent.risk.rules.entry_premium import EntryPremiumRule
from vnpy_aiagent.risk.rules.exposure import ExposureRule
from vnpy_aiagent.risk.rules.external_position import ExternalPositionRule
from vnpy_aiagent.risk.rules.fresh_quote import FreshQuoteRule
from vnpy_aiagent.risk.rules.liquidity import LiquidityRule
from vnpy_aiagent.risk.rules.live_limits import LiveLimitsRule
from vnpy_aiagent.risk.rules.losses import DailyLossRule, DrawdownRule
from vnpy_aiagent.risk.rules.lot_size import LotSizeRule
from vnpy_aiagent.risk.rules.one_order import OneOrderRule
from vnpy_aiagent.risk.rules.position_weight import PositionWeightRule
from vnpy_aiagent.risk.rules.positions import PositionsRule
from vnpy_aiagent.risk.rules.price_band import PriceBandRule
from vnpy_aiagent.risk.rules.risk_per_trade import RiskPerTradeRule
from vnpy_aiagent.risk.rules.sellable import SellableRule
from vnpy_aiagent.risk.rules.stop_distance import StopDistanceRule
from vnpy_aiagent.risk.rules.trading_state import TradingStateRule
from vnpy_aiagent.tools.snapshot import QuoteView

Make = Callable[..., RiskContext]


def refuses(line: RuleLine, *words: str) -> bool:
    return not line.passed and line.max_volume == 0 and all(word in str(line.text) for word in words)


def bound(line: RuleLine) -> int | None:
    assert line.passed, str(line.text)
    return line.max_volume


def test_confidence_below_the_minimum_is_refused(context: Make) -> None:
    assert refuses(ConfidenceRule().check(context(confidence=0.59)), "59.0%", "60.0%")
    assert bound(ConfidenceRule().check(context(confidence=0.60))) is None


def test_low_certainty_is_scaled_down(context: Make) -> None:
    limits = RiskLimits(min_confidence=0.5, low_confidence_scale=0.57)
    line = ConfidenceRule().check(context(confidence=0.55, limits=limits, wanted=10_000))
    assert bound(line) == 5700


def test_a_plan_that_was_sized_down_for_its_low_certainty_is_not_scaled_again(context: Make) -> None:
    limits = RiskLimits(min_confidence=0.5, low_confidence_scale=0.57)
    line = ConfidenceRule().check(context(confidence=0.55, limits=limits, wanted=10_000, sized_down=True))
    assert bound(line) is None
    assert "提案已缩减" in str(line.text)
    below = context(confidence=0.49, limits=limits, wanted=10_000, sized_down=True)
    assert refuses(ConfidenceRule().check(below))


def test_a_confidence_that_is_no_number_is_refused(context: Make) -> None:
    assert refuses(ConfidenceRule().check(context(confidence=nan)))


def test_cash_pays_price_and_fees(context: Make) -> None:
    # 20,020 CNY: 1,001 shares at 20 before fees; fees 5.21 (commission 5, transfer 0.01 / 1000); 1,000 fit
    assert bound(CashRule().check(context(available=Decimal("20020.00")))) == 1000
    # exactly the shares and nothing for the fees: 999 at 20
    assert bound(CashRule().check(context(available=Decimal("20000.00")))) == 999


@pytest.mark.parametrize("available", [Decimal(0), Decimal(-5), Decimal(1999)])
def test_too_little_cash_for_one_lot_is_refused(context: Make, available: Decimal) -> None:
    assert refuses(CashRule().check(context(available=available)))


def test_the_cash_bound_is_affordable_to_the_cent(context: Make) -> None:
    made = context(available=Decimal("123456.78"))
    most = bound(CashRule().check(made))
    assert most is not None
    cost = made.price * most + made.rules.fees(made.side, made.price, most).total
    assert cost <= made.available < cost + made.price * 2


def test_entries_of_a_day_are_counted(context: Make) -> None:
    assert bound(EntriesPerDayRule().check(context(entries_today=4))) is None
    assert refuses(EntriesPerDayRule().check(context(entries_today=5)), "5")


def test_exposure_bounds_the_room_that_is_left(context: Make) -> None:
    line = ExposureRule().check(context(exposure=Decimal(790_000)))
    assert bound(line) == 500  # 0.8 x 1,000,000 - 790,000 = 10,000 CNY at 20
    assert refuses(ExposureRule().check(context(exposure=Decimal(799_000))))
    assert refuses(ExposureRule().check(context(exposure=Decimal(900_000))))


@pytest.mark.parametrize("rule", [ExposureRule(), PositionWeightRule(), RiskPerTradeRule(), CashRule()])
@pytest.mark.parametrize("equity", [Decimal(0), Decimal(-100)])
def test_without_equity_nothing_is_bought(context: Make, rule: Any, equity: Decimal) -> None:
    assert refuses(rule.check(context(equity=equity, available=equity)))


def test_a_quote_of_today_is_needed(context: Make, quote: QuoteView) -> None:
    assert bound(FreshQuoteRule().check(context())) is None
    assert refuses(FreshQuoteRule().check(context(quote=None)))
    assert refuses(FreshQuoteRule().check(context(quote=replace(quote, at=quote.at - timedelta(days=1)))))


@pytest.mark.parametrize(
    ("mode", "age", "passes"),
    [
        (Mode.PAPER, 180.0, True),
        (Mode.PAPER, 181.0, False),
        (Mode.LIVE, 5_400.0, False),
        (Mode.SIMULATION, 5_400.0, True),
    ],
)
def test_a_live_quote_must_be_young(context: Make, mode: Mode, age: float, passes: bool) -> None:
    assert FreshQuoteRule().check(context(mode=mode, quote_age=age)).passed is passes


def test_liquidity_takes_a_share_of_the_usual_volume(context: Make) -> None:
    assert bound(LiquidityRule().check(context(average_volume=114_000.0))) == 5700
    assert refuses(LiquidityRule().check(context(average_volume=1_999.0)), "99")


@pytest.mark.parametrize("average", [None, nan, inf])
def test_an_unknown_usual_volume_is_refused(context: Make, average: float | None) -> None:
    assert refuses(LiquidityRule().check(context(average_volume=average)), "20")


def test_live_limits_are_silent_outside_live_mode(context: Make) -> None:
    assert bound(LiveLimitsRule().check(context())) is None


def test_live_entries_need_the_allowlist_and_the_capital_limit(context: Make) -> None:
    live = {"mode": Mode.LIVE, "allowlist": ("600036.SSE",), "capital_limit": Decimal(50_000)}
    assert refuses(LiveLimitsRule().check(context(**live | {"allowlist": ()})), "600036.SSE")
    assert refuses(LiveLimitsRule().check(context(**live | {"allowlist": None})))
    assert refuses(LiveLimitsRule().check(context(**live | {"capital_limit": None})))
    assert bound(LiveLimitsRule().check(context(**live))) == 2500
    assert bound(LiveLimitsRule().check(context(**live, exposure=Decimal(30_000)))) == 1000
    assert refuses(LiveLimitsRule().check(context(**live, exposure=Decimal(60_000))))


def test_the_daily_loss_is_measured_from_the_open(context: Make) -> None:
    assert bound(DailyLossRule().check(context(equity=Decimal(970_001)))) is None
    assert refuses(DailyLossRule().check(context(equity=Decimal(970_000))), "3.0%")
    assert refuses(DailyLossRule().check(context(day_start_equity=Decimal(0))))


def test_the_drawdown_is_measured_from_the_peak(context: Make) -> None:
    peak = {"peak_equity": Decimal(1_250_000)}
    assert bound(DrawdownRule().check(context(**peak, equity=Decimal(1_000_001)))) is None
    assert refuses(DrawdownRule().check(context(**peak, equity=Decimal(1_000_000))), "20.0%")
    assert bound(DrawdownRule().check(context(equity=Decimal(2_000_000)))) is None


def test_lots_are_the_exchanges(context: Make, sale: Make) -> None:
    assert bound(LotSizeRule().check(context(wanted=1050))) == 1000
    assert refuses(LotSizeRule().check(context(wanted=99)), "100")
    assert bound(LotSizeRule().check(sale(wanted=50, held=1050))) == 50  # the odd remainder
    assert refuses(LotSizeRule().check(sale(wanted=50, held=1000)))
    assert bound(LotSizeRule().check(context(symbol="688981.SSE", wanted=201))) == 201
    assert refuses(LotSizeRule().check(context(symbol="688981.SSE", wanted=199)), "200")


def test_one_buy_at_a_time(context: Make) -> None:
    assert bound(OneOrderRule().check(context())) is None
    assert refuses(OneOrderRule().check(context(working=100)), "100")


def test_a_weight_bounds_shares_held_working_and_wanted(context: Make) -> None:
    assert bound(PositionWeightRule().check(context())) == 5000
    assert bound(PositionWeightRule().check(context(held=2000, working=1000))) == 2000
    assert refuses(PositionWeightRule().check(context(held=4950)), "10.1%")
    assert bound(PositionWeightRule().check(context(fund=True))) == 30_000


def test_a_share_too_dear_for_one_lot_says_what_one_lot_would_weigh(context: Make) -> None:
    line = PositionWeightRule().check(
        context(symbol="600519.SSE", price=Decimal("1450.00"), stop=Decimal("1400.00"), wanted=100)
    )
    assert refuses(line)
    assert str(line.text) == "单票仓位 14.5% 超过上限 10.0%（最少买入 100 股）"


def test_the_number_of_holdings_is_capped_for_new_symbols_only(context: Make) -> None:
    assert bound(PositionsRule().check(context(positions=7))) is None
    assert refuses(PositionsRule().check(context(positions=8)), "8")
    assert bound(PositionsRule().check(context(positions=8, held=100))) is None
    assert bound(PositionsRule().check(context(positions=8, working=100))) is None


def test_a_buy_stays_inside_the_limit_band(context: Make, quote: QuoteView) -> None:
    assert bound(PriceBandRule().check(context(price=Decimal("22.00")))) is None
    assert refuses(PriceBandRule().check(context(price=Decimal("22.01"))), "22.01")
    assert refuses(PriceBandRule().check(context(price=Decimal("17.99"))), "18.00")


def test_limit_up_is_not_chased(context: Make, quote: QuoteView) -> None:
    sealed = replace(quote, last=Decimal("22.00"))
    assert refuses(PriceBandRule().check(context(quote=sealed)), "22.00")


def test_a_day_without_limits_has_no_band(context: Make, quote: QuoteView) -> None:
    free = replace(quote, limit_up=None, limit_down=None)
    assert bound(PriceBandRule().check(context(quote=free, price=Decimal(90)))) is None


def test_the_loss_at_the_stop_is_a_bounded_share_of_equity(context: Make) -> None:
    assert bound(RiskPerTradeRule().check(context(stop=Decimal("18.50")))) == 6666  # 10,000 / 1.50
    assert refuses(RiskPerTradeRule().check(context(stop=None)))
    assert refuses(RiskPerTradeRule().check(context(stop=Decimal("20.00"))))
    assert refuses(RiskPerTradeRule().check(context(equity=Decimal(100), stop=Decimal("19.00"))))


def test_a_sale_is_bounded_by_what_may_be_sold_today(sale: Make, context: Make) -> None:
    assert bound(SellableRule().check(sale(sellable=300))) == 300
    assert refuses(SellableRule().check(sale(sellable=0)), "1000")
    assert bound(SellableRule().check(context())) is None


def test_a_stop_lies_at_a_sensible_distance(context: Make) -> None:
    assert bound(StopDistanceRule().check(context(stop=Decimal("19.90")))) is None
    assert bound(StopDistanceRule().check(context(stop=Decimal("17.00")))) is None
    assert refuses(StopDistanceRule().check(context(stop=Decimal("19.91"))))
    assert refuses(StopDistanceRule().check(context(stop=Decimal("16.99"))))
    assert refuses(StopDistanceRule().check(context(stop=Decimal("20.50"))))
    assert refuses(StopDistanceRule().check(context(stop=None)))


def test_the_trading_state_decides_what_is_allowed(context: Make, sale: Make) -> None:
    rule = TradingStateRule()
    assert bound(rule.check(context())) is None
    assert refuses(rule.check(context(state=TradingState.REDUCING)), "REDUCING")
    assert bound(rule.check(sale(state=TradingState.REDUCING))) is None
    assert refuses(rule.check(context(state=TradingState.HALTED)), "HALTED")
    assert refuses(rule.check(sale(state=TradingState.HALTED)), "HALTED")


def test_the_stops_distance_is_that_from_the_entry_not_from_the_limit(context: Make) -> None:
    """Entry 20.00, limit 20.04: a stop at 17.00 is 15 % from the entry, at 16.99 more."""
    figures = {"price": Decimal("20.04"), "reference": Decimal("20.00")}
    assert StopDistanceRule().check(context(stop=Decimal("17.00"), **figures)).passed
    assert refuses(StopDistanceRule().check(context(stop=Decimal("16.99"), **figures)), "15.0%")
    assert StopDistanceRule().check(context(stop=Decimal("19.90"), **figures)).passed
    assert refuses(StopDistanceRule().check(context(stop=Decimal("19.91"), **figures)), "0.5%")


def test_above_the_last_price_the_least_distance_is_that_from_the_last_price(context: Make) -> None:
    """The order fills at 20.00, whatever the plan calls its entry: 19.95 is 0.25 % away, not 2.7 %."""
    figures = {"price": Decimal("20.54"), "reference": Decimal("20.50")}
    assert refuses(StopDistanceRule().check(context(stop=Decimal("19.95"), **figures)), "0.2%")
    assert StopDistanceRule().check(context(stop=Decimal("19.90"), **figures)).passed
    assert refuses(StopDistanceRule().check(context(stop=Decimal("17.40"), **figures)), "15.1%")


def test_the_amount_at_risk_is_counted_from_the_limit(context: Make) -> None:
    """1 % of 1,000,000 CNY over 20.04 - 19.00 = 1.04 CNY: 9,615 shares; from the entry it were 10,000."""
    line = RiskPerTradeRule().check(
        context(price=Decimal("20.04"), reference=Decimal("20.00"), stop=Decimal("19.00"))
    )
    assert bound(line) == 9615


def test_an_entry_above_the_last_price_is_bounded(context: Make) -> None:
    assert bound(EntryPremiumRule().check(context(reference=Decimal("20.60")))) is None
    line = EntryPremiumRule().check(context(reference=Decimal("20.61")))
    assert refuses(line, "入场价 20.61 高于现价 20.00", "上限 3.0%", "不追高")
    assert bound(EntryPremiumRule().check(context(reference=Decimal("18.00")))) is None
    strict = RiskLimits(max_entry_premium=0.0)
    assert refuses(EntryPremiumRule().check(context(limits=strict, reference=Decimal("20.01"))))


def test_without_a_quote_there_is_no_premium_and_no_entry(context: Make) -> None:
    assert refuses(EntryPremiumRule().check(context(quote=None)))


def test_beside_shares_of_a_human_nothing_is_bought_unless_allowed(context: Make) -> None:
    assert bound(ExternalPositionRule().check(context())) is None
    held = {"held": 300, "external": 300}
    assert refuses(ExternalPositionRule().check(context(**held)), "人工接管 300 股")
    assert bound(ExternalPositionRule().check(context(**held, beside_external=True))) is None


def test_a_humans_shares_never_hinder_an_exit() -> None:
    assert ExternalPositionRule().entries_only
