"""How signals become orders, on the simulated exchange too, and how often triggers ask again."""

from typing import Literal

from pydantic import Field

from vnpy_aiagent.config.base import Ratio, Section


class TimeoutSettings(Section):
    """What becomes of an order that does not fill. `after` seconds (0: never) it is looked at.

    Where a better price within the signal's bounds would help, it is cancelled and, once its end is certain,
    replaced, at most `replacements` times. Afterwards it rests until the signal ends (REST), or is given up.
    """

    after: float = Field(60.0, ge=0, le=14_400, allow_inf_nan=False)
    replacements: int = Field(3, ge=0, le=20)
    then: Literal["REST", "GIVE_UP"] = "REST"


class SlicingSettings(Section):
    """How an order is cut. `algo` names one, or AUTO chooses by size against a day's usual volume (ratios).

    Below `medium` one limit order; from there `medium_algo`; from `large` on PARTICIPATION. TWAP sends up to
    `slices` over `minutes`; ICEBERG shows `visible` of the order; PARTICIPATION takes `participation` of the
    volume traded since its start, an order every `every` seconds at most.
    """

    algo: Literal["AUTO", "LIMIT", "TWAP", "ICEBERG", "PARTICIPATION"] = "AUTO"
    medium: Ratio = 0.005
    large: Ratio = 0.02
    medium_algo: Literal["TWAP", "ICEBERG"] = "TWAP"
    slices: int = Field(6, ge=2, le=100)
    minutes: float = Field(30.0, ge=1, le=240, allow_inf_nan=False)
    visible: float = Field(0.2, gt=0, le=1, allow_inf_nan=False)
    participation: float = Field(0.1, gt=0, le=0.5, allow_inf_nan=False)
    every: float = Field(30.0, ge=1, le=3_600, allow_inf_nan=False)


class PatienceSettings(Section):
    """When an order waits before it is sent; protective stops never do.

    It waits while the spread is above `max_spread` (a ratio of the middle, and above two ticks), or what
    stands on the opposite side's known levels is less than `min_depth` of the order, for `seconds` at most;
    then it is sent all the same (ACT), or given up. 0 in `seconds`, or a missing book: no waiting.
    """

    max_spread: Ratio = 0.01
    min_depth: Ratio = 0.2
    seconds: float = Field(60.0, ge=0, le=14_400, allow_inf_nan=False)
    then: Literal["ACT", "GIVE_UP"] = "ACT"


class ExecutionSettings(Section):
    """How signals become orders. `slippage` is a ratio of price around the last price.

    `beside_external` allows entries in a symbol of which the account holds shares that a human took over.
    Above `max_cancel_ratio` of the day's orders (from the 20th order on) no order is cancelled for a better
    price any more; protective stops are.
    """

    slippage: Ratio = 0.002
    bounds: Ratio = 0.01
    stop_slippage: Ratio = 0.02
    max_orders_per_second: int = Field(5, ge=1, le=299)
    max_orders_per_day: int = Field(1_000, ge=1, le=19_999)
    max_cancel_ratio: Ratio = 0.3
    beside_external: bool = False
    timeout: TimeoutSettings = TimeoutSettings()
    slicing: SlicingSettings = SlicingSettings()
    patience: PatienceSettings = PatienceSettings()


class SimSettings(Section):
    """The simulated exchange: share of traded volume one account may take, adverse ticks paid."""

    participation: Ratio = 0.10
    slippage_ticks: int = Field(1, ge=0, le=100)


class ReanalysisSettings(Section):
    """How often a trigger may ask the model again; protective stops ask nobody and are not concerned.

    A price trigger nearer to the last price than `min_distance` (a ratio) or `min_ticks` ticks, whichever is
    more, is not registered. After a re-analysis of an account's position the next one waits `cooldown`
    seconds, and there are at most `per_day`.
    """

    min_distance: Ratio = 0.003
    min_ticks: int = Field(3, ge=0, le=1_000)
    cooldown: float = Field(600.0, ge=0, le=86_400)
    per_day: int = Field(6, ge=0, le=1_000)
