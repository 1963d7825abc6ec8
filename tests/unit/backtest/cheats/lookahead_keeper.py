"""What kept_elsewhere remembers."""

from typing import Any

COPY: dict[Any, float] = {}
