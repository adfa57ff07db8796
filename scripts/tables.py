"""`python -m scripts.tables`: write what README.md and the pages about dialects show of other files.

These are the programs of `examples`, and counts and times that `python -m tests.dialects.features`, `scripts/compat`,
`scripts/wall`, `python -m tests.dialects.classes`, `python -m tests.dialects.drawn`, `python -m tests.corpora` and
`python -m benchmarks.side_by_side` leave in files, each with `--write`.
In a page each such part stands between `<!-- from NAME -->` and `<!-- end -->`.
"""

import csv
import json
import re
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from antiphon.cli.new_project import IS_RELEASED
from antiphon.testing import Client
from scripts import docs_source
from scripts.side_by_side import figures, side_by_side
from tests.corpora import known
from tests.corpora.__main__ import LIBRARIES as READERS
from tests.dialects import drawn
from tests.dialects.applications import ALL, ANSWERS_COMPARED, APPLICATIONS

ROOT = Path(__file__).parents[1]
TESTED = ROOT / "tests/dialects/tested.csv"
COMPAT = ROOT / "tests/dialects/compat.csv"
WALL = ROOT / "tests/dialects/wall.csv"
CLASSES = ROOT / "tests/dialects/classes/counts.csv"
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


def classes() -> str:
    """Return the table of how the classes of dialects differ."""
    head = ["original", "classes:", "members:", "observations:", "that differ:", "differences"]
    by_library: dict[str, list[dict[str, str]]] = {}
    for row in rows(CLASSES):
        by_library.setdefault(row["library"], []).append(row)
    names = {each.dialect: each.name.partition(" ")[0] for each in LIBRARIES}
    lines = []
    for library, found in by_library.items():
        most_first = sorted(found, key=lambda row: -int(row["times"]))
        counts = [found[0][column] for column in ("classes", "members", "operations", "differ")]
        lines.append([names[library], *counts, ", ".join(f"{row['times']} {row['reason']}" for row in most_first)])
    return table(head, lines)


def wall() -> str:
    """Return the table of the applications whose tests run on a dialect."""
    head = ["pass with the dialect:", "with the original:", "application", "original", "tests", "`scripts/wall`"]
    return table(head, [_application(row) for row in rows(WALL)])


def drawn_results() -> str:
    """Return the table of what came of the projects that were drawn at random."""
    found = drawn.read()
    results = sorted({each.result for each in found}, key=lambda result: (result not in drawn.COUNTED, result))
    lines = [
        [
            result or "not run yet",
            *(str(sum(each[2:4] == (stratum, result) for each in found)) for stratum in drawn.STRATA),
        ]
        for result in results
    ]
    return table(["result", "most downloaded:", "others:"], lines)


def drawn_share() -> str:
    """Return the share of the projects drawn at random whose tests passed alike when they were drawn."""
    tested = [each for each in drawn.read() if each.first in drawn.COUNTED]
    alike = sum(each.first == drawn.ALIKE for each in tested)
    share, low, high = drawn.wilson(alike, len(tested))
    page = "docs/reference/wall.md#drawn-at-random"
    return (
        f"Of {len(tested)} projects [drawn at random]({page}), {alike} passed the same tests on the\n"
        f"dialect on the first run: {share:.0f}% (95% interval: {low:.0f} to {high:.0f})."
    )


def _application(row: Mapping[str, str]) -> list[str]:
    known = {each.project.name: each for each in APPLICATIONS}[row["distribution"]]
    names = {each.dialect: each.name.partition(" ")[0] for each in LIBRARIES}
    original = f"[{names[row['dialect']]} {row['original'].rpartition(' ')[2]}](dialects/{row['dialect']}.md)"
    run = int(row["of"]) + int(row["failed_with_original"])
    return [
        f"{row['passed']} / {row['of']}",
        f"{row['of']} of {run}",
        f"{known.name} {row['version']}",
        original,
        known.tests,
        f"`{row['distribution']}`",
    ]


def groups() -> dict[str, dict[str, Mapping[str, str]]]:
    """Return the applications by what of them ran, each with the row of the dialect on which most of it did."""
    found: dict[str, dict[str, Mapping[str, str]]] = {words: {} for words in GROUPS.values()}
    applications = {each.project.name: each for each in APPLICATIONS}
    for row in rows(WALL):
        group = found[GROUPS.get(applications[row["distribution"]].tests, GROUPS[PARTS_OF_SUITES])]
        name = row["distribution"]
        group[name] = max(group.get(name, row), row, key=lambda each: int(each["of"]))
    return found


