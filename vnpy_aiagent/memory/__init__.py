"""What was learned, and how it is found again."""

from vnpy_aiagent.memory.lessons import LessonBook, LessonDraft

__all__ = ["LessonBook", "LessonDraft"]
