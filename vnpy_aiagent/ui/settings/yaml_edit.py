"""Changes a YAML text key by key, so that everything else in it stays as its owner wrote it, comments too."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

COMMENT = re.compile(r"(^|\s)#")


@dataclass(frozen=True, slots=True)
class Edited:
    """The new text, and whether comments inside changed parts were lost."""

    text: str
    comments_lost: bool


def edited(text: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Edited | None:
    """The text with the values of `new` in place of `old`, which it holds; None where that cannot be done.

    Only mappings in block style are taken apart; whoever calls it reads the result again to be sure.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    patches: list[tuple[int, int, str]] = []
    _compare(text, root, old, new, patches)
    lost = False
    for start, end, replacement in sorted(patches, reverse=True):
        lost = lost or bool(COMMENT.search(text[start:end]))
        text = text[:start] + replacement + text[end:]
    return Edited(text, lost)


def _compare(
    text: str,
    node: yaml.MappingNode,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    patches: list[tuple[int, int, str]],
) -> None:
    """Patches (start, end, replacement) for what differs in one mapping."""
    indent = node.start_mark.column
    for key_node, value_node in node.value:
        key = key_node.value
        start, end = key_node.start_mark.index, _end(value_node)
        if key not in new:
            line = text.rfind("\n", 0, start) + 1
            after = text.find("\n", end)
            patches.append((line, len(text) if after < 0 else after + 1, ""))
        elif new[key] != old.get(key):
            block = isinstance(value_node, yaml.MappingNode) and not value_node.flow_style
            if block and isinstance(new[key], dict) and new[key] and isinstance(old.get(key), dict):
                _compare(text, value_node, old[key], new[key], patches)
            else:
                patches.append((start, end, _dumped(key, new[key], indent).lstrip(" ")))
    added = [key for key in new if key not in old]
    if added:
        place = _end(node)
        line_end = text.find("\n", place)  # behind a comment that ends the line
        place = len(text) if line_end < 0 else line_end
        patches.append((place, place, "".join("\n" + _dumped(key, new[key], indent) for key in added)))


def _end(node: yaml.Node) -> int:
    """Where a value really ends: a block's own mark lies behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _dumped(key: str, value: Any, indent: int) -> str:
    """`key: value` as YAML, every line indented, without the last line's end."""
    lines = yaml.safe_dump({key: value}, allow_unicode=True, sort_keys=False, width=100).rstrip("\n")
    return "\n".join(" " * indent + line for line in lines.split("\n"))
