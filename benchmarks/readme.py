"""Puts what a command has measured into README.md, between `<!-- from NAME -->` and `<!-- end -->`."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

TITLES = {"blacksheep": "BlackSheep"}
FILE = Path(__file__).with_name("README.md")


def write(name: str, text: str, file: Path = FILE) -> None:
    """Raises LookupError if the page has no place of this name."""
    place = re.compile(rf"(<!-- from {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    page, count = place.subn(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", file.read_text())
    if not count:
        raise LookupError(f"{file} has no place for {name}")
    file.write_text(page)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown; a column whose head ends with a colon is aligned to the right."""
    marks = ["---:" if name.endswith(":") else "---" for name in head]
    lines = [[name.rstrip(":") for name in head], marks, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def title(framework: str) -> str:
    return TITLES.get(framework, framework.title())
