"""Runs the commands that the documents promise.

A fenced block in README*.md or docs/*.md that follows the line `<!-- ci: run -->` is run: a `bash` block as
it stands, of a `console` block the lines that begin with `$ `. The blocks of one document run in order in one
empty folder that is also their home. Run it with the environment under test first on PATH; exit 1 where a
command fails, where a mark has no block, or where no document has a mark.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = "<!-- ci: run -->"
BLOCK = re.compile(r"\s*\n```(?P<kind>bash|console)\n(?P<body>.*?)\n```", re.DOTALL)
TIMEOUT = 900


class DocumentError(Exception):
    """A mark is followed by nothing that can be run."""


@dataclass(frozen=True)
class Block:
    """One runnable block and the line of its mark."""

    line: int
    script: str


def blocks_of(text: str) -> Iterator[Block]:
    """Every marked block of a document, in order."""
    start = text.find(MARK)
    while start >= 0:
        line = text.count("\n", 0, start) + 1
        found = BLOCK.match(text, start + len(MARK))
        if found is None:
            raise DocumentError(f"line {line}: the mark is not followed by a ```bash or ```console block")
        yield Block(line, script_of(found["kind"], found["body"], line))
        start = text.find(MARK, found.end())


def script_of(kind: str, body: str, line: int) -> str:
    """What bash is given for a block."""
    if kind == "bash":
        return body
    commands = [row[2:] for row in body.splitlines() if row.startswith("$ ")]
    if not commands:
        raise DocumentError(f'line {line}: the console block has no line that begins with "$ "')
    return "\n".join(commands)


def run_document(path: Path) -> int:
    """Run one document's blocks; how many there were."""
    blocks = list(blocks_of(path.read_text(encoding="utf-8")))
    if not blocks:
        return 0
    with tempfile.TemporaryDirectory(prefix="aiagent-docs-", ignore_cleanup_errors=True) as folder:
        environment = {**os.environ, "HOME": folder}
        for block in blocks:
            print(f"{path.relative_to(ROOT)}:{block.line}\n{block.script}", flush=True)
            begun = time.monotonic()
            subprocess.run(  # noqa: S603 (the project's own documents)
                ["bash", "-euo", "pipefail", "-c", block.script],  # noqa: S607
                cwd=folder,
                env=environment,
                timeout=TIMEOUT,
                check=True,
            )
            print(f"  {time.monotonic() - begun:.1f} s", flush=True)
    return len(blocks)


def main() -> int:
    """Run all documents; the exit status."""
    documents = [*sorted(ROOT.glob("README*.md")), *sorted(ROOT.glob("docs/*.md"))]
    count = 0
    for path in documents:
        try:
            count += run_document(path)
        except DocumentError as error:
            print(f"{path.relative_to(ROOT)}, {error}", file=sys.stderr)
            return 1
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            print(f"{path.relative_to(ROOT)}: a documented command failed: {error}", file=sys.stderr)
            return 1
    if not count:
        print(f"no document has a block marked {MARK}: mark the commands of README.md", file=sys.stderr)
        return 1
    print(f"{count} documented blocks ran")
    return 0


if __name__ == "__main__":
    sys.exit(main())
