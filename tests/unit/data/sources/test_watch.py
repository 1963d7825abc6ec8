"""The self-check: one request a source, one alert for a loss, one for a return, and notes of both."""

from pathlib import Path

from vnpy_aiagent.data.sources.absence import AbsenceKind
from vnpy_aiagent.data.sources.health import REST
from vnpy_aiagent.data.sources.notebook import SourceNotebook
from vnpy_aiagent.data.sources.port import Provenance
from vnpy_aiagent.data.sources.router import BarRouter
from vnpy_aiagent.data.sources.watch import SourceWatch
from vnpy_aiagent.domain.enums import Severity
from vnpy_aiagent.domain.text import Text
from vnpy_aiagent.i18n import show, translator

from .fakes import NOW, REQUEST, Source, Steady, absence, clock, series, unreachable


class House:
    def __init__(self, *sources: Source, path: Path | None = None) -> None:
        self.steady, self.said = Steady(), list[tuple[str, str]]()
        self.router = BarRouter(sources, clock(), monotonic=self.steady, sleep=self.steady.sleep)
        self.notebook = SourceNotebook(path) if path else None
        self.watch = SourceWatch(self.router, clock(), self.tell, self.notebook)

    def tell(self, severity: Severity, sentence: Text) -> None:
        self.said.append((severity.name, show(sentence, translator("en"))))


def test_a_loss_and_a_return_are_told_once_each() -> None:
    source = Source("a")
    house = House(source, Source("b"))
    house.watch.check()
    assert house.said == []
    source.fault = unreachable("a")
    for _ in range(6):
        house.watch.check()
    lost = ("WARNING", "data source a does not answer:\ndata source a UNREACHABLE answers again")
    assert house.said == [lost]
    source.fault = None
    house.watch.check()
    assert house.said == [lost], "it still rests"
    house.steady.seconds += 100 * REST
    house.watch.check()
    house.watch.check()
    assert house.said == [lost, ("INFO", "data source a answers again")]


def test_only_what_is_set_up_is_asked_and_no_rows_is_an_answer() -> None:
    lacking = Source("a", lack=AbsenceKind.NOT_SET_UP)
    bare = Source("b", fault=absence("b", AbsenceKind.NO_ROWS))
    house = House(lacking, bare)
    states = house.watch.check()
    assert [(state.source, state.is_healthy) for state in states] == [("b", True)]
    assert (lacking.asked, bare.asked, house.said) == (0, 1, [])


def test_notes_are_there_for_another_process(tmp_path: Path) -> None:
    house = House(Source("a"), Source("b", fault=unreachable("b")), path=tmp_path / "sources.db")
    house.watch.check()
    notes = SourceNotebook(tmp_path / "sources.db").health()
    assert [(note.source, note.healthy, note.at) for note in notes] == [("a", True, NOW), ("b", False, NOW)]
    assert (notes[0].score, notes[0].reason) == (1.0, "")
    assert "b UNREACHABLE" in notes[1].reason


def test_a_notebook_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "sources.db").mkdir()
    house = House(Source("a"), path=tmp_path / "sources.db")
    assert len(house.watch.check()) == 1
    assert len(house.said) == 1
    assert "the data cache cannot be used" in house.said[0][1]


def test_the_origin_of_stored_bars_is_kept_by_symbol_and_source(tmp_path: Path) -> None:
    notebook = SourceNotebook(tmp_path / "sources.db")
    assert notebook.origins() == ()
    bars = series(REQUEST, NOW)
    for source in ("a", "b", "a"):
        notebook.note_origin(bars, Provenance(source, NOW, bars.end_of(-1), REQUEST.units()))
    notebook.note_origin(bars.slice(0, 0), Provenance("c", NOW, NOW, {}))
    origins = notebook.origins()
    assert [(o.vt_symbol, o.interval, o.source, o.bars) for o in origins] == [
        ("600519.SSE", "DAILY", "a", 3),
        ("600519.SSE", "DAILY", "b", 3),
    ]
    assert (origins[0].first, origins[0].last) == (REQUEST.start, REQUEST.end)
    assert origins[0].provenance["units"]["volume"] == "share"
