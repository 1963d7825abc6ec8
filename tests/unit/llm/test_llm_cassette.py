"""The cassette: fingerprints, the four modes, several writers, damage, and what is never in it."""

import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from vnpy_aiagent.config import LlmSettings
from vnpy_aiagent.domain import Severity, Text
from vnpy_aiagent.errors import BudgetSpent, CassetteMiss, ConfigError, ModelTimeout
from vnpy_aiagent.llm.budget import BudgetLimits, Ledger
from vnpy_aiagent.llm.cassette import Cassette, fingerprint, question_text, reply_digest
from vnpy_aiagent.llm.factory import build_model, cassette_file
from vnpy_aiagent.llm.port import ChatMessage, ModelReply, ModelRequest, ToolCall, ToolSpec, Usage
from vnpy_aiagent.llm.recording import CassetteModel, LoggedModel, SilentModel
from vnpy_aiagent.testing.fake_model import FakeModel

PAID = Usage(calls=1, prompt_tokens=120, completion_tokens=30, cost=Decimal("0.25"))
Told = list[tuple[Severity, Text]]


def ask(text: str = "买不买？", **changes: Any) -> ModelRequest:
    fields: dict[str, Any] = {
        "task": "judge",
        "messages": (ChatMessage(role="system", content="规则"), ChatMessage(role="user", content=text)),
        "tools": (ToolSpec(name="get_quote", description="quote", parameters={"type": "object", "a": 1}),),
        "seed": 7,
    }
    return ModelRequest(**(fields | changes))


def reply(text: str = "持有", usage: Usage = PAID) -> ModelReply:
    return ModelReply(text=text, usage=usage, model="m", reasoning="想")


def model(path: Path, mode: Any, *answers: Any, told: Told | None = None, secret: str = "") -> CassetteModel:
    heard = told if told is not None else []
    fake = FakeModel(list(answers), is_llm=True)
    return CassetteModel(
        fake, Cassette(path), mode, lambda *each: heard.append(each), (secret,) if secret else ()
    )


def test_the_fingerprint_covers_all_that_is_asked_and_nothing_else() -> None:
    base = fingerprint("m", ask())
    others = [
        fingerprint("other", ask()),
        fingerprint("m", ask("卖不卖？")),
        fingerprint("m", ask(tools=())),
        fingerprint("m", ask(temperature=0.5)),
        fingerprint("m", ask(seed=8)),
        fingerprint("m", ask(max_tokens=999)),
        fingerprint("m", ask(answer_schema={"type": "object"})),
    ]
    assert len({base, *others}) == len(others) + 1
    assert fingerprint("m", ask(timeout=1.5)) == base
    swapped = ToolSpec(name="get_quote", description="quote", parameters={"a": 1, "type": "object"})
    assert fingerprint("m", ask(tools=(swapped,))) == base


