"""A wall of projects that are drawn at random: their own tests, with the original and then with its dialect.

    python -m tests.dialects.drawn --draw packages.tsv --seed 7   # draw names, in place of those of `drawn.csv`
    python -m tests.dialects.drawn --all --write                  # run all, and note the results
    python -m tests.dialects.drawn                                # run those whose tests pass with the original

The table of packages has the columns `name`, `version` and `rank` (among the most downloaded; empty for others). Of its
names that have an original's in them, half are drawn from the ranked ones. Names that a page of ours or `projects.py`
has are left out, and no other: what can't be run is counted by its reason. Each project has its own environment below
`.venv-wall`, or the folder `$DRAWN`. Exits with 1 if a project is not alike any more.
"""

import csv
import os
import re
import subprocess
import sys
import tarfile
import tomllib
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from contextlib import suppress
from math import sqrt
from pathlib import Path
from random import Random
from shutil import rmtree
from typing import NamedTuple

from antiphon.dialect_imports import normalized
from tests.dialects import compat
from tests.dialects.projects import PROJECTS, Project

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("drawn.csv")
FOLDER = Path(os.environ.get("DRAWN", ROOT / ".venv-wall"))
ORIGINALS = {"flask": "3.1.3", "werkzeug": "3.1.9", "pyramid": "2.1", "webob": "1.8.11", "microdot": "2.7.0"}
BUILDS = ("setuptools<81", "wheel", "hatchling", "flit-core", "poetry-core", "pdm-backend", "setuptools-scm")
TESTED_WITH = (
    "pytest<9", "webtest", "mock", "pytest-asyncio", "pytest-cov", "pytest-mock", "requests", "flask[async]",
    "flask-sqlalchemy", "flask-login", "blinker", "zope.component",
)  # fmt: skip
"""What is installed for the tests of every project, beside its own extras for tests."""
EXTRAS = ("test", "tests", "testing", "dev")
LISTED = re.compile(r"(.*[-_.])?(tests?|testing|dev)([-_.].*)?\.txt")
"""The names of files with requirements for tests; their folder may say it, too: `requirements/test.txt`."""
SECONDS = 180
PARALLEL = 4
"""Projects at once: most of the time of one is the registry's."""
COUNTED = ALIKE, DIFFERS = "alike", "differs"
STRATA = "downloaded", "tail"


class Drawn(NamedTuple):
    name: str
    version: str
    stratum: str
    """`downloaded`, or `tail`."""
    result: str = ""
    passed: str = ""
    of: str = ""
    first: str = ""
    """The result of the first run: what is mended after it is no longer drawn at random."""

    @property
    def original(self) -> str:
        return next(each for each in ORIGINALS if each in self.name)


