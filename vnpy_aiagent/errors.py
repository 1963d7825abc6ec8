"""Every exception that this package raises on purpose.

    AiAgentError
    ├── ConfigError            a setting is wrong; the text says which and what is allowed
    ├── KeyStoreError          an API key cannot be stored or read; no text names the key
    ├── DataError              market data is missing or broken
    │   ├── BadRow             one row of a file is impossible (file and line named)
    │   └── UnknownSymbol      a symbol is unknown, or ambiguous between exchanges
    ├── CalendarError          a date lies outside the known trading calendar
    ├── RuleUnknown            no exchange rule is known for this instrument and date
    ├── JournalError           the journal cannot be read or written
    │   ├── JournalLocked      another process holds the writer's lease
    │   ├── JournalLost        its file was deleted, replaced or cut short while it was open
    │   └── JournalCorrupt     the hash chain is broken
    ├── ModelError             a model did not give a usable answer; the decision holds
    │   ├── ModelUnavailable   no connection, server error, or the brain process died
    │   ├── ModelTimeout       no answer in time
    │   ├── ModelRefused       the key, model name or request was refused
    │   ├── RequestExpired     a request waited past its deadline, no model was asked
    │   ├── CassetteMiss       the recorded model answers do not hold this question, or cannot be read
    │   └── ModelNonsense      an answer that is not what was asked for
    │       └── NoModelApi     what answers at that address is no OpenAI-compatible server
    ├── BudgetSpent            calls, tokens, money or time of a decision or day are used up
    │   └── QuotaSpent         the calls of one part of a decision are used up
    └── ToolError              a tool cannot answer; the text tells the model what to do

Texts are one sentence, name the thing that is wrong, and say what to do next.
"""


class AiAgentError(Exception):
    """Base of the tree."""


class ConfigError(AiAgentError):
    """A setting is wrong."""


class KeyStoreError(AiAgentError):
    """An API key cannot be stored or read."""


class DataError(AiAgentError):
    """Market data is missing or broken."""


class BadRow(DataError):
    """One row of a file is impossible."""


class UnknownSymbol(DataError):
    """A symbol is unknown or ambiguous."""


class CalendarError(AiAgentError):
    """A date lies outside the known trading calendar."""


class RuleUnknown(AiAgentError):
    """No exchange rule is known for this instrument and date."""


class JournalError(AiAgentError):
    """The journal cannot be read or written."""


class JournalLocked(JournalError):
    """Another process holds the writer's lease."""


class JournalLost(JournalError):
    """The journal's file was deleted, replaced or cut short while it was open."""


class JournalCorrupt(JournalError):
    """The hash chain is broken."""


class ModelError(AiAgentError):
    """A model did not give a usable answer. `status` is the HTTP status where a server refused with one.

    `usage` is what the failed calls used (domain TokenUsage), None where nobody counted.
    """

    status: int | None = None
    usage: object = None


class ModelUnavailable(ModelError):
    """No connection, a server error, or the brain process died."""


class ModelTimeout(ModelError):
    """No answer in time."""


class ModelRefused(ModelError):
    """The key, the model's name or the request was refused."""


class RequestExpired(ModelError):
    """A request waited past its deadline."""


class ModelCancelled(ModelError):
    """The decision was ended while its model was asked: a halt, a pause, a flatten."""


class CassetteMiss(ModelError):
    """The recorded model answers do not hold this question, or cannot be read."""


class ModelNonsense(ModelError):
    """An answer that is not what was asked for."""


class NoModelApi(ModelNonsense):
    """What answers is no OpenAI-compatible server."""


class BudgetSpent(AiAgentError):
    """Calls, tokens, money or time are used up. `usage` as that of ModelError."""

    usage: object = None


class QuotaSpent(BudgetSpent):
    """The calls of one part of a decision are used up."""


class ToolError(AiAgentError):
    """A tool cannot answer."""
