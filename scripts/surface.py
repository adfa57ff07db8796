"""What a version promises by name: `python -m scripts.surface` writes tests/surface.txt, which a release does.

These are names to import and their members, parameters with defaults, options, variables, exit codes, metrics, fields
of log lines, and problem types. Until the next release, a test asks for a line of the changelog for each difference.
"""

import inspect
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from antiphon.explanations.naming import OtherWord
from scripts.release import PROJECT, ROOT
from tests.helpers.public_members import members, public_functions, public_objects

SURFACE = ROOT / "tests/surface.txt"
PAGES = ("reference/command.md", "reference/problems.md", "how-to/metrics.md")
"""The pages whose tables have names in their first columns. Other tests compare them with the code."""


def main() -> None:
    """Write the file."""
    SURFACE.write_text("".join(f"{line}\n" for line in (PROJECT["version"], *surface())))


def surface() -> list[str]:
    """Return a line for each name."""
    return sorted({*_named_in_code(), *_named_in_pages()})


def unexplained(before: list[str], now: list[str], changes: str) -> list[str]:
    """Return the names that differ, without those that a text about changes has."""
    names = {re.split(r"[. ]", line.partition("(")[0])[-1] for line in {*before} ^ {*now}}
    return sorted(name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", changes))


def _named_in_code() -> Iterator[str]:
    functions = {name: f"{name}({', '.join(_parameters(each))})" for name, each in public_functions().items()}
    yield from functions.values()
    for name, value in public_objects().items():
        own = members(value) if isinstance(value, type) else {}
        names = [f"{name}.{member}" for member, each in own.items() if not isinstance(each, OtherWord)]
        yield from {name, *names} - {*functions}


def _parameters(function: Callable[..., Any]) -> Iterator[str]:
    for each in inspect.signature(function).parameters.values():
        default = re.sub(" at 0x[0-9a-f]+", "", repr(each.default))
        yield f"{each.kind.description[:1]}:{each.name}" + ("" if each.default is each.empty else f"={default}")


def _named_in_pages() -> Iterator[str]:
    for page in PAGES:
        for row in re.findall(r"^\| (.*?) \|(?: (.*?) \|)?", (ROOT / "docs" / page).read_text(), re.MULTILINE):
            cells = " ".join(row if page.endswith("command.md") else row[:1])
            yield from (f"{page} {name}" for name in re.findall(r"(?<=`)[^`|, ]+(?=`)|^\d\b", cells))
    example = re.search(r"^```json\n(.*)\n", (ROOT / "docs/how-to/logs.md").read_text(), re.MULTILINE)
    yield from (f"how-to/logs.md {name}" for name in json.loads(example[1] if example else "{}"))


if __name__ == "__main__":
    main()
