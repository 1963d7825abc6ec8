"""Work that is bounded in time, whatever it waits for."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


def within(seconds: float, work: Callable[[], Result], name: str) -> Result:
    """What `work` gives, or raises, in a thread of that name; TimeoutError after `seconds`.

    Work that is late is left to end by itself, and nobody hears its answer.
    """
    answers: SimpleQueue[tuple[list[Result], Exception | None]] = SimpleQueue()

    def run() -> None:
        try:
            answers.put(([work()], None))
        except Exception as error:  # noqa: BLE001 - raised again just below, in the caller's thread
            answers.put(([], error))

    Thread(target=run, name=name, daemon=True).start()
    try:
        found, error = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"no answer in {seconds:g} s") from None
    if error is not None:
        raise error
    return found[0]
