"""The funnel of `aiagent why-not`, for machines and for people."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from vnpy_aiagent.domain import MARKET_TZ, ScanResult
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.i18n import Language, label, show, translator
from vnpy_aiagent.report import Funnel, RunRecord
from vnpy_aiagent.report.why_not import Why

LEFT_OUT = {
    "zh": {
        "short_history": "历史太短",
        "no_setup": "没有形态",
        "below_cap": "排名在每日上限之外",
        "analyses_per_day": "今日分析已达上限",
    },
    "en": {
        "short_history": "history too short",
        "no_setup": "no setup",
        "below_cap": "below the daily cap",
        "analyses_per_day": "the day's number of analyses was reached",
    },
}
STEPS = {
    "zh": ("扫描", "入选", "分析", "提案", "通过", "成交"),
    "en": ("scanned", "picked", "analysed", "proposed", "approved", "filled"),
}
PARTS = {
    "zh": ("扫描未选", "未询问模型", "模型失败而放弃", "没有用处的答复", "分析后不动", "风控拒绝", "未成交"),
    "en": (
        "left out by the scan",
        "model not asked",
        "abstained after a failure of the model",
        "answers of no use",
        "held after analysis",
        "refused by risk rules",
        "not filled",
    ),
}


def last_day(record: RunRecord) -> date:
    """The last day with a scan; DataError for a journal without one."""
    scans = record.of(ScanResult)
    if not scans:
        raise DataError("the journal holds no scan yet; nothing was considered")
    return scans[-1].at.astimezone(MARKET_TZ).date()


def funnel_facts(funnel: Funnel, language: Language) -> dict[str, Any]:
    """As one JSON object."""
    return {
        "day": funnel.day.isoformat() if funnel.day else None,
        "symbol": funnel.symbol,
        "scanned": funnel.scanned,
        "picked": funnel.picked,
        "analysed": funnel.analysed,
        "proposed": funnel.proposed,
        "approved": funnel.approved,
        "reduced": funnel.reduced,
        "filled": funnel.filled,
        "left_out": funnel.left_out,
        "unasked": [_fact(why, language) for why in funnel.unasked],
        "abstained": [_fact(why, language) for why in funnel.abstained],
        "failures": [_fact(why, language) for why in funnel.failures],
        "held": [_fact(why, language) for why in funnel.held],
        "rejected": [_fact(why, language) for why in funnel.refused],
        "unfilled": [_fact(why, language) for why in funnel.unfilled],
    }


def funnel_lines(funnel: Funnel, language: Language) -> Iterator[str]:
    """For people."""
    counts = (funnel.scanned, funnel.picked, funnel.analysed, funnel.proposed, funnel.approved, funnel.filled)
    yield f"{funnel.day or ''} {funnel.symbol or ''}".strip()
    yield " -> ".join(f"{name} {count}" for name, count in zip(STEPS[language], counts, strict=True))
    left_out, unasked, abstained, failures, held, refused, unfilled = PARTS[language]
    if funnel.left_out:
        yield f"{left_out}:"
        for name, count in funnel.left_out.items():
            yield f"  {count:>4}  {LEFT_OUT[language].get(name, name)}"
    yield from _part(unasked, funnel.unasked, language)
    yield from _part(abstained, funnel.abstained, language)
    yield from _part(failures, funnel.failures, language)
    yield from _part(held, funnel.held, language)
    yield from _part(refused, funnel.refused, language)
    yield from _part(unfilled, funnel.unfilled, language)


def _part(title: str, reasons: Iterable[Why], language: Language) -> Iterator[str]:
    reasons = list(reasons)
    if reasons:
        yield f"{title}:"
    translate = translator(language)
    for why in reasons:
        name = f"{label(why.name, translate)}: " if why.name else ""
        yield f"  {why.count:>4}  {name}{show(why.example, translate)}"


def _fact(why: Why, language: Language) -> dict[str, Any]:
    return {"rule": why.name, "count": why.count, "example": show(why.example, translator(language))}
