"""A year of ten real symbols through the whole engine: what its journal must tell."""

from collections import Counter, defaultdict
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from vnpy_aiagent.domain import (
    AccountOpened,
    AnalysisRequest,
    Decision,
    EquityMark,
    Fill,
    HandlerFailed,
    Intent,
    Lesson,
    OrderUpdate,
    Outcome,
    ParentDone,
    ParentOrder,
    Proposal,
    ProposalHeld,
    ReferenceShifted,
    RequestKind,
    Review,
    RunEnded,
    RunStarted,
    ScanResult,
    ScheduleFired,
    Sent,
    Side,
    Signal,
    StopState,
    StopUpdate,
    TradeRecord,
    TriggerEnd,
    TriggerEnded,
    TriggerFired,
    TriggerSpec,
    Verdict,
    cny,
    to_decimal,
)
from vnpy_aiagent.market.sessions import is_continuous
from vnpy_aiagent.store.journal import verify

from .loop_helpers import MOUTAI, TEN, Played, hours, play, sse50, year


@pytest.fixture(scope="module")
def run(shared: Path) -> Played:
    return year(shared)


@pytest.fixture(scope="module")
def hourly(shared: Path) -> Played:
    return hours(shared)


def test_the_journal_is_whole_and_no_handler_failed(run: Played) -> None:
    checked = verify(run.result.journal)
    assert checked.ok
    assert checked.entries == run.result.entries == len(run.entries)
    assert run.of(HandlerFailed) == []
    assert isinstance(run.messages[run.entries[0].id], RunStarted)
    assert isinstance(run.messages[run.entries[-1].id], RunEnded)


def test_every_cause_is_an_earlier_message(run: Played) -> None:
    seen: set[str] = set()
    for entry in run.entries:
        assert entry.cause is None or entry.cause in seen, entry
        seen.add(entry.id)


def test_market_time_never_goes_back_in_the_journal(run: Played) -> None:
    times = [message.at for message in run.messages.values()]
    assert all(before <= after for before, after in pairwise(times))


def test_a_filled_entry_leads_back_to_the_schedule_without_a_gap(run: Played) -> None:
    entries = [fill for fill in run.of(Fill) if fill.side is Side.BUY]
    assert len(entries) > 50
    for fill in entries:
        kinds = [type(message) for message in run.chain(fill)]
        assert kinds[0] is ScheduleFired
        assert kinds[-8:] == [AnalysisRequest, Decision, Proposal, Verdict, Signal, ParentOrder, Intent, Fill]
        assert ScanResult in kinds


def test_a_filled_exit_leads_back_to_a_schedule_through_its_trigger_or_stop(run: Played) -> None:
    roots: Counter[str] = Counter()
    for fill in (fill for fill in run.of(Fill) if fill.side is Side.SELL):
        chain = run.chain(fill)
        assert isinstance(chain[0], ScheduleFired)
        kinds = {type(message) for message in chain}
        if TriggerFired in kinds:
            roots["trigger"] += 1
            assert {TriggerSpec, TriggerFired, AnalysisRequest, Proposal, Verdict} <= kinds
        elif any(isinstance(message, Signal) and message.protective for message in chain):
            roots["stop"] += 1
            assert StopUpdate in kinds
        else:
            roots["plan"] += 1
    assert min(roots["trigger"], roots["stop"], roots["plan"]) > 0


def test_each_order_was_intended_then_sent_then_filled_then_done(run: Played) -> None:
    place = {entry.id: entry.seq for entry in run.entries}
    sent = {message.intent_id: message for message in run.of(Sent)}
    done = {message.parent_id: message for message in run.of(ParentDone)}
    for fill in run.of(Fill):
        intent = run.messages[fill.intent_id]
        assert isinstance(intent, Intent)
        order = [place[intent.id], place[sent[intent.id].id], place[fill.id], place[done[fill.parent_id].id]]
        assert order == sorted(order)


def test_all_outcomes_of_the_risk_check_are_there(run: Played) -> None:
    outcomes = Counter(verdict.outcome for verdict in run.of(Verdict) if verdict.side is Side.BUY)
    assert set(outcomes) == set(Outcome)
    for verdict in run.of(Verdict):
        if verdict.outcome is Outcome.REJECTED:
            assert verdict.volume == 0
            assert any(not line.passed for line in verdict.lines)
        if verdict.outcome is Outcome.REDUCED and verdict.side is Side.BUY:
            assert 0 < verdict.volume < verdict.requested