def draw(table: Path, seed: int, count: int) -> list[Drawn]:
    """Draw names, half of them ranked, in random order."""
    known = {normalized(project.name) for project in PROJECTS} | {*ORIGINALS, *_named_on_pages()}
    with table.open(newline="") as file:
        rows = [*csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    strata: dict[str, list[Drawn]] = {stratum: [] for stratum in STRATA}
    for row in rows:
        name = normalized(row["name"])
        if any(each in name for each in ORIGINALS) and name not in known:
            stratum = "downloaded" if row["rank"] else "tail"
            strata[stratum].append(Drawn(name, row["version"], stratum))
    random = Random(seed)
    ranked = random.sample(sorted(strata["downloaded"]), min(count // 2, len(strata["downloaded"])))
    found = ranked + random.sample(sorted(strata["tail"]), count - len(ranked))
    random.shuffle(found)
    return found


def _named_on_pages() -> set[str]:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *Path(__file__).parent.rglob("*.csv")]
    return {
        normalized(word) for page in pages if page != TABLE for word in re.findall(r"[\w.-]+", page.read_text().lower())
    }


def run(drawn: Drawn) -> Drawn:
    """Run a project's tests with the original and the dialect."""
    folder = FOLDER / drawn.name
    folder.mkdir(parents=True, exist_ok=True)
    try:
        done = _run(drawn, folder)
        if done.result != DIFFERS:  # whose environment is needed to find out why
            rmtree(folder / "venv", ignore_errors=True)
        return done
    except subprocess.TimeoutExpired:
        return drawn._replace(result="takes too long")
    except (OSError, tarfile.TarError, ValueError):
        return drawn._replace(result="has no source that pip can prepare")


def _run(drawn: Drawn, folder: Path) -> Drawn:
    source = folder / "source"
    if not source.exists() and not _download(drawn, folder, source):
        return drawn._replace(result="has no source that pip can prepare")
    if not any(re.fullmatch(r"(test_.*|.*_tests?|tests?)\.py", path.name) for path in source.rglob("*.py")):
        return drawn._replace(result="has no tests in it")
    python = folder / "venv/bin/python"
    if not _install(drawn, folder, python):
        return drawn._replace(result="can't be installed with today's originals")
    _install_listed(folder, source, python)
    theirs = _tests(drawn, folder, python, compat.ORIGINAL)
    if not theirs.passed:
        return drawn._replace(result="no test passes with the original")
    missing = theirs.passed - _tests(drawn, folder, python, drawn.original).passed
    (folder / "missing.txt").write_text("\n".join(sorted(missing)))
    of = len(theirs.passed)
    return drawn._replace(result=DIFFERS if missing else ALIKE, passed=str(of - len(missing)), of=str(of))


def _uv(*arguments: str) -> bool:
    return not _call([str(Path(sys.executable).with_name("uv")), *arguments])


def _call(command: list[str], **options: object) -> int:
    return subprocess.run(command, check=False, capture_output=True, timeout=SECONDS, **options).returncode  # type: ignore[call-overload]


def _download(drawn: Drawn, folder: Path, source: Path) -> bool:
    pinned = f"{drawn.name}=={drawn.version}"
    pip = [str(FOLDER / "pip/bin/python"), "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation"]
    _call([*pip, f"--no-binary={drawn.name}", f"--dest={folder}", pinned])
    for packed in folder.glob("*.tar.gz"):
        with tarfile.open(packed) as archive:
            archive.extractall(folder / "packed", filter="data")
        (unpacked,) = (folder / "packed").iterdir()
        unpacked.rename(source)
        return True
    return False


def _install(drawn: Drawn, folder: Path, python: Path) -> bool:
    """Install a project beside today's originals, and Antiphon."""
    constraints = folder / "constraints.txt"
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in ORIGINALS.items()))
    own = (f"{drawn.name}[{','.join(EXTRAS)}]=={drawn.version}", os.environ.get("ANTIPHON", str(ROOT)))
    return _uv("venv", "--quiet", "--clear", f"--python={sys.executable}", str(folder / "venv")) and _uv(
        *_into(folder, python), *own, drawn.original, *TESTED_WITH, "setuptools<81"
    )


def _into(folder: Path, python: Path) -> list[str]:
    return ["pip", "install", "--quiet", f"--python={python}", f"--constraint={folder / 'constraints.txt'}"]


def _install_listed(folder: Path, source: Path, python: Path) -> None:
    """Install what a project lists for its tests elsewhere than in its extras, as far as that can be installed."""
    files = [path for path in source.rglob("*.txt") if LISTED.fullmatch(path.name) and _is_near(path, source)]
    for listed in [*(["-r", str(path)] for path in files), *([text] for text in listed_in(source))]:
        with suppress(subprocess.TimeoutExpired):
            _uv(*_into(folder, python), *listed)


def _is_near(path: Path, source: Path) -> bool:
    return path.parent == source or "requirements" in path.parent.name


