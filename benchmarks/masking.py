"""How decisions change where a model cannot see which share it is and when: what it only remembers.

    AIAGENT_SHARED=../shared python benchmarks/masking.py [--local] [--asked 6]

The same shares and days twice, with `brain.mask` off and on. The offline analyst remembers nothing: its
decisions must be the same. With --local the model of the extra local-llm decides a few of them, too; a model
of that size says what a coin could say, the figures show the mechanism.
"""

import argparse
import json
from collections import Counter
from datetime import date, datetime, time
from typing import Any

from scratch import SHARED, enter

ROOT = enter()

from vnpy_aiagent.config import LlmSettings, Settings, load_settings  # noqa: E402
from vnpy_aiagent.data import load_folder  # noqa: E402
from vnpy_aiagent.domain import Decision, Message, Mode, Proposal, parse_message  # noqa: E402
from vnpy_aiagent.simulation import Simulation  # noqa: E402
from vnpy_aiagent.store.journal import JournalReader  # noqa: E402

SHARES = ("600519.SSE", "600036.SSE", "601012.SSE", "601088.SSE", "601857.SSE", "601988.SSE")
START, END = date(2025, 7, 1), date(2025, 8, 29)
SECONDS = 120


def main() -> None:
    """Run both ways, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--local", action="store_true", help="the local model, too (minutes)")
    parser.add_argument("--asked", type=int, default=3, help="decisions of the local model")
    given = parser.parse_args()
    plain, masked = (play(f"offline-{mask}", mask=mask, llm=LlmSettings()) for mask in (False, True))
    show("offline analyst", plain, masked)
    if given.local:
        from vnpy_aiagent.llm.local_server import LocalServer

        with LocalServer() as server:
            llm = LlmSettings(
                base_url=server.base_url, model=server.name, timeout=SECONDS, max_retries=0, max_tokens=200
            )
            plain, masked = (
                play(f"local-{mask}", mask=mask, llm=llm, asked=given.asked) for mask in (False, True)
            )
        show(server.name, plain, masked)


def play(name: str, *, mask: bool, llm: LlmSettings, asked: int = 0) -> list[Message]:
    """Decisions and proposals of a run: by the timetable, or `asked` for by hand on the first day."""
    settings = load_settings(mode=Mode.SIMULATION, language="en", llm=llm)
    brain = settings.brain.model_copy(update={"mask": mask, "language": "en", "tool_steps": 2})
    changes: dict[str, Any] = {"brain": brain}
    if asked:
        changes["schedule"] = ()
    chosen: Settings = settings.model_copy(update=changes)
    data = load_folder(SHARED / "data" / "sse50", symbols=list(SHARES))
    journal = ROOT / name / "journal.db"
    simulation = Simulation(data, chosen, journal, start=START, end=START if asked else END)
    for symbol in SHARES[:asked]:
        simulation.ask_at(datetime.combine(START, time(9, 35)), symbol)
    simulation.run()
    with JournalReader.open(journal) as reader:
        rows = reader.read(kinds=(Decision.kind, Proposal.kind))
        return [parse_message(row.kind, row.body) for row in rows]


def show(name: str, plain: list[Message], masked: list[Message]) -> None:
    """How many decisions are the same in stance, and how many proposals in every number."""
    stances = [
        [(f.role, f.stance) for d in run if isinstance(d, Decision) for f in d.findings]
        for run in (plain, masked)
    ]
    plans = [[told(p) for p in run if isinstance(p, Proposal)] for run in (plain, masked)]
    decisions = [sum(isinstance(each, Decision) for each in run) for run in (plain, masked)]
    failed = [sum(bool(d.failures) for d in run if isinstance(d, Decision)) for run in (plain, masked)]
    same = Counter(one == other for one, other in zip(*stances, strict=False))
    equal = Counter(one == other for one, other in zip(*plans, strict=False))
    print(f"{name}: {decisions[0]} and {decisions[1]} decisions ({failed[0]} and {failed[1]} with a failure)")
    print(f"  findings of the same stance: {same[True]} of {same.total()}")
    print(f"  proposals with the same action and numbers: {equal[True]} of {equal.total()}")


def told(proposal: Proposal) -> str:
    """What a proposal says of an order, without its words."""
    names = (
        "symbol",
        "account",
        "action",
        "target_weight",
        "entry",
        "stop",
        "target",
        "triggers",
        "confidence",
    )
    content = proposal.model_dump(mode="json")
    return json.dumps([content[name] for name in names], sort_keys=True)


if __name__ == "__main__":
    main()