def test_a_lot_of_moutai_above_the_cap_is_rejected_with_the_sentence(run: Played) -> None:
    refused = [v for v in run.of(Verdict) if v.symbol == MOUTAI and v.outcome is Outcome.REJECTED]
    assert refused
    for verdict in refused:
        line = next(line for line in verdict.lines if line.rule == "position_weight")
        assert not line.passed
        equity = _equity_before(run, verdict)
        limit = _limit_of(verdict)
        assert (
            line.text.render()
            == f"单票仓位 {100 * limit / equity * 100:.1f}% 超过上限 "
            + ("6.0%" if verdict.account == "conservative" else "10.0%")
            + "（最少买入 100 股）"
        )


def test_a_trigger_fires_once_and_calls_for_one_new_analysis(run: Played) -> None:
    fired = run.of(TriggerFired)
    assert len(fired) > 50
    assert len({message.trigger_id for message in fired}) == len(fired)
    replans = Counter(m.trigger_id for m in run.of(AnalysisRequest) if m.request is RequestKind.REPLAN)
    assert replans
    assert max(replans.values()) == 1
    ends = Counter(message.trigger_id for message in run.of(TriggerEnded))
    assert max(ends.values()) == 1
    ended_by_firing = {m.trigger_id for m in run.of(TriggerEnded) if m.end is TriggerEnd.FIRED}
    assert ended_by_firing == {message.trigger_id for message in fired}


def test_a_trigger_fires_only_where_its_condition_holds(run: Played) -> None:
    for fired in run.of(TriggerFired):
        spec = run.messages[fired.trigger_id]
        assert isinstance(spec, TriggerSpec)
        if spec.when is not None:
            assert fired.at >= spec.when
        elif spec.trigger.name == "PRICE_AT_OR_ABOVE":
            assert fired.price >= spec.price
        else:
            assert fired.price <= spec.price


def test_stops_are_worked_through_to_flat(run: Played) -> None:
    states: dict[tuple[str, str], list[StopState]] = defaultdict(list)
    for update in run.of(StopUpdate):
        states[update.account, update.symbol].append(update.state)
    lives = [state for updates in states.values() for state in updates]
    assert StopState.WORKING in lives
    for updates in states.values():
        for before, after in pairwise(updates):
            if before is StopState.FLAT:
                assert after is StopState.ARMED
            if after is StopState.FLAT:
                assert before is not StopState.FLAT
    worked = [fill for fill in run.of(Fill) if fill.side is Side.SELL]
    assert len([s for s in lives if s is StopState.FLAT]) == len(run.of(TradeRecord)) <= len(worked)


def test_a_stop_is_lowered_by_an_ex_day_alone_and_in_proportion(run: Played) -> None:
    prices: dict[tuple[str, str], Decimal] = {}
    shifts = {shifted.id: shifted for shifted in run.of(ReferenceShifted)}
    assert "601088.SSE" in {shifted.symbol for shifted in shifts.values()}  # its dividend of 2025-11-10
    for update in run.of(StopUpdate):
        key = update.account, update.symbol
        if update.state is StopState.FLAT:
            prices.pop(key)
            continue
        before = prices.get(key, Decimal(0))
        if update.cause in shifts:
            shifted = shifts[update.cause]
            assert abs(update.stop - before * shifted.reference / shifted.close) <= shifted.tick
        else:
            assert update.stop >= before
        prices[key] = update.stop


def test_every_position_is_protected_at_all_times(run: Played) -> None:
    held: Counter[tuple[str, str]] = Counter()
    protected: set[tuple[str, str]] = set()
    for message in run.messages.values():
        if isinstance(message, Fill):
            key = message.account, message.symbol
            held[key] += message.volume if message.side is Side.BUY else -message.volume
        elif isinstance(message, StopUpdate):
            key = message.account, message.symbol
            (protected.discard if message.state is StopState.FLAT else protected.add)(key)
        elif isinstance(message, EquityMark):
            mine = {s for (name, s), volume in held.items() if name == message.account and volume}
            assert mine == set(message.positions) == {s for a, s in protected if a == message.account}


