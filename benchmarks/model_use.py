"""How much of a model a day's decisions ask for: the mix that llm/estimate.py takes as typical.

    AIAGENT_SHARED=../shared python benchmarks/model_use.py

Three accounts decide over 50 real symbols with default settings and the offline analyst, which costs
nothing; what counts is how many decisions there are and how many speeches each comes to. Tokens of a
decision are measured by tests/unit/brain/test_brain_token_use.py.
"""

from collections import Counter

from scratch import SHARED, enter

ROOT = enter()

from vnpy_aiagent.config import load_settings  # noqa: E402
from vnpy_aiagent.data import load_folder  # noqa: E402
from vnpy_aiagent.domain import (  # noqa: E402
    AnalysisRequest,
    BarInterval,
    Decision,
    Mode,
    ScanResult,
    ScheduleFired,
    parse_message,
)
from vnpy_aiagent.simulation import Simulation  # noqa: E402
from vnpy_aiagent.store.journal import JournalReader  # noqa: E402

QUANT = "QUANT"  # code, no question to a model
KINDS = (AnalysisRequest, Decision, ScanResult, ScheduleFired)


def main() -> None:
    """Run, count and print."""
    settings = load_settings(mode=Mode.SIMULATION)
    data = load_folder(SHARED / "data" / "sse50", frequency=BarInterval.DAILY)
    result = Simulation(data, settings, ROOT / "journal.db").run()
    requests: dict[str, AnalysisRequest] = {}
    asked: Counter[str] = Counter()
    speeches: Counter[str] = Counter()
    studied: Counter[str] = Counter()
    passes = 0
    with JournalReader.open(result.journal) as reader:
        for entry in reader.read(kinds=[kind.kind for kind in KINDS]):
            message = parse_message(entry.kind, entry.body)
            if isinstance(message, AnalysisRequest):
                requests[message.id] = message
            elif isinstance(message, ScheduleFired):
                passes += message.job == "daily"
            elif isinstance(message, Decision):
                kind = requests[message.request_id].request.name
                asked[kind] += 1
                speeches[kind] += sum(1 for turn in message.debate if turn.role != QUANT)
                studied[kind] += sum(1 for finding in message.findings if finding.evidence)
    print(
        f"{data.source}: {result.start} to {result.end}, {passes} passes, {settings.scan.max_symbols} symbols"
    )
    for kind, count in sorted(asked.items()):
        per_place = count / passes / settings.scan.max_symbols
        spoken, found = speeches[kind] / count, studied[kind] / count
        print(
            f"{kind:<8} {count:>6} decisions, {per_place:.2f} a pass and place, {spoken:.2f} speeches and "
            f"{found:.2f} analysts each"
        )


if __name__ == "__main__":
    main()
