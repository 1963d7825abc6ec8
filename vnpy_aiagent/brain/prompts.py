"""Prompts are files: one a role and language, under prompt_files/, with the rules of its kind appended.

Analysts name no prices, so their rules are shorter than those of who plans.
"""

from functools import cache
from hashlib import sha256
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


@cache
def prompt_version(language: str) -> str:
    """Twelve hexadecimal digits that stand for the wording of all prompt files of a language, zh or en."""
    folder = files("vnpy_aiagent.brain") / "prompt_files" / language
    total = sha256()
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".md"):
            text = "\n".join(file.read_text(encoding="utf-8").splitlines())
            total.update(f"{file.name}\n{text}\n".encode())
    return total.hexdigest()[:12]