def test_reviews_and_lessons_follow_closed_trades(run: Played) -> None:
    assert {review.period.name for review in run.of(Review)} == {"DAY", "WEEK", "MONTH", "QUARTER"}
    trades = {trade.id: trade for trade in run.of(TradeRecord)}
    lessons = run.of(Lesson)
    assert any(lesson.confirmed for lesson in lessons)
    place = {entry.id: entry.seq for entry in run.entries}
    for lesson in lessons:
        assert lesson.trades
        for trade in lesson.trades:
            assert place[trade] < place[lesson.id]
            assert (trades[trade].setup, trades[trade].regime) == (lesson.setup, lesson.regime)
    daily = [review for review in run.of(Review) if review.period.name == "DAY"]
    assert sum(review.fills for review in daily) == len(run.of(Fill))
    assert sum(review.trades_closed for review in daily) == len(trades)
    assert sum((review.pnl for review in daily), Decimal(0)) == sum(
        (t.pnl for t in trades.values()), Decimal(0)
    )


def test_a_decision_uses_only_evidence_that_was_available(run: Played, hourly: Played) -> None:
    for played in (run, hourly):
        counted = 0
        for decision in played.of(Decision):
            request = played.messages[decision.request_id]
            for evidence in decision.evidence:
                if evidence.available_at is not None:
                    counted += 1
                    assert evidence.available_at <= request.at <= decision.at
        assert counted > 500


def test_proposals_out_of_session_wait_and_are_judged_in_session(hourly: Played) -> None:
    held = hourly.of(ProposalHeld)
    hours = {(message.at.hour, message.at.minute) for message in held}
    assert {(11, 35), (15, 5)} <= hours
    verdicts = {verdict.proposal_id: verdict for verdict in hourly.of(Verdict)}
    last_day = hourly.result.end
    for message in held:
        if message.until.date() > last_day:
            continue
        verdict = verdicts[message.proposal_id]
        assert verdict.at == message.until
        assert (verdict.at.hour, verdict.at.minute) == ((13, 0) if message.at.hour == 11 else (9, 30))
    engine = hourly.simulation.engine
    assert engine is not None
    for sent in hourly.of(Sent):
        rules = engine.house.portfolio.rules(TEN[0])
        assert is_continuous(engine.parts.calendar, rules.board, sent.at)


def test_cash_and_holdings_follow_from_fills_alone_and_equal_the_exchange(
    run: Played, hourly: Played
) -> None:
    for played in (run, hourly):
        engine = played.simulation.engine
        assert engine is not None
        for opened in played.of(AccountOpened):
            cash, holdings = opened.cash, Counter[str]()
            for fill in (f for f in played.of(Fill) if f.account == opened.account):
                sign = 1 if fill.side is Side.BUY else -1
                cash -= sign * cny(fill.price * fill.volume) + fill.fees
                holdings[fill.symbol] += sign * fill.volume
                assert holdings[fill.symbol] >= 0
                assert cash >= 0
            held = {symbol: volume for symbol, volume in holdings.items() if volume}
            book = engine.house.portfolio.books[opened.account]
            assert book.cash == cash
            assert {symbol: position.volume for symbol, position in book.positions.items()} == held
            account = played.simulation.exchange.account(opened.account)
            assert account.cash == cash
            assert {symbol: h.volume for symbol, h in account.holdings.items() if h.volume} == held
            assert account.frozen == 0
            assert all(holding.frozen == 0 for holding in account.holdings.values())
            assert not book.reservations
            last = [mark for mark in played.of(EquityMark) if mark.account == opened.account][-1]
            assert last.cash == cash
            assert last.positions == held


def test_marks_value_holdings_at_the_days_close(run: Played, shared: Path) -> None:
    data = sse50(shared)
    closes = {
        symbol: {bars.day_of(i): to_decimal(float(bars.close[i])) for i in range(len(bars))}
        for symbol in TEN
        for bars in [data.bars(symbol, run.simulation.frequency)]
    }
    for mark in run.of(EquityMark):
        value = Decimal(0)
        for symbol, volume in mark.positions.items():
            known = [day for day in closes[symbol] if day <= mark.day]
            value += closes[symbol][max(known)] * volume
        assert mark.market_value == value


