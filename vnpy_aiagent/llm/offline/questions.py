"""The conservative's five questions and their answers, each with a figure from the evidence."""

from typing import Any

from vnpy_aiagent.llm.offline.speech import HISTORY, Speech, percent, shown

OVERBOUGHT = 75.0


def questions(speech: Speech) -> list[dict[str, Any]]:
    """Five questions, each with a figure from the evidence."""
    indicators, quote, market = (speech.data(tool) for tool in ("get_indicators", "get_quote", "get_market"))
    learnings = speech.data("get_learnings").get("learnings", [])
    same = [lesson for lesson in learnings if lesson["setup"] == speech.request["setup"]]
    wins, losses = sum(lesson["wins"] for lesson in same), sum(lesson["losses"] for lesson in same)
    asked = [
        (
            "若跌破 20 日低点 {low}，原假设还成立吗？",
            {"low": shown(indicators.get("low20"))},
            "get_indicators",
        ),
        ("RSI 已到 {rsi}，是否追高？", {"rsi": shown(indicators.get("rsi14"), 1)}, "get_indicators"),
        ("市场宽度 {breadth}，大盘配合吗？", {"breadth": percent(market.get("breadth"))}, "get_market"),
        _past(wins, losses),
        (
            "现价 {last}，若明日低开，T+1 当日无法卖出，能承受吗？",
            {"last": shown(quote.get("last"))},
            "get_quote",
        ),
    ]
    return [
        {"text": text, "figures": figures, "evidence": speech.cite(tool)} for text, figures, tool in asked
    ]


def _past(wins: int, losses: int) -> tuple[str, dict[str, str], str]:
    """What became of the setup before, or that nobody knows."""
    if not wins + losses:
        return "同形态还没有历史胜负可查，凭什么这次会成？", {}, "get_learnings"
    text = "同形态历史 {wins} 胜 {losses} 负，凭什么这次不同？"
    return text, {"wins": str(wins), "losses": str(losses)}, "get_learnings"


def replies(speech: Speech) -> list[dict[str, Any]]:
    """Answers to the questions that were put to this speaker, by their place among the five."""
    asked = [
        question["question"]
        for turn in speech.debate
        for question in turn.get("questions", ())
        if question["to"] == "you"
    ]
    answers = (_support, _overbought, _breadth, _record, _locked)
    return [
        answers[(int(name.rpartition(".")[2]) - 1) % len(answers)](speech) | {"question": name}
        for name in asked
    ]


def _support(speech: Speech) -> dict[str, Any]:
    low = shown(speech.data("get_indicators").get("low20"))
    return _said("止损先于 20 日低点 {low} 考虑，跌破止损即离场", {"low": low}, speech.cite("get_indicators"))


def _overbought(speech: Speech) -> dict[str, Any]:
    rsi = speech.data("get_indicators").get("rsi14")
    hot = rsi is not None and rsi > OVERBOUGHT
    text = "RSI {rsi}，高于超买线 {line}，已从得分中扣除" if hot else "RSI {rsi}，未过超买线 {line}"
    return _said(text, {"rsi": shown(rsi, 1), "line": f"{OVERBOUGHT:g}"}, speech.cite("get_indicators"))


def _breadth(speech: Speech) -> dict[str, Any]:
    market = speech.data("get_market")
    figures = {"breadth": percent(market.get("breadth")), "regime": market.get("regime", "—")}
    return _said("市场 {regime}，宽度 {breadth}，已计入把握", figures, speech.cite("get_market"))


def _record(speech: Speech) -> dict[str, Any]:
    history = speech.data(HISTORY)
    if "hit_rate" not in history:
        return _said("没有足够的历史样本可以反驳，只按小仓位对待", {}, speech.cite(HISTORY))
    figures = {
        "samples": str(history["samples"]),
        "rate": percent(history["hit_rate"]),
        "mean": percent(history["mean_return"]),
    }
    text = "相似情形 {samples} 次，胜率 {rate}，平均收益 {mean}"
    return _said(text, figures, speech.cite(HISTORY))


def _locked(speech: Speech) -> dict[str, Any]:
    cap = percent((speech.account or {}).get("max_weight"))
    return _said("单票仓位不超过 {cap}，隔夜低开的损失以此为限", {"cap": cap}, speech.cite("get_quote"))


def _said(text: str, figures: dict[str, str], cited: list[str]) -> dict[str, Any]:
    return {"text": text, "figures": figures, "evidence": cited}
