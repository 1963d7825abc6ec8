"""Compiles the .po catalogues beside this file into .mo files that gettext reads. No dependency.

python -m vnpy_aiagent.locale.build            write every .mo
python -m vnpy_aiagent.locale.build --check    exit 1 where a .mo is not in step with its .po
"""

import ast
import struct
import sys
from pathlib import Path

MAGIC = 0x950412DE
HERE = Path(__file__).parent


def read_po(text: str) -> dict[str, str]:
    """Messages of a catalogue; ValueError for bad syntax, a key that is there twice or untranslated."""
    messages: dict[str, str] = {}
    key, value, in_key = "", "", False
    started = False
    for number, raw in enumerate([*text.splitlines(), 'msgid ""'], 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("msgid "):
            if started:
                _add(messages, key, value, number)
            key, value, in_key, started = _string(line[6:], number), "", True, True
        elif line.startswith("msgstr "):
            value, in_key = _string(line[7:], number), False
        elif in_key:
            key += _string(line, number)
        else:
            value += _string(line, number)
    return messages


def compile_mo(messages: dict[str, str]) -> bytes:
    """The binary catalogue (GNU gettext .mo, little-endian, without a hash table), keys sorted by bytes."""
    pairs = sorted((key.encode(), value.encode()) for key, value in messages.items())
    header, table = 28, 8 * len(pairs)
    start = header + 2 * table
    keys = b"".join(key + b"\0" for key, _ in pairs)
    values = b"".join(value + b"\0" for _, value in pairs)
    return b"".join(
        (
            struct.pack("<7I", MAGIC, 0, len(pairs), header, header + table, 0, 0),
            _table([key for key, _ in pairs], start),
            _table([value for _, value in pairs], start + len(keys)),
            keys,
            values,
        )
    )


def catalogues() -> list[Path]:
    """Every .po of the package."""
    return sorted(HERE.glob("*/LC_MESSAGES/*.po"))


def main(arguments: list[str]) -> int:
    """Compile, or check; 0 when all is in step."""
    stale = 0
    for source in catalogues():
        compiled = compile_mo(read_po(source.read_text(encoding="utf-8")))
        target = source.with_suffix(".mo")
        if "--check" not in arguments:
            target.write_bytes(compiled)
        elif not target.exists() or target.read_bytes() != compiled:
            print(f"{target.name} is not in step with {source.name}: run python -m vnpy_aiagent.locale.build")
            stale += 1
    return 1 if stale else 0


def _add(messages: dict[str, str], key: str, value: str, line: int) -> None:
    if key in messages:
        raise ValueError(f"the message before line {line} is there twice: {key!r}; remove one")
    if not value:
        raise ValueError(f"the message before line {line} has no translation: {key!r}; write its msgstr")
    messages[key] = value


def _string(quoted: str, line: int) -> str:
    try:
        value = ast.literal_eval(quoted.strip())
    except (SyntaxError, ValueError):
        raise ValueError(f"line {line} is not a quoted string: {quoted!r}; put it in double quotes") from None
    return str(value)


def _table(texts: list[bytes], start: int) -> bytes:
    """Length and place of each text."""
    rows = []
    for text in texts:
        rows.append(struct.pack("<2I", len(text), start))
        start += len(text) + 1
    return b"".join(rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
