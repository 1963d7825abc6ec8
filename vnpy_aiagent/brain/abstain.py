"""Why a decision holds although nobody decided to: one sentence for people by the kind of failure."""

from vnpy_aiagent.domain import Text, clean, say
from vnpy_aiagent.errors import (
    BudgetSpent,
    CassetteMiss,
    ModelCancelled,
    ModelNonsense,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
    RequestExpired,
)

MAX_REASON = 600
SENTENCES: tuple[tuple[type[Exception], Text], ...] = (
    (RequestExpired, say("请求等过了时限，没有询问模型，保持不动（{detail}）")),
    (CassetteMiss, say("没有录下这次模型问答，保持不动（{detail}）")),
    (ModelCancelled, say("决策途中 AI 被暂停或停止，不再等模型，保持不动（{detail}）")),
    (ModelUnavailable, say("模型没有应答，保持不动（{detail}）")),
    (ModelTimeout, say("模型没有在时限内回答，保持不动（{detail}）")),
    (ModelRefused, say("模型服务器拒绝了请求，保持不动（{detail}）")),
    (ModelNonsense, say("模型的回答不能用，保持不动（{detail}）")),
    (BudgetSpent, say("模型预算不够，保持不动（{detail}）")),
    (Exception, say("决策出错，保持不动（{detail}）")),
)


def reason(error: Exception) -> str:
    """The failure as a decision's trace keeps it: its kind and its own text, cleaned and cut."""
    return clean(f"{type(error).__name__}: {error}", MAX_REASON)


def abstention(error: Exception) -> Text:
    """The sentence for people."""
    kind, sentence = next(each for each in SENTENCES if isinstance(error, each[0]))
    detail = reason(error) if kind is Exception else clean(str(error), MAX_REASON)
    return Text(template=sentence.template, figures={"detail": detail})
