"""What a model must answer. Unknown keys, wrong types and numbers out of range are refused."""

from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

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


def _whole(value: Any) -> Any:
    """10.0 is an integer in JSON; anything else is left to the type's own check."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Ratio = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Sessions = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=60)]
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


class QuestionAnswer(ReasonAnswer):
    """A question to another speaker; `to` is who must answer it."""

    to: Literal["aggressive", "judge"] | None = None


class ReplyAnswer(ReasonAnswer):
    """The answer to a question, by its name."""

    question: Annotated[str, Field(max_length=8)]


class TriggerAnswer(Answer):
    """A trigger to watch: a price, or a number of trading sessions from now."""

    trigger: TriggerKind
    price: PriceAnswer | None = None
    sessions: Sessions | None = None
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
    horizon_sessions: Sessions | None = None
    argument: ReasonAnswer
    questions: tuple[QuestionAnswer, ...] = Field(default=(), max_length=5)
    replies: tuple[ReplyAnswer, ...] = Field(default=(), max_length=5)
    reasons: tuple[ReasonAnswer, ...] = Field(default=(), max_length=8)
    triggers: tuple[TriggerAnswer, ...] = Field(default=(), max_length=6)


def read_answer(answer: type[AnswerType], text: str, *, is_llm: bool) -> AnswerType:
    """A typed answer out of a model's text, fences taken off, every string in it cleaned.

    No type is made of another: `true` is no number, and "0.5" none either. Raises ModelNonsense with one
    short sentence that the model can act on. A language model's `figures` are dropped: its words are free
    text and fill no places.
    """
    body = without_surrogates(text).strip()
    if REPLACEMENT in body:
        raise ModelNonsense("the text holds broken characters; write it again in valid Unicode")
    if body.startswith("```"):
        body = body.split("\n", 1)[-1].rsplit("```", 1)[0]
    try:
        given = answer.model_validate_json(body, strict=True)
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
    """JSON schema for a model, short: no titles, and nothing that concerns only the offline analyst.

    Made once; never changed.
    """
    schema = answer.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        part.pop("description", None)
        properties = part.get("properties", {})
        properties.pop("figures", None)
    short: dict[str, Any] = _untitled(schema)
    return short


def _untitled(node: Any) -> Any:
    """The schema without its titles; a property of that name is a schema itself, and stays."""
    if isinstance(node, dict):
        return {k: _untitled(v) for k, v in node.items() if k != "title" or not isinstance(v, str)}
    return [_untitled(part) for part in node] if isinstance(node, list) else node
