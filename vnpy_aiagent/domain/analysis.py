"""Messages of the brain: what was asked, what was found, argued and proposed."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from vnpy_aiagent.domain.enums import Action, BarInterval, RequestKind, Silence, Stance, TriggerKind
from vnpy_aiagent.domain.message import Message
from vnpy_aiagent.domain.prices import PriceRef
from vnpy_aiagent.domain.text import Text, say

Ratio = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Part(BaseModel):
    """A piece of a message."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Candidate(Part):
    """One symbol's place in a scan. `score` is a number without unit, higher first."""

    vt_symbol: str
    score: float
    setup: str
    held: bool = False


class ScanResult(Message):
    """The day's scan: which symbols are worth a decision, and why the others are not, counted and by name."""

    scanned: int
    picked: tuple[Candidate, ...]
    left_out: dict[str, int]
    left_out_symbols: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    breadth: float | None = None
    regime: str = "UNKNOWN"


class PoolPick(Part):
    """One symbol of the automatic pool: its turnover (CNY) on the day of the ranking."""

    vt_symbol: str
    name: str
    turnover: float


class PoolChosen(Message):
    """The automatic pool was chosen anew: the most active of `candidates` on `day`, as `source` says.

    `held` stay although they are not among `picks`.
    """

    day: date
    source: str
    candidates: int
    picks: tuple[PoolPick, ...]
    held: tuple[str, ...]


class AnalysisSkipped(Message):
    """A picked symbol was not analysed for an entry: the day's number of analyses was reached."""

    symbol: str
    accounts: tuple[str, ...]
    cap: int


class AnalysisRequest(Message):
    """An analysis is asked for: one symbol, the accounts that want a plan, and why."""

    request: RequestKind
    symbol: str
    accounts: tuple[str, ...]
    reason: Text
    setup: str = ""
    trigger_id: str | None = None
    deadline: AwareDatetime


class KeptSeries(Part):
    """The bars of one interval that a decision saw: the last `bars` of those it follows and its own `rows`.

    `after` is the id of the SnapshotKept whose bars of this interval come before, None where `rows` are all.
    `rows` is JSON: one list a column, in the order of BarSeries' fields from `start` on, numbers in full.
    """

    interval: BarInterval
    after: str | None
    bars: int
    rows: str


class SnapshotKept(Message):
    """What a decision may see, kept so that it can be made again; its cause is the request.

    `lessons` are the ids of Lesson entries. `view` is the rest of the snapshot as JSON.
    """

    symbol: str
    series: tuple[KeptSeries, ...]
    lessons: tuple[str, ...]
    view: dict[str, Any]


class Evidence(Part):
    """One tool result: what was called, when the data became available, and the result as JSON."""

    id: str
    tool: str
    arguments: str
    available_at: AwareDatetime | None
    result: str


class Finding(Part):
    """An analyst's typed view of a symbol. `strength` and `confidence` are ratios.

    `available_at` is when the newest evidence that it cites became available, `fresh` whether any of it is
    new enough for its kind, `weight` what it counted with (0 where it did not count).
    """

    role: str
    stance: Stance
    strength: Ratio
    confidence: Ratio
    text: Text
    evidence: tuple[str, ...] = ()
    available_at: AwareDatetime | None = None
    fresh: bool = False
    weight: Ratio = 0.0


class SilentRole(Part):
    """A role that did not count, and why."""

    role: str
    why: Silence


class Aggregate(Part):
    """All findings together. `score` is from -1 (bearish) to 1, `strength` its size, both without unit.

    `weights` are those of the findings that counted, by role; `confidence` is their weighted mean, a ratio.
    `support` is the weight of the roles that share the stance, over that of all roles with fresh data.
    """

    score: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
    stance: Stance
    strength: Ratio
    confidence: Ratio
    support: Ratio
    weights: dict[str, float]
    silent: tuple[SilentRole, ...] = ()


class DebateQuestion(Part):
    """One question of the debate: its name ("2.1" is the first of round 2), and the role that must answer.

    `to` is empty where nobody speaks any more.
    """

    name: str
    to: str
    text: Text
    evidence: tuple[str, ...] = ()


class DebateReply(Part):
    """The answer to a question, by the question's name."""

    question: str
    text: Text
    evidence: tuple[str, ...] = ()


