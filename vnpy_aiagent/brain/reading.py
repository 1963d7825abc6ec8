"""What may come out of a text: one value of each closed list, and short spans that stand in it verbatim."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from vnpy_aiagent.brain.schemas import Answer, read_answer
from vnpy_aiagent.errors import ModelNonsense

MAX_SPAN, MAX_SPANS = 80, 3


class Topic(StrEnum):
    """What a text is about."""

    EARNINGS = "EARNINGS"
    BUSINESS = "BUSINESS"
    OWNERSHIP = "OWNERSHIP"
    REGULATION = "REGULATION"
    LEGAL = "LEGAL"
    POLICY = "POLICY"
    MARKET = "MARKET"
    OTHER = "OTHER"


class Novelty(StrEnum):
    """Whether a text tells something new."""

    NEW = "NEW"
    REPEAT = "REPEAT"


class Certainty(StrEnum):
    """How sure a text is of what it tells."""

    RUMOUR = "RUMOUR"
    REPORTED = "REPORTED"
    CONFIRMED = "CONFIRMED"


CERTAINTY_WEIGHT = {Certainty.RUMOUR: 0.3, Certainty.REPORTED: 0.6, Certainty.CONFIRMED: 1.0}
NOVELTY_WEIGHT = {Novelty.REPEAT: 0.5, Novelty.NEW: 1.0}


class Reading(Answer):
    """The whole of what leaves the quarantine. No symbol, action, price or size fits in."""

    topic: Topic
    stance: Literal[-2, -1, 0, 1, 2]
    novelty: Novelty
    certainty: Certainty
    spans: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=MAX_SPAN)], ...], Field(max_length=MAX_SPANS)
    ] = ()

    @property
    def score(self) -> float:
        """From -1 to 1: stance, less for rumours and for what was known before. The weights are chosen."""
        return self.stance / 2 * CERTAINTY_WEIGHT[self.certainty] * NOVELTY_WEIGHT[self.novelty]


def parse_reading(answer: str, text: str) -> Reading:
    """A model's answer about a cleaned text. ModelNonsense for any other key, word, type or invented span."""
    reading = read_answer(Reading, answer, is_llm=True)
    for span in reading.spans:
        if span not in text:
            raise ModelNonsense("a span does not stand in the text")
    return reading
