"""Each way of working an order, as golden sequences of what it does when."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from vnpy_aiagent.config import SlicingSettings
from vnpy_aiagent.domain import Algo, Side
from vnpy_aiagent.execution.algos import Done, Place, Wait, choose, usual_volume

from .algo_tape import FUND, STAR, START, Tape, market

GIVE_UP = {"after": 60, "replacements": 2, "then": "GIVE_UP"}


# limit with protection


def test_an_order_that_fills_is_never_touched() -> None:
    tape = Tape()
    tape.look()
    assert tape.look(59) == Wait(START + timedelta(seconds=60))
    tape.fills()
    assert tape.look(60) == Done()
    assert tape.said == ["0s 1000@5.00", "60s done"]


def test_an_order_that_does_not_fill_is_replaced_step_by_step_up_to_its_bound_and_then_rests() -> None:
    tape = Tape(timeout={"after": 60, "replacements": 3})
    tape.look()
    for second, last in ((60, "5.05"), (121, "5.09"), (182, "5.30"), (243, "5.40"), (303, "5.40")):
        tape.look(second, market(last))
        if tape.order is not None and tape.order[3]:
            tape.ends()
            tape.look(second + 1)
    assert tape.said == [
        "0s 1000@5.00",
        "60s cancel",
        "61s 1000@5.03",
        "121s cancel",
        "122s 1000@5.06",
        "182s cancel",
        "183s 1000@5.10",
    ]


def test_a_price_goes_no_further_than_the_other_side_asks_for() -> None:
    tape = Tape(timeout={"after": 60, "replacements": 2})
    tape.look()
    tape.look(60, market("5.01"))
    tape.ends()
    assert tape.look(61) == Place(1_000, Decimal("5.02"))


def test_an_order_whose_price_would_not_change_keeps_its_place_in_the_queue() -> None:
    tape = Tape(timeout={"after": 60, "replacements": 3})
    tape.look()
    for second in (60, 120, 180, 240):
        assert isinstance(tape.look(second, market("4.99")), Wait)
    assert tape.said == ["0s 1000@5.00"]


def test_after_its_replacements_an_order_may_be_given_up() -> None:
    tape = Tape(timeout=GIVE_UP)
    tape.look()
    for second in (60, 120, 180):
        tape.look(second, market("5.40"))
        tape.ends()
        tape.look(second)
    assert tape.said == [
        "0s 1000@5.00",
        "60s cancel",
        "60s 1000@5.05",
        "120s cancel",
        "120s 1000@5.10",
        "180s cancel",
        "180s done",
    ]
    assert "放弃" in str(tape.plan.over)


def test_a_replacement_is_of_what_is_open_and_none_while_the_cancel_is_not_confirmed() -> None:
    tape = Tape(timeout={"after": 60})
    tape.look()
    tape.fills(300)
    tape.look(60, market("5.40"))
    assert tape.look(70) == Wait()
    tape.fills(200)
    tape.ends()
    assert tape.look(71) == Place(500, Decimal("5.03"))


def test_nothing_is_done_while_a_fate_is_unknown() -> None:
    tape = Tape(timeout={"after": 60})
    tape.look()
    tape.blocked = True
    assert tape.look(600, market("5.40")) == Wait()
    tape.order = None
    assert tape.look(601) == Wait()


def test_a_timeout_of_zero_leaves_the_order_alone() -> None:
    tape = Tape(timeout={"after": 0})
    tape.look()
    assert tape.look(10_000, market("5.40")) == Wait()


def test_no_price_is_made_of_a_quote_that_is_missing() -> None:
    tape = Tape(timeout={"after": 60})
    tape.market = None
    assert tape.look() == Place(1_000, Decimal("5.00"))
    tape.market = None
    assert tape.look(60) == Wait(START + timedelta(seconds=120))


def test_a_buy_costs_no_more_than_the_cash_pays_for() -> None:
    tape = Tape(timeout={"after": 60, "replacements": 1})
    tape.look()
    tape.most = Decimal("5.047")
    tape.look(60, market("5.40"))
    tape.ends()
    assert tape.look(61) == Place(1_000, Decimal("5.04"))


def test_a_price_stays_inside_the_cage_and_waits_where_that_leads_out_of_the_bounds() -> None:
    tape = Tape(limit="5.30", low="5.20", high="5.40", timeout={"after": 60})
    assert tape.look(0, market("5.12")) == Place(1_000, Decimal("5.23"))  # 2 % above the ask of 5.13
    below = Tape(limit="5.30", low="5.25", high="5.40")
    assert below.look(0, market("5.00")) == Wait()
    assert below.look(3, market("5.20")) == Place(1_000, Decimal("5.30"))


def test_an_order_ends_with_its_signal() -> None:
    tape = Tape(minutes=10, timeout={"after": 60, "replacements": 0})
    tape.look()
    assert tape.look(600) == Wait()
    tape.order = None
    assert isinstance(tape.look(600), Done)
    assert "到期" in str(tape.look(600).reason)  # type: ignore[union-attr]


def test_what_is_less_than_the_smallest_order_is_given_up() -> None:
    tape = Tape(volume=200, timeout={"after": 60})
    tape.look()
    tape.fills(150)
    tape.look(60, market("5.40"))
    tape.ends()
    action = tape.look(61)
    assert isinstance(action, Done)
    assert "50" in str(action.reason)


# protective stops


def test_a_stop_is_priced_down_to_the_limit_down_as_far_as_the_cage_lets_it() -> None:
    tape = Tape(
        side=Side.SELL,
        limit="4.90",
        low="4.50",
        high="5.00",
        held=1_000,
        protective=True,
        timeout={"after": 60, "replacements": 2, "then": "GIVE_UP"},
    )
    tape.look(0, market("5.00"))
    for second, last in ((60, "4.80"), (120, "4.70"), (180, "4.60"), (240, "4.52"), (300, "4.50")):
        tape.look(second, market(last))
        if tape.order is not None and tape.order[3]:
            tape.ends()
            tape.look(second)
    assert tape.said == [
        "0s 1000@4.90",
        "60s cancel",
        "60s 1000@4.70",
        "120s cancel",
        "120s 1000@4.59",
        "180s cancel",
        "180s 1000@4.50",
    ]


def test_a_stop_waits_for_no_better_market() -> None:
    wide = market("5.00", bid=Decimal("4.60"), ask=Decimal("5.20"), bid_volume=1)
    tape = Tape(side=Side.SELL, limit="4.90", low="4.50", high="5.00", held=1_000, protective=True)
    assert isinstance(tape.look(0, wide), Place)


# TWAP


def test_twap_sends_equal_slices_over_its_time() -> None:
    tape = Tape(Algo.TWAP, 1_200, slicing={"slices": 4, "minutes": 20})
    for second in (0, 1, 300, 600, 899, 900, 901):
        tape.look(second)
        if tape.order is not None:
            tape.fills()
    assert tape.said == ["0s 300@5.00", "300s 300@5.00", "600s 300@5.00", "900s 300@5.00", "901s done"]


def test_twap_takes_what_a_slice_left_into_the_next_at_a_better_price() -> None:
    tape = Tape(Algo.TWAP, 900, slicing={"slices": 3, "minutes": 15}, timeout={"replacements": 2})
    tape.look(0)
    tape.fills(100)
    tape.look(300, market("5.40"))
    assert tape.look(301) == Wait()
    tape.ends()
    tape.look(302)
    tape.fills()
    tape.look(602)
    assert tape.said == ["0s 300@5.00", "300s cancel", "302s 500@5.05", "602s 300@5.05"]


def test_twap_in_little_time_has_fewer_slices_and_the_last_takes_all() -> None:
    tape = Tape(Algo.TWAP, 1_000, minutes=8, slicing={"slices": 6, "minutes": 30})
    tape.look(0)
    tape.fills()
    tape.look(60)
    tape.fills()
    assert tape.look(61) == Done()
    assert tape.said == ["0s 500@5.00", "60s 500@5.00", "61s done"]


# iceberg


def test_iceberg_shows_its_part_and_the_next_when_it_is_done() -> None:
    tape = Tape(Algo.ICEBERG, 1_000, slicing={"visible": 0.4})
    for second in (0, 10, 20, 30):
        tape.look(second)
        if tape.order is not None:
            tape.fills()
    assert tape.said == ["0s 400@5.00", "10s 400@5.00", "20s 200@5.00", "30s done"]


# participation


def test_participation_follows_the_volume_and_pauses_between_orders() -> None:
    tape = Tape(Algo.PARTICIPATION, 1_000, slicing={"participation": 0.1, "every": 30})
    for second, traded in ((0, 50_000), (3, 50_900), (6, 52_000), (9, 54_000), (36, 54_000), (66, 90_000)):
        tape.look(second, market(traded=traded))
        if tape.order is not None:
            tape.fills()
    tape.look(70)
    assert tape.said == ["6s 200@5.00", "36s 200@5.00", "66s 600@5.00", "70s done"]


def test_participation_sends_nothing_while_no_volume_is_known() -> None:
    tape = Tape(Algo.PARTICIPATION, 1_000)
    assert tape.look(0, market(traded=None)) == Wait()
    assert tape.look(3, market(traded=80_000)) == Wait()
    assert tape.look(6, market(traded=81_000)) == Place(100, Decimal("5.00"))


def test_participation_leaves_no_rest_that_cannot_be_sent() -> None:
    tape = Tape(
        Algo.PARTICIPATION, 450, symbol=STAR, side=Side.SELL, held=900, slicing={"participation": 0.1}
    )
    tape.look(0)
    assert tape.look(1, market(traded=3_000)) == Wait()  # 300 would leave 150, less than STAR's smallest
    assert tape.look(2, market(traded=4_500)) == Place(450, Decimal("5.00"))


# lots


@pytest.mark.parametrize(
    ("symbol", "side", "held", "volume", "expected"),
    [
        (STAR, Side.BUY, 0, 500, [200, 300]),
        (STAR, Side.SELL, 500, 500, [200, 200, 100]),
        (STAR, Side.SELL, 900, 500, [200, 300]),
        (STAR, Side.BUY, 0, 399, [399]),
        ("430047.BSE", Side.BUY, 0, 350, [116, 117, 117]),
        ("601988.SSE", Side.SELL, 350, 350, [100, 100, 150]),
        (FUND, Side.BUY, 0, 400, [100, 100, 200]),
    ],
)
def test_slices_are_orders_that_the_exchange_takes(
    symbol: str, side: Side, held: int, volume: int, expected: list[int]
) -> None:
    settings: dict[str, Any] = {"slicing": {"slices": 3, "minutes": 3}}
    tape = Tape(Algo.TWAP, volume, symbol=symbol, side=side, held=held, **settings)
    placed = []
    for second in (0, 60, 120, 121):
        action = tape.look(second)
        if isinstance(action, Place):
            assert tape.rules.lot_error(side, action.volume, tape.held) is None
            placed.append(action.volume)
            tape.fills()
    assert placed == expected


# waiting


def test_an_order_waits_for_a_narrow_spread_and_then_goes() -> None:
    wide = market(bid=Decimal("4.90"), ask=Decimal("5.10"))
    tape = Tape(patience={"seconds": 30})
    assert tape.look(0, wide) == Wait(START + timedelta(seconds=30))
    assert tape.look(10, wide) == Wait(START + timedelta(seconds=30))
    assert isinstance(tape.look(12, market()), Place)


def test_a_wait_is_bounded_and_ends_as_the_settings_say() -> None:
    thin = market(ask_volume=150)
    tape = Tape(patience={"seconds": 30, "min_depth": 0.2})
    assert isinstance(tape.look(0, thin), Wait)
    assert isinstance(tape.look(30, thin), Place)
    gone = Tape(patience={"seconds": 30, "min_depth": 0.2, "then": "GIVE_UP"})
    gone.look(0, thin)
    action = gone.look(30, thin)
    assert isinstance(action, Done)
    assert "150" in str(action.reason)


@pytest.mark.parametrize("missing", [{"ask": None}, {"bid": None}, {"bid": None, "ask": None}])
def test_a_book_with_a_side_missing_is_no_reason_to_wait(missing: dict[str, Any]) -> None:
    tape = Tape()
    assert isinstance(tape.look(0, market(ask_volume=1, **missing)), Place)


def test_two_ticks_are_never_a_wide_spread() -> None:
    cheap = replace(market("0.50"), limit_up=Decimal("0.55"), limit_down=Decimal("0.45"))
    tape = Tape(limit="0.50", low="0.49", high="0.51")
    assert isinstance(tape.look(0, cheap), Place)


# the choice


@pytest.mark.parametrize(
    ("volume", "usual", "expected"),
    [
        (400, 100_000, Algo.LIMIT),
        (500, 100_000, Algo.TWAP),
        (1_999, 100_000, Algo.TWAP),
        (2_000, 100_000, Algo.PARTICIPATION),
        (1_000_000, None, Algo.LIMIT),
        (1_000_000, 0.0, Algo.LIMIT),
    ],
)
def test_size_against_usual_volume_chooses(volume: int, usual: float | None, expected: Algo) -> None:
    settings = SlicingSettings(medium=0.005, large=0.02)
    assert choose(volume, usual, settings, protective=False) is expected
    assert choose(volume, usual, settings, protective=True) is Algo.LIMIT


@pytest.mark.parametrize("algo", list(Algo))
def test_a_setting_forces_one(algo: Algo) -> None:
    assert choose(100, None, SlicingSettings(algo=algo.name), protective=False) is algo


def test_the_usual_volume_is_the_average_else_the_first_minutes_else_unknown() -> None:
    assert usual_volume(1e6, 5_000, 60) == 1e6
    assert usual_volume(None, 5_000, 10) == 120_000
    assert usual_volume(None, 5_000, 4) is None
    assert usual_volume(None, None, 60) is None
    assert usual_volume(0.0, 0, 60) is None