PARTS_OF_SUITES = "of its"
GROUPS = {
    ALL: "Their own tests, all of them",
    PARTS_OF_SUITES: "Parts of their own tests",
    ANSWERS_COMPARED: "None of their own tests: requests that we wrote, whose responses were compared",
}
"""What ran of an application, in three groups: by the words of ``Application.tests``, or any other for the second."""


def wall_cards() -> str:
    """Return the applications of the wall as cards, in three groups."""
    applications = {each.project.name: each for each in APPLICATIONS}
    parts: list[str] = []
    for words, found in groups().items():
        lines = [
            f"- **{_of(row)}**<br>{applications[name].name} {row['version']}<br>{applications[name].description}"
            for name, row in found.items()
        ]
        parts += [f"**{words}**", "", '<div class="wall" markdown>', "", *lines, "", "</div>", ""]
    return "\n".join(parts).strip()


def _of(row: Mapping[str, str]) -> str:
    return f"{int(row['passed']):,}&nbsp;of&nbsp;{int(row['of']):,}"


def projects() -> str:
    """Return how many tests of other projects pass on the dialects of Flask and Pyramid."""
    return f"Other projects' tests that pass: {_passed('flask')}, on Flask's; {_passed('pyramid')}, on Pyramid's."


Measured = dict[str, dict[str, tuple[float, float | None]]]
"""For each case, the time of each framework in microseconds, and how many times Antiphon's it is."""


def benchmark(part: str, interface: str) -> Measured:
    """Return the figures of one part of benchmarks/README.md whose tables begin with these words."""
    text = (
        (ROOT / "benchmarks/README.md").read_text().partition(f"<!-- from {part} -->")[2].partition("<!-- end -->")[0]
    )
    found: Measured = {}
    for block in text.split("\n\n"):
        lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.strip().split("\n")]
        if lines[0][0] == interface:
            for name, *cells in lines[2:]:
                for case, cell in zip(lines[0][1:], cells, strict=True):
                    if number := re.match(r"([\d,.]+)(?: \(([\d.]+)\))?", cell):
                        ratio = float(number[2]) if number[2] else None
                        found.setdefault(case, {})[name.lower()] = (float(number[1].replace(",", "")), ratio)
    return found


IN_PROCESS = "benchmarks, with the C extension"
FORM = "a form with a picture"
FRAMEWORK_NAMES = {"blacksheep": "BlackSheep", "fastapi": "FastAPI"}


def speed() -> str:
    """Return the README's line on speed, with a framework that is faster."""
    hello = benchmark(IN_PROCESS, "ASGI")["hello"]
    others = ", ".join(
        f"{FRAMEWORK_NAMES.get(name, name.capitalize())} {hello[name][0]:.1f}"
        for name in ("blacksheep", "falcon", "starlette")
    )
    times = figures()["frameworks"]
    form = {name: f"{times[f'{name} asgi'][FORM]:.0f}" for name in ("antiphon", "starlette", "fastapi")}
    return (
        f'Over ASGI, in one process, a "hello" takes {hello["antiphon"][0]:.1f} µs ({others}), and a form with a'
        f" picture {form['antiphon']} µs\n(Starlette {form['starlette']}, FastAPI {form['fastapi']})."
    )


def slower() -> str:
    """Return the table of the cases in which another framework takes less time than Antiphon."""
    places = (
        ("in one process, WSGI", benchmark(IN_PROCESS, "WSGI")),
        ("in one process, ASGI", benchmark(IN_PROCESS, "ASGI")),
        ("behind Granian", benchmark("everyday", "µs of CPU time")),
    )
    lines = [
        [where, case, FRAMEWORK_NAMES.get(name, name.capitalize()), f"{ratio:.2f}"]
        for where, cases in places
        for case, found in cases.items()
        for name, (_, ratio) in found.items()
        if ratio is not None and ratio < 1 and name != "bare"
    ]
    return table(["where", "case", "framework", "its time, in Antiphon's:"], lines)


def _lines(path: Path) -> int:
    return sum(1 for line in path.read_text().splitlines() if line.strip())


