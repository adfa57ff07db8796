"""`python -m scripts.tables`: write what README.md and the pages about dialects show of other files.

These are the programs of `examples`, and counts and times that `make features`, `make compat`, `make wall`,
`make corpora` and `python -m benchmarks.side_by_side`, each with `--write`, leave in files. In a page each such part
stands between `<!-- from NAME -->` and `<!-- end -->`.
"""

import csv
import re
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from scripts.lint_answers import KNOWN
from scripts.side_by_side import figures, side_by_side
from tests.corpora import known
from tests.corpora.__main__ import CORPORA
from tests.corpora.__main__ import LIBRARIES as READERS
from tests.dialects.applications import APPLICATIONS

ROOT = Path(__file__).parents[1]
TESTED = ROOT / "tests/dialects/tested.csv"
COMPAT = ROOT / "tests/dialects/compat.csv"
WALL = ROOT / "tests/dialects/wall.csv"
FRAMEWORKS = ROOT / "examples/frameworks"
PART = re.compile(r"(<!-- from ([^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)


class Library(NamedTuple):
    """A library that has a dialect."""

    dialect: str
    name: str
    page: str
    """Where the dialect is described, below docs."""


LIBRARIES = (
    Library("flask", "Flask 3", "how-to/from-flask.md"),
    Library("werkzeug", "Werkzeug 3, and names of 0.8 to 2", "reference/dialects/werkzeug.md"),
    Library("pyramid", "Pyramid 2", "how-to/from-pyramid.md"),
    Library("webob", "WebOb 1.8", "reference/dialects/webob.md"),
    Library("microdot", "Microdot 2", "how-to/from-microdot.md"),
    Library("kay", "Kay", "how-to/from-kay.md"),
    Library("asok", "Asok 0.8", "how-to/from-asok.md"),
)


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table in a file."""
    with path.open(newline="") as file:
        return [*csv.DictReader(file)]


def table(head: list[str], lines: list[list[str]]) -> str:
    """Return a table as Markdown; a column whose head ends with a colon is aligned to the right."""
    marks = ["---:" if name.endswith(":") else "---" for name in head]
    return "\n".join(f"| {' | '.join(line)} |" for line in [[name.rstrip(":") for name in head], marks, *lines])


def compat(dialect: str) -> str:
    """Return the table of the projects whose tests run on a dialect."""
    found = [row for row in rows(COMPAT) if row["dialect"] == dialect]
    lines = [[row["project"], row["version"], f"{row['passed']} / {row['of']}"] for row in found]
    return table(["project", "version", "passed / passed with the original:"], lines)


def wall() -> str:
    """Return the table of the applications whose tests run on a dialect."""
    head = [
        "application",
        "what it is",
        "original",
        "tests",
        "pass with the original:",
        "of these with the dialect:",
        "again",
    ]
    return table(head, [_application(row) for row in rows(WALL)])


def _application(row: Mapping[str, str]) -> list[str]:
    known = {each.project.name: each for each in APPLICATIONS}[row["distribution"]]
    names = {each.dialect: each.name.partition(" ")[0] for each in LIBRARIES}
    original = f"[{names[row['dialect']]} {row['original'].rpartition(' ')[2]}](dialects/{row['dialect']}.md)"
    run = int(row["of"]) + int(row["failed_with_original"])
    return [
        f"{known.name} {row['version']}",
        known.description,
        original,
        known.tests,
        f"{row['of']} of {run}",
        f"{row['passed']} / {row['of']}",
        f"`make wall {row['distribution']}`",
    ]


def applications_named() -> str:
    """Return the applications of the wall in one line."""
    applications = {each.project.name: each.name for each in APPLICATIONS}
    names = dict.fromkeys(applications[row["distribution"]] for row in rows(WALL))
    return f"Applications whose own tests run on it: {', '.join(names)}."


def wall_cards() -> str:
    """Return the applications of the wall, each once, with the dialect on which most of its tests ran."""
    applications = {each.project.name: each for each in APPLICATIONS}
    most: dict[str, Mapping[str, str]] = {}
    for row in rows(WALL):
        most[row["distribution"]] = max(most.get(row["distribution"], row), row, key=lambda each: int(each["of"]))
    lines = [
        f"- **{applications[name].name}** {_of(row)}<br>{applications[name].description}" for name, row in most.items()
    ]
    return "\n".join(['<div class="wall" markdown>', "", *lines, "", "</div>"])


def _of(row: Mapping[str, str]) -> str:
    return f"{int(row['passed']):,}&nbsp;of&nbsp;{int(row['of']):,}"


def three_figures() -> str:
    """Return the front page's figures, each with the command that makes it again."""
    times = figures()["frameworks"]
    case = "a form with a picture"
    ours, theirs = (f"{times[name][case]:.0f} µs" for name in ("antiphon wsgi", "flask wsgi"))
    tests = [row for row in rows(COMPAT) if row["dialect"] == "flask"]
    passed, of = (sum(int(row[name]) for row in tests) for name in ("passed", "of"))
    fields = known.counts()["counts"]["structured fields, parsed"]
    told = {
        ours: (f"for {case}, handled in one process; Flask takes {theirs}", "python -m benchmarks.side_by_side"),
        f"{passed:,} of {of:,}": (
            f"tests of {len(tests)} projects made for Flask pass with Antiphon in its place",
            "make compat",
        ),
        f"{fields['Antiphon']:,} of {fields['cases']:,}": (
            "examples of structured fields are read as their authors say",
            "make corpora",
        ),
    }
    lines = [f"- **{figure}**<br>{words}<br>`{command}`" for figure, (words, command) in told.items()]
    return "\n".join(['<div class="figures" markdown>', "", *lines, "", "</div>"])


def dialects() -> str:
    """Return the table of what runs of each library."""
    counts = {row["dialect"]: [f"{row[name]} of {row['of']}" for name in ("tested", "served")] for row in rows(TESTED)}
    head = ["written for", "documented features with a test:", "seen by a client:", "other projects' tests that pass:"]
    lines = [
        [f"[{each.name}](docs/{each.page})", *counts.get(each.dialect, ["", ""]), _passed(each.dialect)]
        for each in LIBRARIES
    ]
    return table(head, lines)


def _passed(dialect: str) -> str:
    found = [row for row in rows(COMPAT) if row["dialect"] == dialect]
    if not found:
        return ""
    passed, of = (sum(int(row[name]) for row in found) for name in ("passed", "of"))
    return f"{passed:,} of {of:,}, in {len(found)} project{'s' if len(found) > 1 else ''}"


SERVED = {
    "Antiphon": ("antiphon", "antiphon wsgi"),
    "Flask": ("flask", "flask wsgi"),
    "Antiphon, `async def`": ("antiphon", "antiphon asgi"),
    "Starlette": ("starlette", "starlette asgi"),
    "FastAPI": ("fastapi", "fastapi asgi"),
}
"""Each measured application of the README: its file, and its name in the figures."""


def frameworks() -> str:
    """Return the table of the README's application, written with several frameworks."""
    measured = figures()["frameworks"]
    asked = [*measured["antiphon wsgi"]]
    lines = []
    for name, (file, key) in SERVED.items():
        text = (FRAMEWORKS / f"{file}_app.py").read_text()
        count = sum(1 for line in text.splitlines() if line.strip())
        interface = key.partition(" ")[2].upper()
        lines.append([name, interface, str(count), *(f"{measured[key][case]:.0f} µs" for case in asked)])
    return table(["", "over", "lines:", *(f"{case}:" for case in asked)], lines)


def versions() -> str:
    """Return when the frameworks were measured, and which."""
    measured = figures()
    known = measured["versions"]
    names = ", ".join(f"{name} {known[name.lower()]}" for name in ("Flask", "Starlette", "FastAPI"))
    return f"Measured on {measured['when']} with {measured['python']}, {names}: the time of one request in one process."


def app() -> str:
    """Return the README's application."""
    return f"```python\n{(FRAMEWORKS / 'antiphon_app.py').read_text().rstrip()}\n```"


def corpora() -> str:
    """Return the table of how libraries stand on the corpora, and when they were run."""
    measured = known.counts()
    lines = [
        [name, *(f"{counts[each]:,}" if each in counts else "" for each in ("cases", *READERS))]
        for name, counts in measured["counts"].items()
    ]
    head = ["examples", "of them:", *(f"{name}:" for name in READERS)]
    versions = ", ".join(f"{name} {version}" for name, version in measured["versions"].items())
    return f"{table(head, lines)}\n\nRun on {measured['when']} with {versions}."


def corpora_sources() -> str:
    """Return the table of where the corpora come from."""
    lines = [
        [each.name, f"[{each.source.repository}](https://github.com/{each.source.repository})", each.source.licence]
        for each in CORPORA
    ]
    return table(["corpus", "from", "licence"], lines)


def corpora_differences() -> str:
    """Return the tables of the cases that Antiphon reads otherwise, with the reasons."""
    parts = []
    for corpus in CORPORA:
        found = [row for row in known.differences() if row["corpus"] == corpus.name]
        lines = [
            [*(_code(row[name]) for name in ("case", "right", "found")), known.REASONS[row["reason"]]] for row in found
        ]
        if lines:
            parts.append(f"### {corpus.name}\n\n{table(['case', 'its authors', 'Antiphon', 'why'], lines)}")
    return "\n\n".join(parts)


def lint_notes() -> str:
    """Return the table of the lint's notes that are no faults."""
    return table(["note", "why"], [[f"`{name}`", reason] for name, reason in KNOWN.items()])


def _code(text: str) -> str:
    """Return text as code in a cell of a table."""
    quotes = "``" if "`" in text else "`"
    inner = f" {text} " if "`" in text else text
    return f"{quotes}{inner}{quotes}".replace("|", "\\|") if text else "nothing"


PARTS: Mapping[str, Callable[[], str]] = {
    "examples/frameworks/antiphon_app.py": app,
    "examples/dialects": side_by_side,
    "the frameworks' times": lambda: f"{frameworks()}\n\n{versions()}",
    "the dialects' counts": dialects,
    "wall.csv": wall,
    "wall.csv, names": applications_named,
    "wall.csv, cards": wall_cards,
    "three figures": three_figures,
    "the corpora's counts": corpora,
    "the corpora's sources": corpora_sources,
    "the corpora's differences": corpora_differences,
    "the lint's notes": lint_notes,
    **{f"compat.csv, {name}": partial(compat, name) for name in ("werkzeug", "flask", "webob", "pyramid", "microdot")},
}
PAGES = [
    ROOT / name
    for name in (
        "README.md",
        "docs/index.md",
        *(f"docs/reference/{page}.md" for page in ("dialects", "compatibility", "wall", "corpora")),
    )
]


def written(text: str) -> str:
    """Return a page with its parts as they would be written now. Raises KeyError for one that is not known."""
    return PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n\n{found[3]}", text)


def main() -> int:
    """Write the pages."""
    for page in PAGES:
        page.write_text(written(page.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
