"""The market of the paper day: 30 October 2025 of twenty SSE 50 members, its clock, and its model.

Real hourly bars give the prices (testing.quote_server says how an hour is walked). No free source of real
snapshot times of shares is at hand, so the moments at which snapshots move are real ones of an index future:
the tick times of IF2101 on 4 January 2021, thinned to one every three seconds, on the clock face of the day.
"""

import csv
import gzip
import json
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from tests.integration.scripted_trader import trade
from vnpy_aiagent.data import load_folder
from vnpy_aiagent.data.market_data import MarketData
from vnpy_aiagent.domain import MARKET_TZ, BarInterval
from vnpy_aiagent.testing.model_server import Body, text_reply
from vnpy_aiagent.testing.quote_server import CADENCE, DayTape, HourBar, QuoteDay
from vnpy_aiagent.testing.speed_clock import JUMP, Pace, SpeedClock

DAY = date(2025, 10, 30)
CODES = (
    "600031 600276 600406 600900 601012 601088 601127 601225 601288 601318 "
    "601398 601600 601628 601766 601857 601899 601985 603993 688008 688981"
)
SYMBOLS = tuple(f"{code}.SSE" for code in CODES.split())
EARLY = tuple(f"{code}.SSE" for code in (601288, 601600, 601628, 603993, 601012))
START = time(6, 57)
PACES: tuple[tuple[time, float], ...] = (
    (time(7, 3), 24),
    (time(9, 10), JUMP),
    (time(9, 34), 120),
    (time(9, 48), 36),
    (time(9, 59), 120),
    (time(10, 6), 40),
    (time(10, 27), 200),
    (time(10, 52), 60),
    (time(11, 28), 200),
    (time(11, 43), 40),
    (time(12, 55), JUMP),
    (time(13, 6), 60),
    (time(14, 3), 200),
    (time(14, 13), 45),
    (time(14, 55), 200),
    (time(15, 14), 100),
    (time(15, 57), JUMP),
    (time(16, 6), 60),
)
"""Market seconds in a second of the machine: slow where something happens, a jump over dead time."""


def at(hour: int, minute: int, second: int = 0) -> datetime:
    """A moment of the day."""
    return datetime.combine(DAY, time(hour, minute, second), MARKET_TZ)


def day_clock(origin: float) -> SpeedClock:
    """The day's clock; equal in every process of the machine that is given the same origin."""
    paces = [Pace(datetime.combine(DAY, until, MARKET_TZ), rate) for until, rate in PACES]
    return SpeedClock(datetime.combine(DAY, START, MARKET_TZ), paces, after=24, origin=origin)


def load_history(shared: Path) -> MarketData:
    """Daily bars of the twenty up to the day before."""
    data = load_folder(shared / "data" / "sse50", symbols=list(SYMBOLS))
    series = {key: bars.upto(at(7, 0)) for key, bars in data.series.items() if key[1] is BarInterval.DAILY}
    return MarketData(source=data.source, instruments=data.instruments, series=series)


def load_day(shared: Path) -> QuoteDay:
    """The day's tapes and the moments of its snapshots."""
    folder = shared / "data" / "sse50"
    data = load_folder(folder, frequency=BarInterval.HOUR, symbols=list(SYMBOLS))
    closes = load_folder(folder, symbols=list(SYMBOLS))
    tapes = []
    for symbol in SYMBOLS:
        bars = data.bars(symbol, BarInterval.HOUR)
        hours = [
            HourBar(
                datetime.fromtimestamp(int(bars.start[n]), MARKET_TZ),
                bars.end_of(n),
                float(bars.open[n]),
                float(bars.high[n]),
                float(bars.low[n]),
                float(bars.close[n]),
                int(bars.volume[n]),
            )
            for n in range(len(bars))
            if bars.day_of(n) == DAY
        ]
        before = closes.bars(symbol, BarInterval.DAILY).upto(at(7, 0))
        tapes.append(DayTape(symbol, data.instruments[symbol].name, float(before.close[-1]), hours))
    return QuoteDay(tapes, tick_times(shared / "data" / "cffex" / "IF2101_ticks_20210104.csv.gz"))


def tick_times(path: Path) -> list[datetime]:
    """Real tick times of a recorded day, one every three seconds, on this day's clock face."""
    times: list[datetime] = []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            clock = datetime.fromisoformat(row["datetime"]).time().replace(microsecond=0)
            moment = datetime.combine(DAY, clock, MARKET_TZ)
            if time(9, 30) <= clock <= time(15, 0) and (not times or moment - times[-1] >= CADENCE):
                times.append(moment)
    return [*times, at(15, 0)] if times[-1] < at(15, 0) else times


def decide(body: Body) -> Body:
    """The scripted model: tools first, then buys whose triggers differ by symbol."""
    facts = json.loads(body["messages"][1]["content"])
    reply = trade(body)
    if "finding" not in facts:
        return reply if _interested(facts["request"]) else _calm(reply)
    plan: dict[str, Any] = json.loads(reply["choices"][0]["message"]["content"])
    number = SYMBOLS.index(facts["request"]["symbol"]) if facts["request"]["symbol"] in SYMBOLS else 0
    if plan["action"] == "BUY":
        up = number % 2 == 0
        plan["triggers"] = [
            {
                "trigger": "PRICE_AT_OR_ABOVE" if up else "PRICE_AT_OR_BELOW",
                "price": {"basis": "ENTRY", "offset": 0.6 if up else -0.6},
                "note": "up a little" if up else "down a little",
            },
            {
                "trigger": "PRICE_AT_OR_ABOVE",
                "price": {"basis": "ENTRY", "offset": 8},
                "note": "far away",
            },
        ]
    elif plan["action"] == "CLOSE" and number % 3 == 0:
        plan |= {"action": "HOLD", "stance": "NEUTRAL"}
    return text_reply(json.dumps(plan))


def _interested(request: dict[str, Any]) -> bool:
    """Whether the model sees a chance: in five symbols at first, in the others from 10:30."""
    if request["kind"] != "OPEN":
        return True
    return request["symbol"] in EARLY or datetime.fromisoformat(request["now"]) >= at(10, 30)


def _calm(reply: Body) -> Body:
    """A finding with which nothing is at stake; a call of tools stays as it is."""
    content = reply["choices"][0]["message"]["content"]
    if content is None:
        return reply
    return text_reply(json.dumps(json.loads(content) | {"stance": "NEUTRAL", "strength": 0.3}))