def dialects() -> str:
    """Return the table of what runs of each library that the README names."""
    counts = {row["dialect"]: [f"{row[name]} of {row['of']}" for name in ("tested", "served")] for row in rows(TESTED)}
    head = [
        "written for",
        "features that we list, tested:",
        "and seen by a client:",
        "other projects' tests that pass:",
    ]
    lines = [
        [f"[{each.name}](docs/{each.page})", *counts.get(each.dialect, ["", ""]), _passed(each.dialect)]
        for each in LIBRARIES[:4]
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
        count = _lines(FRAMEWORKS / f"{file}_app.py")
        interface = key.partition(" ")[2].upper()
        lines.append([name, interface, str(count), *(f"{measured[key][case]:.0f} µs" for case in asked)])
    return table(["", "over", "lines:", *(f"{case}:" for case in asked)], lines)


def versions() -> str:
    """Return when the frameworks were measured, and which."""
    measured = figures()
    known = measured["versions"]
    names = ", ".join(f"{name} {known[name.lower()]}" for name in ("Flask", "Starlette", "FastAPI"))
    return f"Measured on {measured['when']} with {measured['python']}, {names}: the time of one request in one process."


def installing(what: str) -> str:
    """Return how to install Antiphon with other packages: by its name, or until it is released from its source."""
    packages = [f"'{each}'" if "[" in each else each for each in what.split()]
    if IS_RELEASED:
        return f"```console\npip install {' '.join(packages)}\n```"
    local = re.sub(r"(?<!\S)('?)antiphon", r"\1../antiphon", " ".join(packages))
    told = "Antiphon is not on the package index yet: install it from a copy of its source. With that copy in an"
    return f"{told}\n`antiphon` folder next to yours:\n\n```console\npip install {local}\n```"


def status() -> str:
    """Return what a visitor has to know first."""
    index = "" if IS_RELEASED else ", not on the package index yet"
    return (
        f"> **Status: alpha**{index}, with no known users in production. Below 1.0, a minor version may change names\n"
        "> and behaviour. Python 3.11 to 3.14, on Linux and macOS; no Windows (use WSL). MIT licence."
    )


def first_version() -> str:
    """Return what the README says of this version."""
    number = ".".join(docs_source.version().split(".")[:2])
    return f"{number} is the newest version." if IS_RELEASED else f"{number}.0 will be the first version."


FIRST = """\
from dataclasses import dataclass
from antiphon import App, Request

app = App()


@app.get("/")
def hello(request: Request):
    return "Hello!\\n"


@dataclass
class Lamp:
    name: str
    price: int


@app.post("/lamps")
def add(request: Request):
    return request.json_as(Lamp), 201
"""
RIGHT, WRONG = {"name": "Desk", "price": 40}, {"name": "Desk", "price": "cheap"}


def first_program() -> str:
    """Return a short application, three requests, and all of each response, as the application sends it."""
    module = ModuleType("lamps")
    exec(compile(FIRST, "lamps.py", "exec"), module.__dict__)
    client = Client(module.app)
    problem = client.post("/lamps", json=WRONG).json | {"request_id": "234c86d270b22176e801dfa5f9e0048c"}
    told = f"$ curl localhost:8000\n{client.get('/').text}"
    told += f"$ curl localhost:8000/lamps --json '{json.dumps(RIGHT)}'\n{client.post('/lamps', json=RIGHT).text}\n"
    lines = ("$ curl -s localhost:8000/lamps", f"--json '{json.dumps(WRONG)}'", "| python3 -m json.tool --indent 2")
    command = " \\\n    ".join(lines)
    return (
        f'```python title="lamps.py"\n{FIRST}```\n\n```console\n{told}{command}\n{json.dumps(problem, indent=2)}\n```'
    )


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


INSTALLED = ("antiphon", "antiphon[templates,languages]", "antiphon[templates,languages] argon2-cffi pytest")
"""What pages tell to install, from the index or the source."""
PARTS: Mapping[str, Callable[[], str]] = {
    "the first program": first_program,
    "the status": status,
    "the version": first_version,
    "examples/dialects": side_by_side,
    "the frameworks' times": lambda: f"{frameworks()}\n\n{versions()}",
    "the dialects' counts": dialects,
    "classes": classes,
    "drawn.csv": drawn_results,
    "drawn.csv, share": drawn_share,
    "wall.csv": wall,
    "wall.csv, cards": wall_cards,
    "compat.csv, in a word": projects,
    "the benchmarks, in a line": speed,
    "the benchmarks, others ahead": slower,
    "the corpora's counts": corpora,
    **{f"pip install {what}": partial(installing, what) for what in INSTALLED},
    **{f"compat.csv, {name}": partial(compat, name) for name in ("werkzeug", "flask", "webob", "pyramid", "microdot")},
}
PAGES = [
    ROOT / name
    for name in (
        "README.md",
        "docs/index.md",
        *(f"docs/reference/{page}.md" for page in ("dialects", "compatibility", "wall", "extras")),
        "docs/maintainers/corpora.md",
        "docs/tutorial/1-one-file.md",
        "docs/explanation/compared.md",
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
