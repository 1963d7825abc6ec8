"""A model that answers from a script: no network, no key.

model = FakeModel([ModelReply(text="hold"), ModelTimeout("too slow"), lambda request: ModelReply(...)])
"""

from collections.abc import Callable, Sequence
from threading import Lock

from vnpy_aiagent.llm.port import ModelReply, ModelRequest

Scripted = ModelReply | Exception | Callable[[ModelRequest], ModelReply]


class FakeModel:
    """Gives its replies in order and keeps the requests; a `ModelPort`.

    An exception is raised, a callable is asked. More requests than replies are an AssertionError, which no
    handler of model errors takes for a failing model.
    """

    def __init__(self, replies: Sequence[Scripted], *, name: str = "fake", is_llm: bool = False) -> None:
        self._replies = tuple(replies)
        self._name = name
        self._is_llm = is_llm
        self._lock = Lock()
        self.requests: list[ModelRequest] = []
        self.closed = False

    @property
    def name(self) -> str:
        """The given name."""
        return self._name

    @property
    def is_llm(self) -> bool:
        """As given; False unless a test wants to pass for a language model."""
        return self._is_llm

    @property
    def left(self) -> int:
        """Replies not given yet."""
        return len(self._replies) - len(self.requests)

    def complete(self, request: ModelRequest) -> ModelReply:
        """The next reply of the script."""
        with self._lock:
            place = len(self.requests)
            if place >= len(self._replies):
                raise AssertionError(
                    f"the fake model has {len(self._replies)} replies and was asked once more, "
                    f"for task {request.task!r}; add a reply to the script"
                )
            self.requests.append(request)
        reply = self._replies[place]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, ModelReply) else reply(request)

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True
