"""A masked run over real HTTP: the server gets no name, code or date, and the run can be made again."""

import re
from datetime import date
from pathlib import Path

from vnpy_aiagent.brain.kept import read_kept
from vnpy_aiagent.brain.replay import replay
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.domain import Decision, Proposal
from vnpy_aiagent.llm.cassette import Cassette
from vnpy_aiagent.store.journal import JournalReader
from vnpy_aiagent.testing.model_server import ModelServer

from .loop_helpers import play, settings, sse50
from .scripted_trader import trade

SYMBOLS = ("601857.SSE", "601988.SSE")
START, END = date(2025, 7, 1), date(2025, 7, 3)
REAL = re.compile(r"601857|601988|中国石油|中国银行|20\d\d-\d\d-\d\d|20\d\d年")


def test_a_masked_run_shows_nothing_real_and_is_made_again_byte_for_byte(shared: Path) -> None:
    with ModelServer(trade) as server:
        llm = LlmSettings(base_url=server.base_url, model="m", api_key="sk-0123456789abcdef", max_retries=0)
        made = settings(llm=llm, brain=BrainSettings(mask=True))
        played = play(sse50(shared).restrict(SYMBOLS), start=START, end=END, settings=made)
    sent = [m["content"] or "" for asked in server.requests for m in asked.body["messages"]]
    assert sent
    assert [REAL.search(content) for content in sent] == [None] * len(sent)
    assert {proposal.symbol for proposal in played.of(Proposal)} <= set(SYMBOLS)
    assert not any(proposal.abstained for proposal in played.of(Proposal))
    answers = Cassette(played.result.journal.with_name("cassette.db"))
    with JournalReader.open(played.result.journal) as reader:
        entries = list(reader.read(kinds=(Decision.kind,)))
        found = [replay(read_kept(reader, entry), answers) for entry in entries]
    answers.close()
    assert [each.difference for each in found] == [""] * len(played.of(Decision))