class Verification(Part):
    """What became of similar situations of the past, had the plan of `role` been traded in them.

    `evidence` is the id of the Evidence with the same figures. `stop` and `target` are distances from the
    entry, ratios; `sessions` is the longest holding time. `samples` counts situations whose outcomes do not
    overlap, of `similar` ones. Hit rate with its Wilson interval, payoff ratio and mean return with its
    bootstrap interval, all before fees; None where there are too few samples, or nothing to divide by.
    `base_*` is the same plan on every past day.
    """

    role: str
    evidence: str
    stop: float | None
    target: float | None
    sessions: int
    bars: int
    similar: int
    samples: int
    minimum: int
    hits: int = 0
    hit_rate: float | None = None
    hit_low: float | None = None
    hit_high: float | None = None
    payoff: float | None = None
    mean_return: float | None = None
    mean_low: float | None = None
    mean_high: float | None = None
    base_days: int = 0
    base_hit_rate: float | None = None
    base_mean_return: float | None = None

    @property
    def enough(self) -> bool:
        """Whether there are samples enough for figures."""
        return self.samples >= self.minimum


class DebateTurn(Part):
    """One speech of the debate.

    `round` counts from 1. `action` is that of the speaker's plan, None for the role QUANT, which has no plan
    but a `verification`; its confidence is the lower end of the hit rate's interval, 0 where there is none.
    """

    role: str
    stance: Stance
    confidence: Ratio
    text: Text
    evidence: tuple[str, ...] = ()
    round: int = 1
    action: Action | None = None
    questions: tuple[DebateQuestion, ...] = ()
    replies: tuple[DebateReply, ...] = ()
    verification: Verification | None = None


class TokenUsage(Part):
    """Model use; cost in CNY. `estimated` where the server reported no usage."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal = Decimal(0)
    estimated: bool = False


class Exchange(Part):
    """One question to a language model: fingerprints (SHA-256) of request and answer, and the model use.

    The texts are in the cassette. `failure` is the error's kind and sentence where no answer came. `model` is
    the one that answered, or the first that was asked; empty in journals of older versions.
    """

    request: str
    reply: str = ""
    usage: TokenUsage = TokenUsage()
    failure: str = ""
    model: str = ""


class Decision(Message):
    """The whole trace of one decision: evidence, findings, debate, model use. Proposals name its id.

    `exchanges` are those with a language model, in order of roles; none where rules decided. `aggregate` is
    what the findings came to, None where nobody was asked.
    """

    request_id: str
    symbol: str
    model: str
    is_llm: bool
    evidence: tuple[Evidence, ...]
    findings: tuple[Finding, ...]
    debate: tuple[DebateTurn, ...]
    lessons: tuple[str, ...]
    prompt_hash: str
    usage: TokenUsage
    failures: tuple[str, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    aggregate: Aggregate | None = None


class Reason(Part):
    """One reason of a proposal, with the ids of its evidence."""

    text: Text
    evidence: tuple[str, ...] = ()


class TriggerPlan(Part):
    """A trigger that a proposal wants watched once its position exists.

    `price` for the two price kinds; `sessions` (trading days from the fill) for TIME_AT.
    """

    trigger: TriggerKind
    price: PriceRef | None = None
    sessions: int | None = None
    note: str = ""


class Proposal(Message):
    """What the brain wants done for one account and symbol.

    `target_weight` is the wanted share of the account's equity, a ratio. An abstention is a HOLD whose
    `abstained` says why. `low_certainty` marks a plan below `brain.low_certainty`; `planned_weight` is then
    the weight before it was sized down, None where nothing is bought.
    """

    request_id: str
    decision_id: str
    symbol: str
    action: Action
    target_weight: Ratio = 0.0
    entry: PriceRef | None = None
    stop: PriceRef | None = None
    target: PriceRef | None = None
    horizon_sessions: int = 10
    confidence: Ratio = 0.0
    setup: str = ""
    reasons: tuple[Reason, ...] = ()
    triggers: tuple[TriggerPlan, ...] = ()
    abstained: str = ""
    model: str = ""
    prompt_hash: str = ""
    valid_until: AwareDatetime
    low_certainty: bool = False
    planned_weight: Ratio | None = None

    @property
    def main_reason(self) -> Text | None:
        """The first reason, with a line on low certainty where it was sized down; None without a reason."""
        if not self.reasons:
            return None
        first = self.reasons[0].text
        if self.planned_weight is None:
            return first
        mark = say(
            "低确定性：仓位由 {planned_weight} 减为 {sized_weight}",
            planned_weight=f"{self.planned_weight:.2%}",
            sized_weight=f"{self.target_weight:.2%}",
        )
        return Text(template=f"{first.template}\n{mark.template}", figures=first.figures | mark.figures)
