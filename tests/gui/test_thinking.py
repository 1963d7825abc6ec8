"""The line that shows what a model says at this moment."""

from typing import Any

from vnpy.event import Event

from vnpy_aiagent.base import EVENT_AI_THINKING
from vnpy_aiagent.domain import Thinking
from vnpy_aiagent.ui.thinking import MAX_LINES, ThinkingLines
from vnpy_aiagent.ui.words import Words


def shown(lines: ThinkingLines) -> list[str]:
    return [label.text() for label in (*lines.lines, lines.more) if label.text()]


def test_each_decision_has_one_line_with_its_newest_words_until_it_is_made(qapp: Any) -> None:
    lines = ThinkingLines(Words("zh"))
    assert lines.isHidden()
    lines.take(Thinking("r1", "600519.SSE", "technical_analyst", "均线"))
    lines.take(Thinking("r1", "600519.SSE", "judge", "均线向上"))
    lines.take(Thinking("r2", "000001.SZSE", "quarantine_reader", "公告"))
    assert not lines.isHidden()
    assert shown(lines) == ["正在思考：600519.SSE 裁判 …均线向上", "正在思考：000001.SZSE 消息阅读员 …公告"]
    lines.take(Thinking("r1", "600519.SSE"))
    assert shown(lines) == ["正在思考：000001.SZSE 消息阅读员 …公告"]
    lines.take(Thinking("r2", "000001.SZSE"))
    assert lines.isHidden()


def test_more_decisions_than_lines_are_counted(qapp: Any) -> None:
    lines = ThinkingLines(Words("en"))
    for number in range(MAX_LINES + 3):
        lines.take(Thinking(f"r{number}", "600519.SSE", "judge", "words"))
    assert shown(lines)[-1] == "3 more decisions under way"
    lines.clear()
    assert lines.isHidden()


def test_markup_in_a_models_words_is_shown_as_it_stands(qapp: Any) -> None:
    lines = ThinkingLines(Words("zh"))
    lines.take(Thinking("r1", "600519.SSE", "judge", "<b>{symbol}</b>"))
    assert shown(lines) == ["正在思考：600519.SSE 裁判 …<b>{symbol}</b>"]
    assert lines.lines[0].textFormat().name == "PlainText"


def test_the_window_shows_what_comes_by_event_and_forgets_it_with_the_decision(
    run: Any, engine: Any, make_window: Any
) -> None:
    window = make_window(engine, journal=str(run.journal))
    feed = window.feed
    feed._take(Event(EVENT_AI_THINKING, Thinking("r1", "600519.SSE", "judge", "看多")))
    window._take_events(feed.drain())
    assert shown(window.overview.thinking) == ["正在思考：600519.SSE 裁判 …看多"]
    feed._take(Event(EVENT_AI_THINKING, Thinking("r1", "600519.SSE")))
    window._take_events(feed.drain())
    assert shown(window.overview.thinking) == []
