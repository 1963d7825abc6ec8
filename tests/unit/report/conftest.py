"""A small run told with the real messages, as a record and as a journal: two accounts, one winning and one
losing trade, one refusal, one order that the exchange rejects."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest

from vnpy_aiagent.domain import (
    MARKET_TZ,
    AccountOpened,
    Action,
    Alert,
    AnalysisRequest,
    BaselineMark,
    Candidate,
    DebateTurn,
    Decision,
    EquityMark,
    Evidence,
    Fill,
    Finding,
    IdFactory,
    Intent,
    Lesson,
    Message,
    Mode,
    Note,
    OrderState,
    OrderUpdate,
    Outcome,
    ParentDone,
    ParentOrder,
    ParentState,
    Period,
    PriceBasis,
    PriceRef,
    Proposal,
    Reason,
    RequestKind,
    Review,
    RuleLine,
    RunStarted,
    ScanResult,
    ScheduleFired,
    Sent,
    Severity,
    Side,
    Signal,
    Stance,
    StopState,
    StopUpdate,
    Style,
    Text,
    TokenUsage,
    TradeRecord,
    TriggerEnd,
    TriggerEnded,
    TriggerFired,
    TriggerKind,
    TriggerPlan,
    TriggerSpec,
    Verdict,
    say,
)
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.read import RunRecord
from vnpy_aiagent.report.summary import build_summary
from vnpy_aiagent.store.journal import Draft, Journal

SYMBOL = "510300.SSE"
FIRST_DAY = date(2024, 1, 2)
ATTACK = "<script>alert('x')</script> & \"quoted\""


DATA = {"source": "synthetic <bars>", "symbols": 1, "bars": 3, "start": "2024-01-02", "end": "2024-01-04",
        "hypothetical": True}  # fmt: skip

Kind = TypeVar("Kind", bound=Message)


class Story:
    """Messages in order, as the engine would post them."""

    def __init__(self) -> None:
        self.ids = IdFactory("t")
        self.messages: list[Message] = []
        self.now = datetime(2024, 1, 2, 7, 0, tzinfo=MARKET_TZ)
        self.orders = 0

    def at(self, day: int, hour: int, minute: int = 0) -> None:
        """Move to a time on the n-th day of January 2024."""
        self.now = datetime(2024, 1, day, hour, minute, tzinfo=MARKET_TZ)

    def post(self, kind: type[Kind], cause: Message | None = None, **fields: Any) -> Kind:
        """The next message."""
        message = kind(id=self.ids.next(), at=self.now, cause=cause.id if cause else None, **fields)
        self.messages.append(message)
        return message

    def open_run(self) -> None:
        """The run begins with two accounts of 1,000,000 CNY."""
        self.post(
            RunStarted,
            run="t",
            mode=Mode.SIMULATION,
            version="0.1.0",
            model="offline-analyst",
            is_llm=False,
            data="synthetic bars",
            settings="0" * 64,
        )
        for name, style in (("aggressive", Style.AGGRESSIVE), ("judge", Style.JUDGE)):
            self.post(
                AccountOpened, account=name, gateway=f"SIM_{name}", style=style, cash=Decimal(1_000_000)
            )

    def scan(self, picked: bool = True) -> ScanResult:
        """A scheduled scan of ten symbols."""
        fired = self.post(ScheduleFired, job="daily", due=self.now)
        candidate = Candidate(vt_symbol=SYMBOL, score=1.5, setup="breakout")
        return self.post(
            ScanResult,
            fired,
            scanned=10,
            picked=(candidate,) if picked else (),
            left_out={"short_history": 0, "no_setup": 7, "below_cap": 2},
            breadth=0.5,
            regime="FLAT",
        )

    def decide(
        self,
        cause: Message,
        account: str,
        action: Action,
        kind: RequestKind = RequestKind.OPEN,
        *,
        reason: Text | None = None,
    ) -> Proposal:
        """A request, its decision, and one account's proposal."""
        request = self.post(
            AnalysisRequest,
            cause,
            account=account,
            request=kind,
            symbol=SYMBOL,
            accounts=(account,),
            reason=say("定时检查持仓"),
            deadline=self.now + timedelta(minutes=10),
        )
        finding = Finding(
            role="technical_analyst",
            stance=Stance.BULLISH,
            strength=0.7,
            confidence=0.66,
            text=Text(template=ATTACK),
            evidence=("e1",),
        )
        turn = DebateTurn(
            role="JUDGE",
            stance=Stance.BULLISH,
            confidence=0.64,
            text=Text(template="RSI 已到 {rsi_0}，是否追高？", figures={"rsi_0": "71.0"}),
        )
        evidence = Evidence(
            id="e1", tool="get_quote", arguments="{}", available_at=self.now, result='{"last": 4.0}'
        )
        decision = self.post(
            Decision,
            request,
            request_id=request.id,
            symbol=SYMBOL,
            model="offline-analyst",
            is_llm=False,
            evidence=(evidence,),
            findings=(finding,),
            debate=(turn,) if action is not Action.HOLD else (),
            lessons=(),
            prompt_hash="ab" * 32,
            usage=TokenUsage(calls=2, prompt_tokens=10, completion_tokens=5),
        )
        why = reason or say("把握 {confidence} 不足 {minimum}，不开仓", confidence="50.0%", minimum="60.0%")
        return self.post(
            Proposal,
            decision,
            account=account,
            request_id=request.id,
            decision_id=decision.id,
            symbol=SYMBOL,
            action=action,
            target_weight=0.2,
            entry=PriceRef(basis=PriceBasis.LAST),
            stop=PriceRef(basis=PriceBasis.ATR, offset=-2.5),
            confidence=0.64,
            setup="breakout",
            reasons=(Reason(text=why, evidence=("e1",)),),
            triggers=(TriggerPlan(trigger=TriggerKind.TIME_AT, sessions=10, note="time"),),
            model="offline-analyst",
            valid_until=self.now + timedelta(hours=6),
        )

    def judge(self, proposal: Proposal, outcome: Outcome, volume: int, side: Side = Side.BUY) -> Verdict:
        """A verdict with two rule lines."""
        lines = (
            RuleLine(
                rule="confidence",
                passed=True,
                text=say("把握 {value}，下限 {cap}", value="64.0%", cap="55.0%"),
            ),
            RuleLine(
                rule="daily_loss",
                passed=outcome is not Outcome.REJECTED,
                max_volume=volume,
                text=say("当日亏损 {loss} 达到上限 {cap}，今日不再开仓", loss="3.1%", cap="3.0%"),
            ),
        )
        return self.post(
            Verdict,
            proposal,
            account=proposal.account,
            proposal_id=proposal.id,
            symbol=SYMBOL,
            action=proposal.action,
            side=side,
            outcome=outcome,
            requested=50_000,
            volume=volume,
            price=Decimal("4.000"),
            stop=Decimal("3.800"),
            lines=lines,
        )

    def trade(
        self,
        cause: Message,
        account: str,
        side: Side,
        volume: int,
        price: str,
        fee: str,
        *,
        filled: bool = True,
        protective: bool = False,
    ) -> Fill | None:
        """A signal with its parent, intent and order, filled at once or rejected by the exchange."""
        self.orders += 1
        number = Decimal(price)
        signal = self.post(
            Signal,
            cause,
            account=account,
            symbol=SYMBOL,
            side=side,
            volume=volume,
            limit=number,
            low=number,
            high=number,
            protective=protective,
            setup="breakout",
            reason=say("止损 {price} 已设", price="3.800"),
            valid_until=self.now + timedelta(hours=5),
        )
        parent = self.post(
            ParentOrder, signal, account=account, signal_id=signal.id, symbol=SYMBOL, side=side, volume=volume
        )
        intent = self.post(
            Intent,
            parent,
            account=account,
            parent_id=parent.id,
            reference=f"{parent.id}/1",
            gateway=f"SIM_{account}",
            symbol=SYMBOL,
            side=side,
            volume=volume,
            price=number,
        )
        vt_orderid = f"SIM.{self.orders}"
        self.post(Sent, intent, account=account, intent_id=intent.id, vt_orderids=(vt_orderid,))
        self.post(
            OrderUpdate,
            intent,
            account=account,
            intent_id=intent.id,
            vt_orderid=vt_orderid,
            state=OrderState.FILLED if filled else OrderState.REJECTED,
            traded=volume if filled else 0,
            reason="" if filled else "资金不足",
        )
        fill = None
        if filled:
            fill = self.post(
                Fill,
                intent,
                account=account,
                trading_day=self.now.date(),
                exchange="SSE",
                symbol=SYMBOL,
                side=side,
                orderid=str(self.orders),
                tradeid=str(self.orders),
                intent_id=intent.id,
                parent_id=parent.id,
                price=number,
                volume=volume,
                commission=Decimal(fee),
                stamp_duty=Decimal(0),
                transfer_fee=Decimal(0),
                signal_id=signal.id,
                setup="breakout",
            )
        self.post(
            ParentDone,
            parent,
            account=account,
            parent_id=parent.id,
            symbol=SYMBOL,
            side=side,
            state=ParentState.FILLED if filled else ParentState.REJECTED,
            filled=volume if filled else 0,
            average_price=number if filled else None,
        )
        return fill

    def stop(self, cause: Message | None, account: str, state: StopState, volume: int) -> StopUpdate:
        """A protective stop enters a state."""
        return self.post(
            StopUpdate,
            cause,
            account=account,
            symbol=SYMBOL,
            state=state,
            stop=Decimal("3.800"),
            volume=volume,
            reason=say("止损 {price} 已设", price="3.800"),
        )

    def trigger(self, cause: Message, account: str) -> TriggerSpec:
        """A price trigger enters the book."""
        return self.post(
            TriggerSpec,
            cause,
            account=account,
            symbol=SYMBOL,
            trigger=TriggerKind.PRICE_AT_OR_ABOVE,
            price=Decimal("4.240"),
            note="gain",
        )

    def fire(self, spec: TriggerSpec) -> TriggerFired:
        """A trigger fires and leaves the book."""
        fired = self.post(
            TriggerFired,
            spec,
            account=spec.account,
            trigger_id=spec.id,
            symbol=SYMBOL,
            price=spec.price,
            note=spec.note,
        )
        self.end(spec, TriggerEnd.FIRED, fired)
        return fired

    def end(self, spec: TriggerSpec, end: TriggerEnd, cause: Message) -> None:
        """A trigger leaves the book."""
        self.post(TriggerEnded, cause, account=spec.account, trigger_id=spec.id, symbol=SYMBOL, end=end)

    def close(self, fill: Fill, bought: str, sold: str, volume: int, fees: str) -> TradeRecord:
        """The record of a round trip that a fill ended."""
        buy, sell = Decimal(bought), Decimal(sold)
        pnl = (sell - buy) * volume - Decimal(fees)
        return self.post(
            TradeRecord,
            fill,
            account=fill.account,
            symbol=SYMBOL,
            opened=FIRST_DAY,
            closed=fill.trading_day,
            volume=volume,
            buy_price=buy,
            sell_price=sell,
            fees=Decimal(fees),
            pnl=pnl,
            return_ratio=float(pnl / (buy * volume)),
            sessions=2,
            setup="breakout",
            regime="FLAT",
            confidence=0.64,
            proposal_id=None,
            exit_reason=say("收益 {gain} 达到目标，减仓一半", gain="+6.0%"),
        )

    def mark(self, account: str, cash: str, value: str = "0", held: int = 0) -> None:
        """A valuation at the close."""
        positions = {SYMBOL: held} if held else {}
        self.post(
            EquityMark,
            account=account,
            day=self.now.date(),
            cash=Decimal(cash),
            market_value=Decimal(value),
            positions=positions,
        )

    def baseline(self, value: str) -> None:
        """The baseline's valuation at the close."""
        self.post(
            BaselineMark,
            name="equal_weight",
            label=say("等权持有全部标的（不计费用）"),
            day=self.now.date(),
            value=Decimal(value),
        )


