"""How the sources stand, for people who ask: `aiagent doctor`, `aiagent data sources`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vnpy_aiagent.config import Settings
from vnpy_aiagent.data.sources.build import build_router
from vnpy_aiagent.data.sources.file import FILE_NAME
from vnpy_aiagent.data.sources.notebook import HealthNote, SourceNotebook, note_of
from vnpy_aiagent.data.sources.router import BarRouter
from vnpy_aiagent.data.sources.watch import SourceWatch
from vnpy_aiagent.domain.clock import Clock
from vnpy_aiagent.domain.enums import Severity
from vnpy_aiagent.domain.text import Text
from vnpy_aiagent.places import user_folder

State = Literal["ready", "answers", "fails", "not set up"]


@dataclass(frozen=True, slots=True)
class Standing:
    """One source. `reason`: what it lacks or why it failed, in English; `checked_at`: ISO, empty if never."""

    source: str
    state: State
    reason: str = ""
    score: float | None = None
    checked_at: str = ""


def overview(
    settings: Settings, clock: Clock, folder: Path | None = None, *, check: bool
) -> tuple[Standing, ...]:
    """The sources of the settings in order. check: ask each one now, and keep a note of how it did.

    Else the last note is shown, which a running engine may have written. folder: the app's own by default.
    """
    folder = folder or user_folder()
    router = build_router(settings, folder, clock)
    notebook = SourceNotebook(folder / FILE_NAME)
    notes = {note.source: note for note in notebook.health()}
    if check:
        states = SourceWatch(router, clock, _nobody, notebook).check()
        notes |= {state.source: note_of(state, clock.now()) for state in states}
    return tuple(_standings(router, notes))


def _standings(router: BarRouter, notes: dict[str, HealthNote]) -> Iterator[Standing]:
    for name in router.names:
        missing, note = router.missing(name), notes.get(name)
        if missing is not None:
            yield Standing(name, "not set up", str(missing))
        elif note is None:
            yield Standing(name, "ready")
        else:
            state: State = "answers" if note.healthy else "fails"
            yield Standing(name, state, note.reason, note.score, note.at.isoformat(timespec="minutes"))


def _nobody(_: Severity, __: Text) -> None:
    """Who asks sees the standings."""