def test_the_fingerprint_is_the_same_under_any_hash_seed() -> None:
    code = (
        "from vnpy_aiagent.llm.cassette import fingerprint\n"
        "from vnpy_aiagent.llm.port import ChatMessage, ModelRequest\n"
        "schema = {'b': {'y': 1, 'x': 2}, 'a': ['z', '中']}\n"
        "m = (ChatMessage(role='user', content='\\ud800 中文'),)\n"
        "print(fingerprint('m', ModelRequest(task='t', messages=m, answer_schema=schema)))\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(found) == 1
    assert len(found.pop().strip()) == 64


def test_an_exchange_comes_back_whole(tmp_path: Path) -> None:
    cassette = Cassette(tmp_path / "c.db")
    call = ToolCall(id="1", name="get_quote", arguments='{"x": "\udc80"}')
    said = ModelReply(text="", tool_calls=(call,), usage=PAID, model="m-1", finish_reason="tool_calls")
    cassette.add("m", ask(), said)
    assert cassette.find(fingerprint("m", ask())) == said
    assert cassette.question(fingerprint("m", ask())) == question_text("m", ask())
    assert cassette.find(fingerprint("n", ask())) is None
    assert cassette.question(fingerprint("n", ask())) is None
    cassette.close()


def test_the_same_answer_is_kept_once_and_another_one_beside_it(tmp_path: Path) -> None:
    cassette, question = Cassette(tmp_path / "c.db"), fingerprint("m", ask())
    for said in (reply("一"), reply("一"), reply("二")):
        cassette.add("m", ask(), said)
    assert cassette.count() == 2
    latest, first = cassette.find(question), cassette.find(question, reply_digest(reply("一")))
    assert latest is not None
    assert first is not None
    assert (latest.text, first.text) == ("二", "一")
    assert cassette.find(question, reply_digest(reply("三"))) is None
    cassette.close()


def test_record_always_asks_and_auto_asks_only_once(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    recording = model(path, "record", reply("一"), reply("二"))
    assert [recording.complete(ask()).text for _ in range(2)] == ["一", "二"]
    recording.close()
    careful = model(path, "auto", reply("新"))
    assert [careful.complete(ask(text)).text for text in ("买不买？", "再问", "再问")] == ["二", "新", "新"]
    careful.close()


def test_a_recorded_answer_counts_and_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    recording = model(path, "record", reply())
    assert recording.complete(ask()).usage == PAID
    recording.close()
    replaying = model(path, "replay")
    again = replaying.complete(ask()).usage
    replaying.close()
    assert again == PAID.model_copy(update={"cost": Decimal(0)})
    kept = Cassette(path)
    found = kept.find(fingerprint("fake", ask()))
    kept.close()
    assert found is not None
    assert found.usage == PAID, "what it cost then is kept"


def test_replay_never_asks_and_says_what_is_missing(tmp_path: Path) -> None:
    replaying = model(tmp_path / "c.db", "replay", reply())
    with pytest.raises(CassetteMiss, match=r"holds no answer to this question of judge; record it with"):
        replaying.complete(ask())
    assert not (tmp_path / "c.db").exists(), "reading makes no file"
    with pytest.raises(CassetteMiss, match=r"set llm\.cassette_mode to auto"):
        SilentModel("m").complete(ask())
    replaying.close()


def test_what_a_model_raises_passes_and_is_not_recorded(tmp_path: Path) -> None:
    recording = model(tmp_path / "c.db", "record", ModelTimeout("too slow"))
    with pytest.raises(ModelTimeout):
        recording.complete(ask())
    recording.close()
    assert not (tmp_path / "c.db").exists()


def test_an_answer_is_used_though_it_cannot_be_recorded_and_that_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    told: Told = []
    recording = model(tmp_path / "file" / "c.db", "record", reply("一"), reply("二"), told=told)
    assert [recording.complete(ask(str(n))).text for n in range(2)] == ["一", "二"]
    recording.close()
    assert [severity for severity, _ in told] == [Severity.WARNING]
    assert "没能录下" in str(told[0][1])


def test_no_key_is_ever_in_the_file(tmp_path: Path) -> None:
    key, path, told = 'sk-0123456789"abc', tmp_path / "c.db", Told()
    recording = model(path, "record", reply(f"your key is {key}"), reply(), told=told, secret=key)
    recording.complete(ask())
    recording.complete(ask("二"))
    recording.close()
    cassette = Cassette(path)
    assert cassette.count() == 1
    cassette.close()
    assert len(told) == 1
    assert b"0123456789" not in b"".join(each.read_bytes() for each in tmp_path.iterdir())


def test_a_word_that_stands_for_no_key_stops_no_recording(tmp_path: Path) -> None:
    recording = model(tmp_path / "c.db", "record", reply("ollama"), secret="ollama")
    recording.complete(ask())
    recording.close()
    cassette = Cassette(tmp_path / "c.db")
    assert cassette.count() == 1
    cassette.close()


def test_threads_and_connections_write_beside_each_other(tmp_path: Path) -> None:
    path, failures = tmp_path / "c.db", []
    shared = Cassette(path)

    def write(cassette: Cassette, name: int) -> None:
        try:
            for number in range(20):
                cassette.add(f"m{name}", ask(str(number)), reply(str(number)))
        except CassetteMiss as error:
            failures.append(error)

    own = [Cassette(path) for _ in range(3)]
    threads = [Thread(target=write, args=(c, n)) for n, c in enumerate([shared, shared, *own])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert shared.count() == 100
    for cassette in (shared, *own):
        cassette.close()


def test_processes_write_beside_each_other(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from vnpy_aiagent.llm.cassette import Cassette\n"
        "from vnpy_aiagent.llm.port import ChatMessage, ModelReply, ModelRequest\n"
        "c = Cassette(Path(sys.argv[1]))\n"
        "for n in range(30):\n"
        "    m = (ChatMessage(role='user', content=str(n)),)\n"
        "    c.add(sys.argv[2], ModelRequest(task='t', messages=m), ModelReply(text=str(n)))\n"
        "c.close()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "c.db")]
    writers = [subprocess.Popen([*command, name]) for name in ("a", "b")]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    cassette = Cassette(tmp_path / "c.db")
    assert cassette.count() == 60
    cassette.close()


def test_a_commit_that_was_cut_off_is_left_out_and_the_rest_stays(tmp_path: Path) -> None:
    path, torn = tmp_path / "c.db", tmp_path / "torn.db"
    cassette = Cassette(path)
    for number in range(5):
        cassette.add("m", ask(str(number)), reply(str(number)))
    shutil.copy(path, torn)
    log = path.with_name("c.db-wal").read_bytes()
    torn.with_name("torn.db-wal").write_bytes(log[:-2_000])
    cassette.close()
    left = Cassette(torn)
    found = [left.find(fingerprint("m", ask(str(number)))) for number in range(5)]
    assert [each.text for each in found if each] == ["0", "1", "2", "3"]
    left.add("m", ask("4"), reply("4"))
    assert left.count() == 5
    left.close()


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\7" * 5_000])
def test_a_file_that_is_no_cassette_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.db").write_bytes(content)
    cassette = Cassette(tmp_path / "c.db")
    with pytest.raises(CassetteMiss, match=r"cannot be used .* check the file"):
        cassette.find("f" * 64)
    cassette.close()


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("UPDATE exchange SET answer = replace(answer, 'stop', 'halt')", "was changed"),
        ("UPDATE exchange SET answer = x'00'", "was changed"),
        ('UPDATE exchange SET usage = \'{"calls": "many"}\'', "cannot be used"),
        ("UPDATE exchange SET usage = 'x'", "cannot be used"),
    ],
)
def test_a_changed_answer_is_refused(tmp_path: Path, damage: str, sentence: str) -> None:
    recording = model(tmp_path / "c.db", "record", reply())
    recording.complete(ask())
    recording.close()
    _damage(tmp_path / "c.db", damage)
    replaying = model(tmp_path / "c.db", "auto", reply())
    with pytest.raises(CassetteMiss, match=sentence):
        replaying.complete(ask())
    replaying.close()


@pytest.mark.parametrize("content", ["x'00'", "NULLIF(1, 0)"])
def test_a_changed_question_is_refused(tmp_path: Path, content: str) -> None:
    cassette = Cassette(tmp_path / "c.db")
    cassette.add("m", ask(), reply())
    cassette.add("m", ask("二"), reply())
    cassette.close()
    _damage(tmp_path / "c.db", f"UPDATE exchange SET question = {content} WHERE seq = 1")
    with pytest.raises(CassetteMiss, match="cannot be used"):
        cassette.question(fingerprint("m", ask()))
    _damage(
        tmp_path / "c.db",
        "UPDATE exchange SET question = (SELECT question FROM exchange WHERE seq = 2) WHERE seq = 1",
    )
    with pytest.raises(CassetteMiss, match="was changed"):
        cassette.question(fingerprint("m", ask()))
    cassette.close()


def test_the_log_of_a_decision_notes_answers_and_failures_of_language_models_alone() -> None:
    logged = LoggedModel(FakeModel([reply(), ModelTimeout("slow"), BudgetSpent("no money")], is_llm=True))
    logged.complete(ask())
    with pytest.raises(ModelTimeout):
        logged.complete(ask("二"))
    with pytest.raises(BudgetSpent):
        logged.complete(ask("三"))
    assert [each.failure for each in logged.exchanges] == ["", "ModelTimeout: slow", "BudgetSpent: no money"]
    assert logged.exchanges[0].reply == reply_digest(reply())
    assert logged.exchanges[0].usage.cost == Decimal("0.25")
    assert [each.request for each in logged.exchanges] == [
        fingerprint("fake", ask(text)) for text in ("买不买？", "二", "三")
    ]
    rules = LoggedModel(FakeModel([reply()]))
    rules.complete(ask())
    assert rules.exchanges == []


def test_the_factory_needs_a_file_for_mode_replay_and_no_server(tmp_path: Path) -> None:
    llm = LlmSettings(base_url="http://127.0.0.1:9/v1", model="m", cassette_mode="replay")
    ledger = Ledger(BudgetLimits())
    with pytest.raises(ConfigError, match=r"set llm\.cassette"):
        build_model(llm, ledger)
    replaying = build_model(llm, ledger, cassette=tmp_path / "c.db")
    ledger.begin_decision(date(2024, 5, 6))
    with pytest.raises(CassetteMiss, match="holds no answer"):
        replaying.complete(ask())
    assert replaying.name == "m"
    assert replaying.is_llm
    replaying.close()


def test_the_file_lies_beside_the_journal_unless_it_is_set(tmp_path: Path) -> None:
    assert cassette_file(LlmSettings(), tmp_path) == tmp_path / "cassette.db"
    assert cassette_file(LlmSettings(cassette=str(tmp_path / "x.db")), Path("/y")) == tmp_path / "x.db"


def _damage(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(sql)
    connection.close()