def test_fees_of_every_order_are_those_of_the_rules(run: Played) -> None:
    engine = run.simulation.engine
    assert engine is not None
    orders: dict[str, list[Fill]] = defaultdict(list)
    for fill in run.of(Fill):
        orders[fill.intent_id].append(fill)
    for fills in orders.values():
        first = fills[0]
        rules = engine.parts.rules_for(first.symbol, first.trading_day)
        turnover = sum((fill.price * fill.volume for fill in fills), Decimal(0))
        fees = rules.order_fees(first.side, turnover, sum(fill.volume for fill in fills))
        assert sum((fill.commission for fill in fills), Decimal(0)) == fees.commission >= 5
        assert sum((fill.stamp_duty for fill in fills), Decimal(0)) == fees.stamp_duty
        assert (first.side is Side.BUY) == (fees.stamp_duty == 0)
        assert sum((fill.transfer_fee for fill in fills), Decimal(0)) == fees.transfer_fee


def test_nothing_bought_today_is_sold_today_and_lots_hold(run: Played, hourly: Played) -> None:
    for played in (run, hourly):
        held: Counter[tuple[str, str]] = Counter()
        bought: Counter[tuple[str, str, object]] = Counter()
        for fill in played.of(Fill):
            key = fill.account, fill.symbol
            if fill.side is Side.BUY:
                assert fill.volume % 100 == 0
                held[key] += fill.volume
                bought[*key, fill.trading_day] += fill.volume
            else:
                assert fill.volume <= held[key] - bought[*key, fill.trading_day]
                held[key] -= fill.volume


def test_fills_lie_inside_the_days_range_and_band_and_within_participation(run: Played, shared: Path) -> None:
    data = sse50(shared)
    bars = {symbol: data.bars(symbol, run.simulation.frequency) for symbol in TEN}
    days = {s: {b.day_of(i): i for i in range(len(b))} for s, b in bars.items()}
    taken: Counter[tuple[str, str, object]] = Counter()
    engine = run.simulation.engine
    assert engine is not None
    for fill in run.of(Fill):
        series, i = bars[fill.symbol], days[fill.symbol][fill.trading_day]
        rules = engine.parts.rules_for(fill.symbol, fill.trading_day)
        if i == 0:
            continue  # nothing is known of the close before the first day
        band = rules.price_band(float(series.close[i - 1]))
        assert band is not None
        assert band.down <= fill.price <= band.up
        slip = rules.tick_size * run.simulation.settings.sim.slippage_ticks
        low, high = to_decimal(float(series.low[i])), to_decimal(float(series.high[i]))
        assert low - slip <= fill.price <= high + slip
        if fill.side is Side.BUY:
            assert low < band.up, "a day locked at limit up sells nothing to anybody"
        else:
            assert high > band.down, "a day locked at limit down buys nothing from anybody"
        taken[fill.account, fill.symbol, fill.trading_day] += fill.volume
        share = taken[fill.account, fill.symbol, fill.trading_day] / float(series.volume[i])
        assert share <= run.simulation.settings.sim.participation


def test_figures_of_a_verdicts_lines_can_be_computed_from_the_journal(run: Played) -> None:
    checked: Counter[str] = Counter()
    for verdict in run.of(Verdict):
        if verdict.side is not Side.BUY or not any(line.rule == "exposure" for line in verdict.lines):
            continue
        equity, value, cash = _valued_before(run, verdict)
        limit, cap = _limit_of(verdict), _caps(verdict.account)
        lines = {line.rule: line for line in verdict.lines}
        if value is None or _working_before(run, verdict):
            continue
        weight = lines["position_weight"]
        if "weight" in weight.text.figures and weight.passed:
            held = _held_before(run, verdict)
            assert weight.text.figures["weight"] == _percent((held + verdict.requested) * limit / equity)
            assert weight.max_volume == int(equity * cap[0] / limit) - held
            checked["weight"] += 1
        total = (value + verdict.requested * limit) / equity
        assert lines["exposure"].text.figures["total"] == _percent(total)
        checked["exposure"] += 1
        if verdict.volume:
            assert limit * verdict.volume <= cash
            checked["cash"] += 1
    assert min(checked["weight"], checked["exposure"], checked["cash"]) > 20


def test_no_order_of_the_year_was_rejected_by_the_exchange(run: Played, hourly: Played) -> None:
    for played in (run, hourly):
        assert [u for u in played.of(OrderUpdate) if u.state.name == "REJECTED"] == []


