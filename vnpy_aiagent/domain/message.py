"""The base of every message, and the factory of message ids."""

from threading import Lock
from typing import Any, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict

MESSAGE_TYPES: dict[str, type["Message"]] = {}


class Message(BaseModel):
    """An immutable fact that passes between agents and into the journal.

    `id` is run and counter: unique, ordered, reproducible. `at` is market time. `cause` is the id of the
    message that led to this one; following it gives the chain back to a tick or schedule. `account` is an
    account's name, empty where the message concerns all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    id: str
    at: AwareDatetime
    cause: str | None = None
    account: str = ""

    kind: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Enter the class into the register by its name."""
        super().__init_subclass__(**kwargs)
        cls.kind = cls.__name__
        MESSAGE_TYPES[cls.__name__] = cls


def parse_message(kind: str, body: str) -> Message:
    """Message from its kind and JSON body; KeyError for an unknown kind, ValidationError for a bad body."""
    return MESSAGE_TYPES[kind].model_validate_json(body)


class IdFactory:
    """Ids of one run, in order. Thread-safe."""

    def __init__(self, run: str, start: int = 0) -> None:
        """`run` must be unique in a journal; `start` is the last number already used."""
        self.run = run
        self._count = start
        self._lock = Lock()

    def next(self) -> str:
        """The next id, for example r1-0000042."""
        with self._lock:
            self._count += 1
            return f"{self.run}-{self._count:07d}"
