"""Errors as one sentence that people understand: what is wrong, what to do next."""

from collections.abc import Callable

from vnpy_aiagent.errors import (
    AiAgentError,
    BudgetSpent,
    CalendarError,
    ConfigError,
    DataError,
    JournalCorrupt,
    JournalError,
    JournalLocked,
    KeyStoreError,
    ModelNonsense,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
    UnknownSymbol,
)

SENTENCES: tuple[tuple[type[Exception], str], ...] = (
    (ModelRefused, "服务器拒绝了请求，请核对密钥、模型名和地址（{detail}）"),
    (ModelTimeout, "服务器没有在时限内回答，请检查网络或稍后再试（{detail}）"),
    (ModelUnavailable, "连不上模型服务器，请检查地址和网络（{detail}）"),
    (ModelNonsense, "服务器的回答不是模型接口的格式，请检查地址是否以 /v1 结尾（{detail}）"),
    (BudgetSpent, "预算已用完，请在设置里提高或等到明天（{detail}）"),
    (UnknownSymbol, "代码不明，请写成 600519.SSE 或 000001.SZSE（{detail}）"),
    (DataError, "数据有问题，请检查数据文件或重新导入（{detail}）"),
    (JournalLocked, "另一个进程正在使用同一份日志，请先关闭它再启动（{detail}）"),
    (JournalCorrupt, "日志的哈希链断裂，请用 aiagent journal verify 检查（{detail}）"),
    (JournalError, "日志无法读写，请检查磁盘空间和权限（{detail}）"),
    (CalendarError, "交易日历不够用，请在设置里补充官方休市日（{detail}）"),
    (KeyStoreError, "密钥存不了或读不了，请按括号里的提示处理（{detail}）"),
    (ConfigError, "设置有误，请打开“设置”改正后再启动（{detail}）"),
    (AiAgentError, "没有成功，请按括号里的提示处理（{detail}）"),
    (OSError, "文件无法读写，请检查路径、权限和磁盘空间（{detail}）"),
)
UNEXPECTED = "程序出错，请把日志交给开发者（{detail}）"
REFUSED = "没有执行，请按括号里的提示改正后再试（{detail}）"


def explain(error: Exception, words: Callable[..., str]) -> str:
    """The sentence for an error, with its own text as detail. `words` translates a template."""
    detail = str(error) or type(error).__name__
    for kind, sentence in SENTENCES:
        if isinstance(error, kind):
            return words(sentence, detail=detail)
    return words(UNEXPECTED, detail=f"{type(error).__name__}: {detail}")


def explain_refusal(error: Exception, words: Callable[..., str]) -> str:
    """The sentence for a command that the engine refused: a wrong argument is no wrong setting."""
    return words(REFUSED, detail=str(error)) if type(error) is ConfigError else explain(error, words)
