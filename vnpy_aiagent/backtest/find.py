"""Finding a CTA strategy class by name: this app's, vnpy_ctastrategy's, and the user's own folder."""

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from vnpy_ctastrategy.template import CtaTemplate

from vnpy_aiagent.errors import ConfigError

Strategy = type[CtaTemplate]


def find_strategy(name: str, packages: tuple[str, ...], folder: Path | None = None) -> Strategy:
    """The class of that name; the user's folder wins over packages.

    A file of the folder is loaded only if it names the class, so a broken neighbour does no harm. ConfigError
    with what is known where there is no such class, or where its file cannot be loaded.
    """
    if folder is not None and folder.is_dir():
        for path in sorted(folder.glob("*.py")):
            found = _from_file(path, name)
            if found is not None:
                return found
    known: dict[str, Strategy] = {}
    for package in packages:
        known |= dict(_classes_below(package))
    if name not in known:
        raise ConfigError(f"there is no strategy {name!r}; known: {', '.join(sorted(known))}")
    return known[name]


def find_in_file(path: Path, name: str = "") -> Strategy:
    """The class of that name in a file, or its only one; ConfigError where there is none, or several."""
    if not path.is_file():
        raise ConfigError(f"there is no strategy file {path}; give the path of a Python file")
    module = _load(path)
    found = dict(_classes_of(module)) if module is not None else {}
    if name:
        found = {name: found[name]} if name in found else {}
    else:
        found = {n: c for n, c in found.items() if c.__module__ == f"strategies.{path.stem}"} or found
    if len(found) != 1:
        known = ", ".join(sorted(found)) or "none"
        raise ConfigError(
            f"{path} must hold one strategy {name}".rstrip() + f", it has {known}; name it FILE.py:Class"
        )
    return next(iter(found.values()))


def _from_file(path: Path, name: str) -> Strategy | None:
    try:
        source = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    if name not in source:
        return None
    module = _load(path)
    return None if module is None else dict(_classes_of(module)).get(name)


def _load(path: Path) -> ModuleType | None:
    """Run a file as a new module; ConfigError where it cannot be run."""
    spec = importlib.util.spec_from_file_location(f"strategies.{path.stem}", path)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001 - a user's file may fail in any way
        raise ConfigError(f"the strategy file {path} cannot be loaded: {error}") from None
    return module


def _classes_below(package: str) -> Iterator[tuple[str, Strategy]]:
    root = importlib.import_module(package)
    yield from _classes_of(root)
    for info in pkgutil.iter_modules(root.__path__):
        yield from _classes_of(importlib.import_module(f"{package}.{info.name}"))


def _classes_of(module: ModuleType) -> Iterator[tuple[str, Strategy]]:
    for name, value in vars(module).items():
        is_strategy = inspect.isclass(value) and issubclass(value, CtaTemplate)
        if is_strategy and not inspect.isabstract(value):
            yield name, value
