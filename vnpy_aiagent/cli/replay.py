"""`aiagent replay` and `aiagent prompt`: one decision again, and what its model was asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from vnpy_aiagent.cli.common import (
    CHECK_FAILED,
    ConfigOption,
    JournalOption,
    JsonOption,
    absolute,
    print_json,
    print_line,
    quiet_vnpy,
    user_settings,
)
from vnpy_aiagent.config import load_settings
from vnpy_aiagent.domain import Decision
from vnpy_aiagent.errors import CassetteMiss
from vnpy_aiagent.llm.cassette import Cassette
from vnpy_aiagent.llm.factory import cassette_file
from vnpy_aiagent.llm.port import ModelReply
from vnpy_aiagent.places import user_folder
from vnpy_aiagent.store.database import is_postgres
from vnpy_aiagent.store.journal import JournalReader, verify

ALL = "all"
DecisionArgument = Annotated[str, typer.Argument(help="Id of a decision, or of its request or a proposal.")]
CassetteOption = Annotated[
    Path | None,
    typer.Option(
        "--cassette", help="Recorded model answers; default: llm.cassette, else beside the journal."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("replay")(replay_)
    app.command("prompt")(prompt)


def replay_(
    decision: Annotated[
        str, typer.Argument(help="Id of a decision, of its request or a proposal; `all` for every decision.")
    ],
    journal: JournalOption = "",
    cassette: CassetteOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a recorded decision again and compare it byte for byte. Exit 1 where anything differs.

    Example: aiagent replay all --journal aiagent-demo/journal.db
    """
    target = _target(journal, config)
    broken = _broken(target)
    if broken:
        if as_json:
            print_json({"decision": decision, "identical": False, "difference": broken})
        else:
            print_line(broken)
        raise typer.Exit(CHECK_FAILED)
    with _opened(target, cassette, config) as (reader, answers):
        facts = _all(reader, answers) if decision == ALL else _one(reader, answers, decision)
    if as_json:
        print_json(facts)
    else:
        for line in _lines(facts):
            print_line(line)
    if not facts["identical"]:
        raise typer.Exit(CHECK_FAILED)