def tell() -> list[Message]:
    """The run: aggressive wins 2,379.00 CNY net, judge loses 2,020.00; one entry refused, one not filled."""
    story = Story()
    story.open_run()
    _first_day(story)
    _second_day(story)
    _third_day(story)
    return story.messages


def _first_day(story: Story) -> None:
    story.at(2, 9, 35)
    scan = story.scan()
    for account, volume, fee in (("aggressive", 10_000, "10.00"), ("judge", 5_000, "5.00")):
        outcome = Outcome.APPROVED if account == "aggressive" else Outcome.REDUCED
        verdict = story.judge(story.decide(scan, account, Action.BUY), outcome, volume)
        fill = story.trade(verdict, account, Side.BUY, volume, "4.000", fee)
        assert fill is not None
        story.stop(fill, account, StopState.ARMED, volume)
        story.trigger(fill, account)
    story.at(2, 15, 0)
    story.mark("aggressive", "959990.00", "40000.00", held=10_000)
    story.mark("judge", "979995.00", "20000.00", held=5_000)
    story.baseline("1000000.00")


def _second_day(story: Story) -> None:
    """A trigger leads aggressive to take its profit; the judge's stop sells at a loss."""
    story.at(3, 10, 0)
    spec = next(each for each in story.messages if isinstance(each, TriggerSpec))
    fired = story.fire(spec)
    proposal = story.decide(
        fired,
        "aggressive",
        Action.CLOSE,
        RequestKind.REPLAN,
        reason=say("收益 {gain} 达到目标，减仓一半", gain="+6.0%"),
    )
    sold = story.trade(
        story.judge(proposal, Outcome.APPROVED, 10_000, Side.SELL),
        "aggressive",
        Side.SELL,
        10_000,
        "4.240",
        "11.00",
    )
    assert sold is not None
    story.close(sold, "4.000", "4.240", 10_000, "21.00")
    story.stop(sold, "aggressive", StopState.FLAT, 0)
    story.at(3, 14, 0)
    hit = story.stop(None, "judge", StopState.WORKING, 5_000)
    sold = story.trade(hit, "judge", Side.SELL, 5_000, "3.598", "5.00", protective=True)
    assert sold is not None
    story.close(sold, "4.000", "3.598", 5_000, "10.00")
    left = [each for each in story.messages if isinstance(each, TriggerSpec) and each.account == "judge"]
    story.stop(sold, "judge", StopState.FLAT, 0)
    story.end(left[0], TriggerEnd.CANCELLED, sold)
    story.at(3, 15, 0)
    story.mark("aggressive", "1002379.00")
    story.mark("judge", "997980.00")
    story.baseline("1010000.00")


