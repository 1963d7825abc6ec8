"""Builds the stand-in for CTP's two libraries from our sources and the vendor's headers.

    python tests/ctp_standin/build.py OUT [--sdist FILE]

The headers come from the source package of vnpy_ctp: FILE, or what `pip download` brings. They stay in a
temporary folder: nothing of the vendor's is kept. Linux with g++ only.
"""

import argparse
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple


class Package(NamedTuple):
    """A source package with the vendor's headers: its folder of them, and one by which they are known."""

    name: str
    version: str
    headers: str
    known_by: str


PACKAGE = Package("vnpy_ctp", "6.7.11.4", "vnpy_ctp/api/include/ctp/", "ThostFtdcTraderApi.h")
SOURCES = Path(__file__).resolve().parent
# Text in the libraries is GB18030, as the vendor's is. -rpath: the pair finds the exchange beside it.
FLAGS = ("-std=c++17", "-O1", "-shared", "-fPIC", "-Wall", "-Wextra", "-Wno-unused-parameter")
CHARSETS = ("-finput-charset=UTF-8", "-fexec-charset=GB18030")
EXCHANGE = "libctp_standin.so"
TRADER, MARKET_DATA = "libthosttraderapi_se.so", "libthostmduserapi_se.so"
REQUEST = re.compile(r"virtual\s+int\s+(\w+)\s*\(([^)]*)\)\s*=\s*0\s*;")
ANSWERED_BY_US = "Join"


class BuildError(Exception):
    """The stand-in could not be built; the sentence says why and what to do."""


def build(out: Path, sdist: Path | None = None) -> Path:
    """Compile the libraries into `out`; `out`.

    Raises BuildError where the source package or a compiler is missing or fails.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ctp-headers-") as name:
        include = Path(name)
        extract_headers(PACKAGE, sdist or download(PACKAGE, include), include)
        _write_defaults(include, "ThostFtdcTraderApi.h", "CThostFtdcTraderApi", "trader", "TraderDefaults")
        _write_defaults(include, "ThostFtdcMdApi.h", "CThostFtdcMdApi", "market_data", "MarketDataDefaults")
        compile_library(SOURCES / "exchange.cpp", out / EXCHANGE, include, charsets=CHARSETS)
        for source, library in (("trader.cpp", TRADER), ("market_data.cpp", MARKET_DATA)):
            link = (f"-L{out}", "-lctp_standin", "-Wl,-rpath,$ORIGIN")
            compile_library(SOURCES / source, out / library, include, *link, charsets=CHARSETS)
    return out


def download(package: Package, folder: Path) -> Path:
    """The source package through pip. BuildError where it does not come."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", package.name]
    # Its build description asks the `python3` on PATH for pybind11: that has to be this interpreter.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    arguments = ["--dest", str(folder), f"{package.name}=={package.version}"]
    _run([*command, *arguments], f"the source package of {package.name}", {**os.environ, "PATH": path})
    return next(folder.glob(f"{package.name}-*.tar.gz"))


def extract_headers(package: Package, sdist: Path, include: Path) -> None:
    """Put the vendor's headers into a folder. BuildError where the package has none."""
    with tarfile.open(sdist) as archive:
        for member in archive.getmembers():
            _, _, path = member.name.partition("/")
            wanted = path.startswith(package.headers) and member.isfile()
            content = archive.extractfile(member) if wanted else None
            if content is not None:
                (include / Path(path).name).write_bytes(content.read())
    if not (include / package.known_by).exists():
        known = f"{package.name} {package.version}"
        raise BuildError(f"{sdist.name} has no {package.headers}; use the source package of {known}")


def _write_defaults(include: Path, header: str, base: str, stem: str, name: str) -> None:
    """A class that fails every request aloud, so that our sources name only what they answer."""
    lines = [
        "#pragma once",
        f'#include "{header}"',
        '#include "answers.hpp"',
        f"class {name} : public {base} {{",
        "public:",
        *_failing_requests((include / header).read_text(encoding="utf-8")),
        "};",
    ]
    (include / f"{stem}_defaults.hpp").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _failing_requests(text: str) -> Iterator[str]:
    for request, arguments in REQUEST.findall(text):
        if request != ANSWERED_BY_US:
            yield f'int {request}({arguments}) override {{ return standin::unsupported("{request}"); }}'


def compile_library(
    source: Path, library: Path, include: Path, *link: str, charsets: tuple[str, ...] = ()
) -> None:
    """Compile one source into a shared library. BuildError with the compiler's words where it fails."""
    # The vendor's headers are system headers to the compiler: its warnings are about our sources alone.
    folders = ("-isystem", str(include), "-I", str(source.parent))
    command = ["g++", *FLAGS, *charsets, *folders, str(source), "-o", str(library), *link]
    _run(command, f"{source.name} of the {source.parent.name}")


def _run(command: list[str], what: str, environment: Mapping[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", check=False, env=environment
        )
    except FileNotFoundError as error:
        raise BuildError(
            f"{command[0]} is needed for {what}; install it (Debian: apt-get install g++)"
        ) from error
    if done.returncode:
        raise BuildError(f"{what} failed: {done.stderr[-2000:]}")


def main() -> int:
    """Build from the command line; the exit status."""
    parser = argparse.ArgumentParser(description="Build the stand-in for CTP's libraries")
    parser.add_argument("out", type=Path, help="folder for the libraries")
    parser.add_argument("--sdist", type=Path, help="source package of vnpy_ctp; downloaded when not given")
    arguments = parser.parse_args()
    try:
        print(build(arguments.out.resolve(), arguments.sdist))
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
