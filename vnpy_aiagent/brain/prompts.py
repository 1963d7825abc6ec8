"""Prompts are files: one a role and language, under prompt_files/, with the rules of its kind appended.

Analysts name no prices, so their rules are shorter than those of who plans.
"""

from functools import cache
from importlib.resources import files


@cache
def system_prompt(role: str, language: str) -> str:
    """The system prompt of a role in zh or en. FileNotFoundError for a role without a file."""
    folder = files("vnpy_aiagent.brain") / "prompt_files" / language
    role_text = (folder / f"{role}.md").read_text(encoding="utf-8")
    rules_name = "analyst_rules.md" if role.endswith("_analyst") else "rules.md"
    rules = (folder / rules_name).read_text(encoding="utf-8")
    return f"{role_text.strip()}\n\n{rules.strip()}\n"


@cache
def bare_prompt(role: str, language: str) -> str:
    """A role's file alone, for a role that has no tools and names no prices."""
    folder = files("vnpy_aiagent.brain") / "prompt_files" / language
    return (folder / f"{role}.md").read_text(encoding="utf-8")