def _third_day(story: Story) -> None:
    """One refusal by a rule, one HOLD, one order that the exchange rejects; then the review."""
    story.at(4, 9, 35)
    scan = story.scan()
    story.judge(story.decide(scan, "judge", Action.BUY), Outcome.REJECTED, 0)
    story.decide(scan, "aggressive", Action.HOLD)
    verdict = story.judge(story.decide(scan, "aggressive", Action.BUY), Outcome.APPROVED, 100)
    story.trade(verdict, "aggressive", Side.BUY, 100, "4.000", "5.00", filled=False)
    story.post(
        Alert,
        severity=Severity.WARNING,
        text=say("委托被拒 {symbol}：{reason}", symbol=SYMBOL, reason="资金不足"),
    )
    story.post(
        Note,
        title=say("午间小结"),
        lines=(
            say(
                "{account}：权益 {equity} 元，当日 {change}，持仓 {count} 只",
                account="judge",
                equity="997980.00",
                change="+0.00%",
                count=0,
            ),
        ),
    )
    story.at(4, 15, 0)
    story.mark("aggressive", "1002379.00")
    story.mark("judge", "997980.00")
    story.baseline("990000.00")
    story.at(4, 16, 0)
    lesson = story.post(
        Lesson,
        setup="breakout",
        regime="FLAT",
        wins=1,
        losses=1,
        mean_return=-0.02,
        adjustment=0.0,
        confirmed=False,
        trades=(),
        text=say("没有经验"),
    )
    story.post(
        Review,
        period=Period.DAY,
        start=story.now.date(),
        end=story.now.date(),
        decisions=3,
        proposals=3,
        approved=1,
        reduced=0,
        rejected=1,
        fills=0,
        trades_closed=0,
        pnl=Decimal(0),
        win_rate=None,
        account_returns={"aggressive": 0.0},
        lessons=(lesson.id,),
        text=say("没有交易"),
    )


@pytest.fixture
def symbol() -> str:
    """The one symbol of the story."""
    return SYMBOL


@pytest.fixture
def attack() -> str:
    """What a model wrote to break a page."""
    return ATTACK


@pytest.fixture
def data() -> dict[str, object]:
    """Where the story's bars came from."""
    return dict(DATA)


@pytest.fixture
def messages() -> list[Message]:
    """The story's messages."""
    return tell()


@pytest.fixture
def record(messages: list[Message]) -> RunRecord:
    """The story as a record."""
    return RunRecord.of_messages(messages)


@pytest.fixture
def contents(record: RunRecord) -> Contents:
    """Everything that a report shows."""
    summary = build_summary(
        record, wall_seconds=1.25, journal_entries=record.head.seq, journal_head="a" * 64, data=DATA
    )
    return Contents.of(record, summary)


@pytest.fixture
def journal_path(messages: list[Message], tmp_path: Path) -> Path:
    """The story as a journal."""
    path = tmp_path / "journal.db"
    with Journal.open(path, sync="OFF") as journal:
        journal.append(
            [
                Draft(
                    each.id, each.at.isoformat(), each.kind, each.account, each.cause, each.model_dump_json()
                )
                for each in messages
            ]
        )
    return path
