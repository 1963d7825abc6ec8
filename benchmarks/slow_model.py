"""A stand-in for a model's server, in a process of its own: every answer takes the same time."""

import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PLAN = {
    "stance": "NEUTRAL",
    "action": "HOLD",
    "confidence": 0.7,
    "argument": {"text": "wait", "evidence": ["e1"]},
}
FINDING = {"stance": "BULLISH", "strength": 0.9, "confidence": 0.8, "text": "rising", "evidence": ["e1"]}
PIECES = 10


@contextmanager
def slow_model(seconds: float) -> Iterator[str]:
    """Serve until the block ends; gives the base_url. Analysts find a rise, speakers hold."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, seconds), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send(None)
        process.join(10)


def _serve(connection: Any, seconds: float) -> None:
    from vnpy_aiagent.testing.model_server import Fault, ModelServer, Stream, streamed, text_reply

    def answer(body: dict[str, Any]) -> Any:
        reply = text_reply(json.dumps(_content(body)))
        if not body.get("stream"):
            return Fault(delay=seconds, reply=reply)
        whole = b"".join(streamed(reply, size=10**6).pieces)
        size = len(whole) // PIECES + 1
        return Stream(tuple(whole[at : at + size] for at in range(0, len(whole), size)), seconds / PIECES)

    with ModelServer(answer) as server:
        connection.send(server.base_url)
        connection.recv()


def _content(body: dict[str, Any]) -> dict[str, Any]:
    """By the schema that is asked for; the symbol of a plan is the one that the question names."""
    schema = json.dumps(body.get("response_format", {}))
    if '"target_weight"' not in schema:
        return FINDING
    question = str(body["messages"][-1]["content"])
    place = question.find(".SSE")
    return PLAN | {"symbol": question[place - 6 : place + 4]}
