"""600000 on its real ex-days through a whole simulation: buy and hold agrees with a sheet made by hand."""

import csv
import gzip
import shutil
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from vnpy.event import Event
from vnpy.trader.event import EVENT_TICK

from vnpy_aiagent.agents.restore import Restorer
from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.config import AccountSettings, SimSettings
from vnpy_aiagent.data import load_folder
from vnpy_aiagent.domain import (
    Alert,
    BarInterval,
    CorporateActionApplied,
    DividendTaxTaken,
    EquityMark,
    Fill,
    ReferenceShifted,
    Severity,
    Side,
    Signal,
    StopUpdate,
    Style,
    say,
)
from vnpy_aiagent.market.sessions import session_close
from vnpy_aiagent.simulation import Simulation

from .loop_helpers import Played, play, settings

SYMBOL = "600000.SSE"

SHEET = (
    # ex-day, cash received, shares after; from 10,000 shares, by hand from the table of ex-days
    ("2000-07-06", "1500.00", 10_000),
    ("2002-08-22", "2000.00", 15_000),
    ("2003-06-23", "1500.00", 15_000),
    ("2004-05-20", "1650.00", 15_000),
    ("2005-05-12", "1800.00", 15_000),
    ("2006-05-12", "0.00", 19_500),
    ("2006-05-25", "2535.00", 19_500),
    ("2007-07-18", "2925.00", 19_500),
    ("2008-04-24", "3120.00", 25_350),
    ("2009-06-09", "5830.50", 35_490),
    ("2010-06-10", "5323.50", 46_137),
    ("2011-06-03", "7381.92", 59_978),
)
DIVIDENDS = Decimal("35565.92")
BOUGHT_AT = Decimal("27.58")  # open of the second day
BUYING = Decimal("68.95") + Decimal("1103.20") + Decimal("10.00")  # commission, 0.4 % stamp, 1 CNY a thousand


