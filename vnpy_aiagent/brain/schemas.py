"""What a model must answer. Unknown keys, wrong types and numbers out of range are refused."""

from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from vnpy_aiagent.domain import Action, PriceBasis, PriceRef, Stance, Text, TriggerKind, to_decimal

Ratio = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
ShortText = Annotated[str, Field(max_length=1200)]


class Answer(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FindingAnswer(Answer):
    """An analyst's finding. `figures` fill places of `text` and are used by the offline analyst alone."""

    stance: Stance
    strength: Ratio
    confidence: Ratio
    text: ShortText
    evidence: tuple[str, ...] = Field(default=(), max_length=20)
    figures: dict[str, str] = {}


class PriceAnswer(Answer):
    """A price by basis and offset; see the prompt. No other numbers for prices exist."""

    basis: PriceBasis
    offset: float = Field(0.0, allow_inf_nan=False)
    evidence: str | None = None
    level: float | None = Field(None, allow_inf_nan=False)

    def to_ref(self) -> PriceRef:
        """As a domain PriceRef."""
        level: Decimal | None = None if self.level is None else to_decimal(self.level)
        return PriceRef(basis=self.basis, offset=self.offset, evidence=self.evidence, level=level)


class ReasonAnswer(Answer):
    """One reason and the evidence for it."""

    text: ShortText
    evidence: tuple[str, ...] = Field(default=(), max_length=20)
    figures: dict[str, str] = {}

    def to_text(self) -> Text:
        """As a domain Text."""
        return Text(template=self.text, figures=self.figures)


class TriggerAnswer(Answer):
    """A trigger to watch: a price, or a number of trading sessions from now."""

    trigger: TriggerKind
    price: PriceAnswer | None = None
    sessions: int | None = Field(None, ge=1, le=60)
    note: Annotated[str, Field(max_length=200)] = ""


class PlanAnswer(Answer):
    """A speaker's plan for the account."""

    symbol: str
    stance: Stance
    action: Action
    confidence: Ratio
    target_weight: Ratio = 0.0
    entry: PriceAnswer | None = None
    stop: PriceAnswer | None = None
    target: PriceAnswer | None = None
    horizon_sessions: int = Field(10, ge=1, le=60)
    argument: ReasonAnswer
    questions: tuple[ReasonAnswer, ...] = Field(default=(), max_length=5)
    reasons: tuple[ReasonAnswer, ...] = Field(default=(), max_length=8)
    triggers: tuple[TriggerAnswer, ...] = Field(default=(), max_length=6)


@cache
def schema_of(answer: type[Answer]) -> dict[str, Any]:
    """JSON schema for a model, without what concerns only the offline analyst. Made once; never changed."""
    schema = answer.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        part.pop("description", None)
        properties = part.get("properties", {})
        properties.pop("figures", None)
    return schema


SpeakerRole = Literal["aggressive", "conservative", "judge"]
