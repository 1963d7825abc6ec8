"""Words for every kind of message. Importing this registers them all."""

from vnpy_aiagent.report.kinds import books, decisions, orders, positions, system
from vnpy_aiagent.report.kinds.base import Words, words
from vnpy_aiagent.report.kinds.debate import certainty, debate_text, speaker, speech
from vnpy_aiagent.report.kinds.findings import finder, model_name, sum_lines
from vnpy_aiagent.report.kinds.plans import plan_lines, price_text, trigger_text, verdict_lines

__all__ = [
    "Words",
    "books",
    "certainty",
    "debate_text",
    "decisions",
    "finder",
    "model_name",
    "orders",
    "plan_lines",
    "positions",
    "price_text",
    "speaker",
    "speech",
    "sum_lines",
    "system",
    "trigger_text",
    "verdict_lines",
    "words",
]