def prompt(
    decision: DecisionArgument,
    journal: JournalOption = "",
    cassette: CassetteOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show exactly what the model was asked for a decision. Exit 1 where a question cannot be shown exactly.

    Example: aiagent prompt r1-0000042 --journal aiagent-demo/journal.db
    """
    from vnpy_aiagent.brain.kept import decision_entry, read_kept
    from vnpy_aiagent.brain.replay import replay
    from vnpy_aiagent.brain.shown_prompts import prompts_of

    target = _target(journal, config)
    with _opened(target, cassette, config) as (reader, answers):
        replayed = replay(read_kept(reader, decision_entry(reader, decision)), answers)
        try:
            prompts = prompts_of(replayed, answers)
        except CassetteMiss as error:
            if as_json:
                print_json({"decision": decision, "exact": False, "difference": str(error)})
            else:
                print_line(str(error))
            raise typer.Exit(CHECK_FAILED) from None
    exact = all(each.exact for each in prompts)
    facts = {
        "decision": replayed.kept.entry.id,
        "model": replayed.kept.decision.model,
        "exact": exact,
        "difference": replayed.difference,
        "prompts": [
            {
                "fingerprint": each.fingerprint,
                "exact": each.exact,
                "outcome": each.outcome,
                "model": each.model,
                "content": each.content,
                "answer": _answer(each.answer),
            }
            for each in prompts
        ],
    }
    if as_json:
        print_json(facts)
    else:
        for line in _prompt_lines(facts):
            print_line(line)
    if not exact:
        raise typer.Exit(CHECK_FAILED)


def _one(reader: JournalReader, answers: Cassette, decision: str) -> dict[str, Any]:
    from vnpy_aiagent.brain.kept import decision_entry, read_kept
    from vnpy_aiagent.brain.replay import replay

    kept = read_kept(reader, decision_entry(reader, decision))
    found = replay(kept, answers)
    return {
        "decision": kept.entry.id,
        "symbol": kept.decision.symbol,
        "at": kept.entry.at,
        "model": kept.decision.model,
        "is_llm": kept.decision.is_llm,
        "identical": found.identical,
        "difference": found.difference,
        "proposals": found.proposals,
        "questions": len(found.questions),
        "unasked": found.unasked,
    }


def _all(reader: JournalReader, answers: Cassette) -> dict[str, Any]:
    entries = list(reader.read(kinds=(Decision.kind,)))
    found = [_one(reader, answers, entry.id) for entry in entries]
    changed = [
        {"decision": each["decision"], "difference": each["difference"]}
        for each in found
        if not each["identical"]
    ]
    return {
        "decisions": len(found),
        "identical": not changed,
        "same": len(found) - len(changed),
        "changed": changed,
        "proposals": sum(each["proposals"] for each in found),
        "questions": sum(each["questions"] for each in found),
    }


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    if "decisions" in facts:
        yield f"{facts['same']} of {facts['decisions']} decisions are identical, byte for byte"
        for each in facts["changed"]:
            yield f"CHANGED {each['decision']}: {each['difference']}"
        return
    where = f"decision {facts['decision']} on {facts['symbol']} at {facts['at'][:16]} by {facts['model']}"
    if not facts["identical"]:
        yield f"CHANGED {where}: {facts['difference']}"
        return
    asked = "no model was asked" if facts["unasked"] else f"{facts['questions']} questions to the model"
    yield f"identical, byte for byte: {where}; {asked}, {facts['proposals']} proposals"


def _prompt_lines(facts: dict[str, Any]) -> Iterator[str]:
    yield f"decision {facts['decision']}, {facts['model']}: {len(facts['prompts'])} questions"
    for number, each in enumerate(facts["prompts"], 1):
        kind = "exact" if each["exact"] else "NOT THE RECORDED ONE"
        content = each["content"]
        yield ""
        if content is None:
            yield f"== {number}: not known any more: neither made again nor in the cassette"
            continue
        yield f"== {number}: {content['task']}, {kind}, {each['fingerprint'][:16]}, {each['outcome']}"
        for message in content["messages"]:
            yield f"-- {message['role']}"
            yield message["content"]
            for call in message["tool_calls"]:
                yield f"{call['name']}({call['arguments']})"
        if content["tools"]:
            yield f"-- tools: {', '.join(tool['name'] for tool in content['tools'])}"
        schema = json.dumps(content["answer_schema"], ensure_ascii=False)
        yield f"-- answer: {content['schema_name']} {schema}"
        yield (
            f"-- max_tokens {content['max_tokens']}, temperature {content['temperature']}, "
            f"seed {content['seed']}"
        )
        answer = each["answer"]
        if answer is not None:
            yield f"-- answered by {each['model']}"
            if answer["reasoning"]:
                yield f"(thought) {answer['reasoning']}"
            if answer["text"]:
                yield answer["text"]
            for call in answer["tool_calls"]:
                yield f"{call['name']}({call['arguments']})"


def _answer(reply: ModelReply | None) -> dict[str, Any] | None:
    """What a model said, thoughts included; None where the cassette does not hold it."""
    if reply is None:
        return None
    calls = [{"name": call.name, "arguments": call.arguments} for call in reply.tool_calls]
    return {"text": reply.text, "reasoning": reply.reasoning, "tool_calls": calls}


def _broken(target: str) -> str:
    found = verify(target)
    if found.ok:
        return ""
    return f"the journal is broken at entry {found.first_bad}: {found.reason}; its decisions prove nothing"


@contextmanager
def _opened(
    target: str, cassette: Path | None, config: Path | None
) -> Iterator[tuple[JournalReader, Cassette]]:
    """The journal, and the cassette that belongs to it."""
    if cassette is None:
        folder = user_folder() if is_postgres(target) else Path(target).parent
        cassette = cassette_file(load_settings(config).llm, folder)
    answers = Cassette(absolute(cassette))
    with JournalReader.open(target) as reader:
        try:
            yield reader, answers
        finally:
            answers.close()


def _target(journal: str, config: Path | None) -> str:
    if journal:
        return journal if is_postgres(journal) else str(absolute(Path(journal)))
    quiet_vnpy()
    from vnpy_aiagent.wiring import journal_target

    return journal_target(user_settings(config))
