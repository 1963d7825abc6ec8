"""Builds the stand-in for XTP's two libraries from our source and the vendor's headers.

    python tests/xtp_standin/build.py OUT [--sdist FILE]

The headers come from the source package of vnpy_xtp, as those of CTP do (tests/ctp_standin/build.py).
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.ctp_standin.build import BuildError, Package, compile_library, download, extract_headers

PACKAGE = Package("vnpy_xtp", "2.2.32.2.3", "vnpy_xtp/api/include/xtp/", "xtp_trader_api.h")
SOURCES = Path(__file__).resolve().parent
STANDIN = "libxtp_standin.so"
LIBRARIES = ("libxtptraderapi.so", "libxtpquoteapi.so")
REQUEST = re.compile(r"virtual\s+([\w\s*]+?[\s*])(\w+)\s*\(([^)]*)\)\s*=\s*0\s*;")


def build(out: Path, sdist: Path | None = None) -> Path:
    """Compile the libraries into `out`; `out`. Raises BuildError as that of CTP does."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="xtp-headers-") as name:
        include = Path(name)
        extract_headers(PACKAGE, sdist or download(PACKAGE, include), include)
        _write_defaults(include, "xtp_trader_api.h", "XTP::API::TraderApi", "trader", "TraderDefaults")
        _write_defaults(include, "xtp_quote_api.h", "XTP::API::QuoteApi", "quote", "QuoteDefaults")
        compile_library(SOURCES / "broker.cpp", out / STANDIN, include)
        for library in LIBRARIES:  # the names that the gateway's modules look for
            link = (f"-L{out}", "-Wl,--no-as-needed", "-lxtp_standin", "-Wl,-rpath,$ORIGIN")
            compile_library(SOURCES / "empty.cpp", out / library, include, *link)
    return out


def _write_defaults(include: Path, header: str, base: str, stem: str, name: str) -> None:
    """A class that answers every request with an outcry, so that our source names only what it answers."""
    text = (include / header).read_text(encoding="utf-8-sig")
    lines = [
        "#pragma once",
        "#include <cstdio>",
        f'#include "{header}"',
        "using namespace XTP::API;",
        f"class {name} : public {base} {{",
        "public:",
        *_failing_requests(text),
        "};",
    ]
    (include / f"{stem}_defaults.hpp").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _failing_requests(text: str) -> Iterator[str]:
    code = re.sub(r"//.*", "", text)
    for kind, request, arguments in REQUEST.findall(code):
        outcry = f'std::fprintf(stderr, "xtp stand-in: {request} is not answered\\n");'
        answer = "" if kind.strip() == "void" else " return {};"
        plain = re.sub(r"\s*=\s*[^,)]+", "", arguments)
        yield f"{kind} {request}({plain}) override {{ {outcry}{answer} }}"


def main() -> int:
    """Build from the command line; the exit status."""
    parser = argparse.ArgumentParser(description="Build the stand-in for XTP's libraries")
    parser.add_argument("out", type=Path, help="folder for the libraries")
    parser.add_argument("--sdist", type=Path, help="source package of vnpy_xtp; downloaded when not given")
    arguments = parser.parse_args()
    try:
        print(build(arguments.out.resolve(), arguments.sdist))
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
