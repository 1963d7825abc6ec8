"""Every message class survives the journal: JSON out and in, frozen, strict about keys and times."""

import enum
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from vnpy_aiagent import domain
from vnpy_aiagent.domain import (
    MARKET_TZ,
    MESSAGE_TYPES,
    Action,
    Activity,
    AgentName,
    AgentStatus,
    Alert,
    AnalysisRequest,
    DebateTurn,
    Decision,
    EquityMark,
    Evidence,
    Fill,
    Finding,
    Message,
    Note,
    Outcome,
    PriceBasis,
    PriceRef,
    Proposal,
    Reason,
    RequestKind,
    ResolvedTrigger,
    RuleLine,
    Severity,
    Side,
    Signal,
    Stance,
    TokenUsage,
    TriggerKind,
    TriggerPlan,
    Verdict,
    parse_message,
    say,
)

AT = datetime(2024, 5, 6, 9, 35, 1, 250_000, tzinfo=MARKET_TZ)
BASE = {"id": "r1-0000001", "at": AT, "cause": "r1-0000000", "account": "judge"}
TRIGGER = ResolvedTrigger(trigger=TriggerKind.PRICE_AT_OR_BELOW, price=Decimal("9.50"), note="fall")
EXAMPLES: tuple[Message, ...] = (
    AnalysisRequest(
        **BASE,
        request=RequestKind.OPEN,
        symbol="600519.SSE",
        accounts=("judge", "aggressive"),
        reason=say("扫描入选 {score}", score=1.5),
        deadline=AT,
    ),
    Decision(
        **BASE,
        request_id="r1-0000000",
        symbol="600519.SSE",
        model="m",
        is_llm=True,
        evidence=(Evidence(id="e1", tool="get_quote", arguments="{}", available_at=None, result='{"a":1}'),),
        findings=(Finding(role="a", stance=Stance.BULLISH, strength=0.7, confidence=0.6, text=say("涨")),),
        debate=(DebateTurn(role="JUDGE", stance=Stance.NEUTRAL, confidence=0.5, text=say("{x}", x=1)),),
        lessons=("l1",),
        prompt_hash="ab",
        usage=TokenUsage(calls=1, cost=Decimal("0.0012")),
        failures=("JUDGE: late",),
    ),
    Proposal(
        **BASE,
        request_id="r1-0000000",
        decision_id="r1-0000002",
        symbol="600519.SSE",
        action=Action.BUY,
        target_weight=0.1,
        entry=PriceRef(basis=PriceBasis.LEVEL, evidence="e1", level=Decimal("1450.10")),
        reasons=(Reason(text=say("理由"), evidence=("e1",)),),
        triggers=(TriggerPlan(trigger=TriggerKind.TIME_AT, sessions=5),),
        valid_until=AT,
    ),
    Verdict(
        **BASE,
        proposal_id="p",
        symbol="600519.SSE",
        action=Action.BUY,
        side=Side.BUY,
        outcome=Outcome.REDUCED,
        requested=1000,
        volume=500,
        price=Decimal("10.00"),
        triggers=(TRIGGER,),
        lines=(RuleLine(rule="cash", passed=True, max_volume=500, text=say("可用")),),
    ),
    Signal(
        **BASE,
        symbol="600519.SSE",
        side=Side.SELL,
        volume=100,
        limit=Decimal("9.80"),
        low=Decimal("9.60"),
        high=Decimal("9.90"),
        protective=True,
        reason=say("止损"),
        triggers=(TRIGGER,),
        valid_until=AT,
    ),
    Fill(
        **BASE,
        trading_day=date(2024, 5, 6),
        exchange="SSE",
        symbol="600519.SSE",
        side=Side.BUY,
        orderid="1",
        tradeid="7",
        intent_id=None,
        parent_id=None,
        price=Decimal("10.00"),
        volume=100,
        commission=Decimal("5.00"),
        stamp_duty=Decimal("0.00"),
        transfer_fee=Decimal("0.01"),
    ),
    EquityMark(
        **BASE, day=date(2024, 5, 6), cash=Decimal("1.25"), market_value=Decimal(3), positions={"a.SSE": 100}
    ),
    Note(**BASE, title=say("盘前"), lines=(say("一"), say("{a}", a="{b}"))),
    Alert(**BASE, severity=Severity.CRITICAL, text=say("事件线程停了")),
    AgentStatus(**BASE, agent=AgentName.RISK, activity=Activity.DECIDING),
)
ENUMS = [kind for kind in vars(domain).values() if isinstance(kind, type) and issubclass(kind, enum.Enum)]


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: message.kind)
def test_a_message_comes_back_equal_from_its_json(message: Message) -> None:
    assert parse_message(message.kind, message.model_dump_json()) == message


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: message.kind)
def test_a_message_cannot_be_changed(message: Message) -> None:
    with pytest.raises(ValidationError):
        message.account = "other"


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: message.kind)
def test_an_unknown_key_is_refused(message: Message) -> None:
    body = message.model_dump(mode="json") | {"surprise": 1}
    with pytest.raises(ValidationError, match="surprise"):
        type(message).model_validate(body)


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: message.kind)
def test_a_time_without_zone_is_refused(message: Message) -> None:
    body = message.model_dump(mode="json") | {"at": "2024-05-06T09:35:01"}
    with pytest.raises(ValidationError, match="timezone"):
        type(message).model_validate(body)


def test_an_unknown_kind_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        parse_message("Nonsense", "{}")


def test_a_truncated_body_is_a_validation_error() -> None:
    with pytest.raises(ValidationError):
        parse_message("Alert", '{"id": "r1-0000001"')


def test_every_class_is_registered_under_its_own_name() -> None:
    assert all(kind == cls.kind == cls.__name__ for kind, cls in MESSAGE_TYPES.items())
    assert {type(message).__name__ for message in EXAMPLES} <= set(MESSAGE_TYPES)


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_an_enumeration_stores_the_names_of_its_members(kind: type[enum.Enum]) -> None:
    assert len(kind) > 0
    assert all(member.value == member.name for member in kind)


def test_times_of_other_zones_are_the_same_moment_after_a_round_trip() -> None:
    alert = Alert(**(BASE | {"at": AT.astimezone(UTC)}), severity=Severity.INFO, text=say("x"))
    assert parse_message("Alert", alert.model_dump_json()).at == AT


def test_fees_of_a_fill_are_the_sum_of_its_items() -> None:
    fill = next(message for message in EXAMPLES if isinstance(message, Fill))
    assert fill.fees == Decimal("5.01")


def test_the_identity_of_a_fill_tells_days_and_sides_apart() -> None:
    fill = next(message for message in EXAMPLES if isinstance(message, Fill))
    other_day = fill.model_copy(update={"trading_day": date(2024, 5, 7)})
    other_side = fill.model_copy(update={"side": Side.SELL})
    other_id = fill.model_copy(update={"id": "r1-0000099"})
    assert len({fill.identity, other_day.identity, other_side.identity}) == 3
    assert other_id.identity == fill.identity


def test_equity_is_cash_and_market_value() -> None:
    mark = next(message for message in EXAMPLES if isinstance(message, EquityMark))
    assert mark.equity == Decimal("4.25")