def listed_in(source: Path) -> list[str]:
    """Return the requirements for tests in a project's `pyproject.toml` (PEP 735, Poetry, PDM) and `tox.ini`."""
    found: list[str] = []
    with suppress(OSError, ValueError):
        project = tomllib.loads((source / "pyproject.toml").read_text())
        tool = project.get("tool", {})
        poetry = tool.get("poetry", {})
        groups = {name: group.get("dependencies", {}) for name, group in poetry.get("group", {}).items()}
        for named in (groups, {"dev": poetry.get("dev-dependencies", {})}, project.get("dependency-groups", {}),
                      tool.get("pdm", {}).get("dev-dependencies", {})):  # fmt: skip
            found += [each for name in EXTRAS for each in named.get(name, ()) if isinstance(each, str)]
    tox = ConfigParser(interpolation=None)
    with suppress(OSError, ValueError, ConfigParserError):
        tox.read(source / "tox.ini")
        lines = tox.get("testenv", "deps", fallback="").splitlines()
        found += [line.strip() for line in lines if re.match(r"\s*[A-Za-z][\w.\[\]-]*\s*($|[<>=!~])", line)]
    return [each for each in dict.fromkeys(found) if each != "python"]


def _tests(drawn: Drawn, folder: Path, python: Path, name: str) -> compat.Outcome:
    report = folder / f"{name}.xml"
    report.unlink(missing_ok=True)
    project = Project(str(folder.resolve()), drawn.version, {})
    command = [str(python), *compat._pytest(project, report, name), "-oaddopts="]
    finished = subprocess.run(
        command, cwd=folder / "source", env=os.environ | {"PYTHONHASHSEED": "0"}, check=False, capture_output=True,
        text=True, timeout=SECONDS, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    report.with_suffix(".log").write_text(finished.stdout + finished.stderr)
    return compat._outcome(report) if report.exists() else compat.Outcome(set(), set())


def wilson(alike: int, of: int) -> tuple[float, float, float]:
    """The share, and the limits of its 95 % interval, in percent."""
    if not of:
        return 0.0, 0.0, 100.0
    share, z = alike / of, 1.96
    middle, width = share + z * z / 2 / of, z * sqrt(share * (1 - share) / of + z * z / 4 / of / of)
    whole = (1 + z * z / of) / 100
    return 100 * share, (middle - width) / whole, (middle + width) / whole


def read() -> list[Drawn]:
    with TABLE.open(newline="") as file:
        return [Drawn(**row) for row in csv.DictReader(file)]


def write(table: list[Drawn]) -> None:
    with TABLE.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(Drawn._fields)
        rows.writerows(table)


def said(table: list[Drawn]) -> Iterator[str]:
    counts = Counter(each.result for each in table if each.result)
    alike, of = counts[ALIKE], counts[ALIKE] + counts[DIFFERS]
    share, low, high = wilson(alike, of)
    yield f"{alike} of {of} projects are alike: {share:.1f} % (95 %: {low:.0f} to {high:.0f})"
    yield from (f"{count} {result}" for result, count in counts.most_common())


def main() -> int:
    parser = ArgumentParser(prog="python -m tests.dialects.drawn")
    parser.add_argument("names", nargs="*", help="some of the names (all)")
    parser.add_argument("--draw", type=Path, metavar="TABLE", help="a table of packages to draw names from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--all", action="store_true", help="run those that could not be run, too")
    parser.add_argument("--write", action="store_true", help="note the results in drawn.csv")
    options = parser.parse_args()
    if options.draw:
        write(draw(options.draw, options.seed, options.count))
        return 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    tools = FOLDER / "pip"
    if not (tools / "bin/python").exists():
        _uv("venv", "--quiet", "--seed", f"--python={sys.executable}", str(tools))
        _uv("pip", "install", "--quiet", f"--python={tools}/bin/python", "pip", *BUILDS)
    before = {each.name: each for each in read()}
    chosen = [before[name] for name in options.names]
    chosen = chosen or [each for each in before.values() if options.all or each.result in COUNTED]
    after = dict(before)
    with ThreadPoolExecutor(PARALLEL) as workers:
        for done in workers.map(run, chosen):
            after[done.name] = done._replace(first=done.first or done.result)
            compat._say("  ".join(done))
            if options.write:
                write([*after.values()])
    compat._say("\n".join(said([after[each.name] for each in chosen])))
    return int(any(before[name].result == ALIKE != after[name].result for name in after))


if __name__ == "__main__":
    sys.exit(main())