@pytest.fixture(scope="module")
def folder(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real bars as a data folder, beside the table of ex-days as it is."""
    target = tmp_path_factory.mktemp("600000")
    with gzip.open(shared / "data/long/600000.SSE_daily.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (target / "daily.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        columns = ("open", "high", "low", "close", "volume")
        writer.writerow(["vt_symbol", "date", *columns])
        for row in rows:
            writer.writerow([SYMBOL, row["date"][:10], *(row[name] for name in columns)])
    shutil.copy(shared / "data/long/600000.SSE_corporate_actions.csv", target)
    return target


Orders = dict[str, tuple[Side, int, str]]


def trading(orders: Orders, symbol: str = SYMBOL, stop: str = "1.00") -> Callable[[Simulation], None]:
    """An approved order at the first quote of each named day: side, shares, limit."""
    left = dict(orders)

    def prepare(simulation: Simulation) -> None:
        def on_tick(event: Event) -> None:
            day = event.data.datetime.date()
            wanted = left.pop(str(day), None)
            if wanted is None:
                return
            assert simulation.engine is not None
            side, volume, limit = wanted
            price = Decimal(limit)
            simulation.engine.bus.post(
                Signal,
                EVENT_AI_SIGNAL,
                cause=None,
                account="judge",
                symbol=symbol,
                side=side,
                volume=volume,
                limit=price,
                low=price,
                high=price,
                stop=Decimal(stop) if side is Side.BUY else None,
                reason=say("测试"),
                valid_until=session_close(day),
            )

        simulation.events.register(EVENT_TICK, on_tick)

    return prepare


def run(folder: Path, start: str, end: str, orders: Orders) -> Played:
    account = AccountSettings(name="judge", style=Style.JUDGE, cash=Decimal(1_000_000))
    return play(
        load_folder(folder),
        prepare=trading(orders),
        settings=settings(schedule=(), accounts=(account,), sim=SimSettings(slippage_ticks=0)),
        start=date.fromisoformat(start),
        end=date.fromisoformat(end),
    )


@pytest.fixture(scope="module")
def held(folder: Path) -> Played:
    return run(folder, "1999-11-10", "2011-06-30", {"1999-11-11": (Side.BUY, 10_000, "28.00")})


def test_twelve_years_of_buy_and_hold_agree_with_the_sheet(held: Played) -> None:
    assert [(f.price, f.volume, f.fees) for f in held.of(Fill)] == [(BOUGHT_AT, 10_000, BUYING)]
    booked = [(str(m.ex_date), str(m.amount), m.shares) for m in held.of(CorporateActionApplied)]
    before = [10_000, *(after for _, _, after in SHEET)]
    assert booked == [
        (day, cash, after - held_then)
        for (day, cash, after), held_then in zip(SHEET, before[:-1], strict=True)
    ]
    last = held.of(EquityMark)[-1]
    assert last.positions == {SYMBOL: 59_978}
    assert last.cash == 1_000_000 - 10_000 * BOUGHT_AT - BUYING + DIVIDENDS
    account = held.simulation.exchange.account("judge")
    assert (account.cash, account.holding(SYMBOL).volume) == (last.cash, 59_978)


def test_the_journal_alone_gives_the_sheet_at_every_ex_day(held: Played) -> None:
    """A restart at any of them: what is folded so far is what the sheet says so far."""
    restorer, found, cash = Restorer(), [], 1_000_000 - 10_000 * BOUGHT_AT - BUYING
    for entry in held.entries:
        book = restorer.fold([entry]).books.get("judge")
        if entry.kind == "CorporateActionApplied":
            assert book is not None
            paid = book.cash - cash
            found.append((entry.at[:10], str(paid.quantize(Decimal("0.01"))), book.volume(SYMBOL)))
            cash = book.cash
            assert book.positions[SYMBOL].shares.volume == book.volume(SYMBOL)
    assert tuple(found) == SHEET


def test_exchange_and_book_agree_every_evening_and_nothing_sells(held: Played) -> None:
    assert [m for m in held.of(Alert) if m.severity is not Severity.INFO] == []
    assert {f.side for f in held.of(Fill)} == {Side.BUY}


def test_equity_takes_no_leap_on_an_ex_day_but_what_the_market_does(held: Played, folder: Path) -> None:
    marks = {m.day: m for m in held.of(EquityMark)}
    series = load_folder(folder).bars(SYMBOL, BarInterval.DAILY)
    closes = {series.day_of(i): float(series.close[i]) for i in range(len(series))}
    actions = {m.ex_date: m for m in held.of(CorporateActionApplied)}
    compared = 0
    for before, day in pairwise(sorted(set(marks) & set(closes))):
        action = actions.get(day)
        if action is None:
            continue
        worth = float(marks[before].market_value)
        gained = float(marks[day].cash + marks[day].market_value - marks[before].cash) - worth
        after = closes[day] * (1 + float(action.bonus)) + float(action.cash)
        assert gained / worth == pytest.approx(after / closes[before] - 1, abs=2e-5)
        compared += 1
    assert compared >= 10


def test_a_sale_within_a_month_of_the_ex_day_pays_the_tax_of_its_day(folder: Path) -> None:
    played = run(
        folder,
        "2010-05-28",
        "2010-07-30",
        {"2010-06-01": (Side.BUY, 1_000, "19.00"), "2010-06-21": (Side.SELL, 1_000, "13.00")},
    )
    (action,) = played.of(CorporateActionApplied)
    assert (action.shares, action.amount) == (300, Decimal("150.00"))
    bought, sold = played.of(Fill)
    (tax,) = played.of(DividendTaxTaken)
    assert (tax.amount, tax.fill_id) == (Decimal("11.54"), sold.id)  # 10 % of 150.00 x 1,000 / 1,300
    last = played.of(EquityMark)[-1]
    assert last.positions == {SYMBOL: 300}
    spent = bought.price * 1_000 + bought.fees
    assert last.cash == 1_000_000 - spent + 150 + sold.price * 1_000 - sold.fees - tax.amount
    assert played.simulation.exchange.account("judge").cash == last.cash


def test_a_real_dividend_that_nobody_entered_shows_in_the_recorded_previous_close(shared: Path) -> None:
    """601088 paid on 2025-11-10: closed at 43.73, reference 42.75, the day's low 42.51."""
    symbol, account = "601088.SSE", AccountSettings(name="judge", style=Style.JUDGE)
    played = play(
        load_folder(shared / "data" / "sse50", symbols=[symbol]),
        prepare=trading({"2025-11-06": (Side.BUY, 1_000, "44.50")}, symbol, stop="42.80"),
        settings=settings(schedule=(), accounts=(account,), sim=SimSettings(slippage_ticks=0)),
        start=date(2025, 11, 3),
        end=date(2025, 11, 10),
    )
    (shifted,) = played.of(ReferenceShifted)
    assert (str(shifted.day), str(shifted.close), str(shifted.reference)) == ("2025-11-10", "43.73", "42.75")
    moved = played.of(StopUpdate)[-1]
    assert moved.stop == Decimal("41.84")  # 42.80 x 42.75 / 43.73
    assert [fill.side for fill in played.of(Fill)] == [Side.BUY]
