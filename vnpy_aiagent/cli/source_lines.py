"""What `aiagent data sources` shows: the sources in order, how each stands, and where bars came from."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from vnpy_aiagent.config import Settings
from vnpy_aiagent.domain import Clock


def source_facts(settings: Settings, folder: Path, clock: Clock, *, check: bool) -> dict[str, Any]:
    """Sources with state and advice, and the origins of downloads. check: ask each source now."""
    from vnpy_aiagent.data.sources.file import FILE_NAME
    from vnpy_aiagent.data.sources.notebook import SourceNotebook
    from vnpy_aiagent.data.sources.overview import overview

    standings = overview(settings, clock, folder, check=check)
    origins = SourceNotebook(folder / FILE_NAME).origins()
    return {
        "sources": [asdict(standing) for standing in standings],
        "origins": [
            {
                "symbol": origin.vt_symbol,
                "interval": origin.interval,
                "bars": origin.bars,
                "first": origin.first.isoformat(),
                "last": origin.last.isoformat(),
                **origin.provenance,
            }
            for origin in origins
        ],
    }


def source_lines(facts: dict[str, Any]) -> list[str]:
    """For people."""
    lines = []
    for number, row in enumerate(facts["sources"], 1):
        when = f" ({row['checked_at']}, score {row['score']:.2f})" if row["checked_at"] else ""
        lines.append(f"{number}. {row['source']}: {row['state']}{when}")
        if row["reason"]:
            lines.append(f"   -> {row['reason']}")
    for row in facts["origins"]:
        lines.append(
            f"{row['symbol']} {row['interval']}: {row['bars']} bars, {row['first']} to {row['last']}, "
            f"from {row['source']} at {row['fetched_at'][:16]}{', from the cache' if row['cached'] else ''}"
        )
    return lines
