"""What a model must answer. Unknown keys, wrong types and numbers out of range are refused."""

from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vnpy_aiagent.domain import (
    REPLACEMENT,
    Action,
    PriceBasis,
    PriceRef,
    Stance,
    Text,
    TriggerKind,
    clean,
    to_decimal,
    without_surrogates,
)
from vnpy_aiagent.errors import ModelNonsense

Ratio = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
ShortText = Annotated[str, Field(max_length=1200)]
EvidenceId = Annotated[str, Field(max_length=16)]
Cited = Annotated[tuple[EvidenceId, ...], Field(max_length=20)]
Figures = Annotated[
    dict[Annotated[str, Field(max_length=32)], Annotated[str, Field(max_length=200)]], Field(max_length=16)
]
FIGURES = "figures"
MAX_COMPLAINT = 300
AnswerType = TypeVar("AnswerType", bound="Answer")


class Answer(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FindingAnswer(Answer):
    """An analyst's finding. `figures` fill places of `text` and are used by the offline analyst alone."""

    stance: Stance
    strength: Ratio
    confidence: Ratio
    text: ShortText
    evidence: Cited = ()
    figures: Figures = {}


class PriceAnswer(Answer):
    """A price by basis and offset; see the prompt. No other numbers for prices exist."""

    basis: PriceBasis
    offset: float = Field(0.0, allow_inf_nan=False)
    evidence: EvidenceId | None = None
    level: float | None = Field(None, allow_inf_nan=False)

    def to_ref(self) -> PriceRef:
        """As a domain PriceRef."""
        level: Decimal | None = None if self.level is None else to_decimal(self.level)
        return PriceRef(basis=self.basis, offset=self.offset, evidence=self.evidence, level=level)


class ReasonAnswer(Answer):
    """One reason and the evidence for it."""

    text: ShortText
    evidence: Cited = ()
    figures: Figures = {}

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

    symbol: Annotated[str, Field(max_length=32)]
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


def read_answer(answer: type[AnswerType], text: str, *, is_llm: bool) -> AnswerType:
    """A typed answer out of a model's text, fences taken off, every string in it cleaned.

    Raises ModelNonsense with one short sentence that the model can act on. A language model's `figures` are
    dropped: its words are free text and fill no places.
    """
    body = without_surrogates(text).strip()
    if REPLACEMENT in body:
        raise ModelNonsense("the text holds broken characters; write it again in valid Unicode")
    if body.startswith("```"):
        body = body.split("\n", 1)[-1].rsplit("```", 1)[0]
    try:
        given = answer.model_validate_json(body)
        return answer.model_validate(_cleaned(given.model_dump(), is_llm=is_llm))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "answer"
        raise ModelNonsense(clean(f"{where}: {first['msg']}", MAX_COMPLAINT)) from None


def _cleaned(value: Any, *, is_llm: bool) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        kept = {name: part for name, part in value.items() if name != FIGURES or not is_llm}
        return {name: _cleaned(part, is_llm=is_llm) for name, part in kept.items()}
    if isinstance(value, tuple):
        return tuple(_cleaned(part, is_llm=is_llm) for part in value)
    return value


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