def test_turning_lessons_off_changes_later_decisions(run: Played, shared: Path) -> None:
    plain = run.simulation.settings
    without = plain.model_copy(update={"brain": plain.brain.model_copy(update={"lessons": False})})
    other = play(sse50(shared).restrict(TEN), settings=without)
    assert other.of(Lesson) == []
    first = next(entry.seq for entry in run.entries if entry.kind == "Lesson")

    def plans(played: Played) -> list[tuple[object, ...]]:
        return [(p.at, p.account, p.symbol, p.action, p.confidence) for p in played.of(Proposal)]

    mine, others = plans(run), plans(other)
    assert mine != others
    different = next(i for i, (a, b) in enumerate(zip(mine, others, strict=False)) if a != b)
    assert mine[different][0] > run.messages[run.entries[first - 1].id].at


@pytest.mark.slow
def test_the_full_set_shows_everything(shared: Path) -> None:
    run = play(sse50(shared))
    assert run.of(HandlerFailed) == []
    outcomes = {verdict.outcome for verdict in run.of(Verdict) if verdict.side is Side.BUY}
    assert outcomes == set(Outcome)
    states = {update.state for update in run.of(StopUpdate)}
    assert {StopState.ARMED, StopState.WORKING, StopState.DEFERRED_T1, StopState.FLAT} <= states
    assert run.of(Lesson)
    assert run.of(Review)
    assert any(request.request is RequestKind.REPLAN for request in run.of(AnalysisRequest))


def _percent(value: Decimal) -> str:
    return f"{float(value) * 100:.1f}%"


def _caps(account: str) -> tuple[Decimal, Decimal]:
    return {
        "aggressive": (Decimal("0.10"), Decimal("0.95")),
        "conservative": (Decimal("0.06"), Decimal("0.50")),
        "judge": (Decimal("0.10"), Decimal("0.80")),
    }[account]


def _limit_of(verdict: Verdict) -> Decimal:
    """The price that the rules judged by, from the band line or the verdict's entry."""
    line = next(line for line in verdict.lines if line.rule == "price_band")
    return Decimal(line.text.figures["price"])


def _fills_before(run: Played, verdict: Verdict) -> list[Fill]:
    return [f for f in run.of(Fill) if f.account == verdict.account and f.id < verdict.id]


def _held_before(run: Played, verdict: Verdict) -> int:
    fills = [f for f in _fills_before(run, verdict) if f.symbol == verdict.symbol]
    return sum(f.volume if f.side is Side.BUY else -f.volume for f in fills)


def _working_before(run: Played, verdict: Verdict) -> bool:
    """Whether an intent of the account had not ended when the verdict was made."""
    ended = {d.parent_id for d in run.of(ParentDone) if d.id < verdict.id}
    mine = [i for i in run.of(Intent) if i.account == verdict.account and i.id < verdict.id]
    return any(intent.parent_id not in ended for intent in mine)


def _valued_before(run: Played, verdict: Verdict) -> tuple[Decimal, Decimal | None, Decimal]:
    """Equity, market value (None where a price is not in the journal) and cash at a verdict.

    At 09:35 on daily bars the last price of every symbol is today's open.
    """
    cash = next(o.cash for o in run.of(AccountOpened) if o.account == verdict.account)
    held: Counter[str] = Counter()
    for fill in _fills_before(run, verdict):
        sign = 1 if fill.side is Side.BUY else -1
        cash -= sign * cny(fill.price * fill.volume) + fill.fees
        held[fill.symbol] += sign * fill.volume
    value = Decimal(0)
    for symbol, volume in held.items():
        if volume:
            price = _open_of(run, symbol, verdict)
            if price is None:
                return cash, None, cash
            value += price * volume
    return cash + value, value, cash


def _equity_before(run: Played, verdict: Verdict) -> Decimal:
    equity, value, _ = _valued_before(run, verdict)
    assert value is not None
    return equity


def _open_of(run: Played, symbol: str, verdict: Verdict) -> Decimal | None:
    if (verdict.at.hour, verdict.at.minute) != (9, 35):
        return None
    series = run.simulation.data.bars(symbol, run.simulation.frequency)
    known = [i for i in range(len(series)) if series.day_of(i) == verdict.at.date()]
    if known:
        return to_decimal(float(series.open[known[0]]))
    return to_decimal(float(series.upto(verdict.at).close[-1]))
