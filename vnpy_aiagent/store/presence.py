"""Whether the file of an open SQLite journal is still the one that was opened.

SQLite goes on writing into a file that was deleted or replaced, and nobody would ever find what it wrote.
"""

import os
from pathlib import Path

from vnpy_aiagent.errors import JournalLost


class FilePresence:
    """Remembers which file lay at a path, and how long it was."""

    def __init__(self, path: str | Path) -> None:
        """Look at the file, which must exist."""
        self._path = path
        found = os.stat(path)
        self._identity = (found.st_dev, found.st_ino)
        self._size = found.st_size

    def check(self) -> None:
        """Raise JournalLost where another file or none lies there, or the file became shorter.

        A file system that numbers no files (`st_ino` 0) tells existence and length alone. The writer never
        shortens its file.
        """
        try:
            found = os.stat(self._path)
        except OSError as error:
            raise self._lost(error.strerror or "it cannot be found") from error
        if self._identity[1] and found.st_ino and (found.st_dev, found.st_ino) != self._identity:
            raise self._lost("another file lies there")
        if found.st_size < self._size:
            raise self._lost("it was cut short")
        self._size = found.st_size

    def _lost(self, what: str) -> JournalLost:
        return JournalLost(
            f"the journal {self._path} was taken away while it was being written ({what}); "
            "put the file back and resume, or restart to begin a new journal"
        )
