"""`python -m tests.dialects.classes [LIBRARY...]`: how the classes of dialects differ from those of the originals.

Both are observed in processes of their own by `observed.py`. Each difference needs a row of `differences.csv`, whose
cells are patterns of `fnmatch`, and whose reason `docs/reference/compatibility.md` explains below "Classes". Exits with
1 if a difference has no row, or a row no difference. With `--write` the counts go into `counts.csv`, of which
`python -m scripts.tables` makes a table; `--all` prints the differences that have a reason, too.
"""

import csv
import json
import subprocess
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent
COUNTS = FOLDER / "counts.csv"
LIBRARIES = ("asok", "flask", "microdot", "pyramid", "webob", "werkzeug")


class Difference(NamedTuple):
    library: str
    place: str
    """A class or a module, without the name of the library."""
    member: str
    operation: str
    theirs: str = ""
    ours: str = ""

    def is_like(self, row: dict[str, str]) -> bool:
        return all(fnmatchcase(value, row[name]) for name, value in self._asdict().items())

    def __str__(self) -> str:
        return f"{self.library}: {self.place} {self.member} | {self.operation} | {self.theirs} | {self.ours}"


class Compared(NamedTuple):
    classes: int
    members: int
    operations: int
    found: list[Difference]


def observed(library: str, *dialect: str, known: str = "") -> str:
    """The JSON of a process that observes."""
    command = [sys.executable, "-m", f"{__package__}.observed", library, *dialect]
    run = subprocess.run(command, input=known, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return run.stdout


def compared(library: str) -> Compared:
    """Observe the original and its dialect, and compare the two."""
    text = observed(library)
    theirs, ours = json.loads(text), json.loads(observed(library, library, known=text))
    places = [*theirs["classes"], *theirs["modules"]]
    absent = {*places} - {*ours["classes"], *ours["modules"]}
    found = [Difference(library, _short(library, place), "", "is there") for place in places if place in absent]
    alike = [key for key in theirs["observed"] if key.split("|")[0] not in absent]
    found += _differences(library, theirs["observed"], ours["observed"], alike)
    members = sum(len(each) for name, each in theirs["members"].items() if name not in absent)
    return Compared(len({*theirs["classes"]} - absent), members, len(alike), found)


def _short(library: str, place: str) -> str:
    return place.removeprefix(f"{library}.")


def _differences(library: str, theirs: dict[str, str], ours: dict[str, str], keys: list[str]) -> Iterator[Difference]:
    """The differences, without those that follow from what is missing."""
    for key in keys:
        place, member, operation = key.split("|", 2)
        follows = ours.get(f"{place}||made", "!").startswith("!") or ours.get(f"{place}|{member}|is there") == "False"
        if theirs[key] != ours.get(key) and not (key not in ours and follows):
            yield Difference(library, _short(library, place), member, operation, theirs[key], ours.get(key, ""))


def explained(differences: list[Difference], rows: list[dict[str, str]]) -> tuple[list[Difference], Counter[str]]:
    """The differences without a row, and how often each reason was given; the first row that fits is taken."""
    reasons: Counter[str] = Counter()
    unexplained = []
    for each in differences:
        row = next((row for row in rows if each.is_like(row)), None)
        if row is None:
            unexplained.append(each)
        else:
            row["used"] = "yes"
            reasons[row["reason"]] += 1
    return unexplained, reasons


def rows() -> list[dict[str, str]]:
    with (FOLDER / "differences.csv").open(newline="") as file:
        return [*csv.DictReader(file)]


def main() -> int:
    parser = ArgumentParser(prog="python -m tests.dialects.classes")
    parser.add_argument("libraries", nargs="*", default=LIBRARIES, help="the originals (all)")
    parser.add_argument("--write", action="store_true", help="write the counts into counts.csv")
    parser.add_argument("--all", action="store_true", help="print what has a reason, too")
    options = parser.parse_args()
    known, failed, lines = rows(), False, []
    for library in options.libraries:
        result = compared(library)
        unexplained, reasons = explained(result.found, known)
        for each in result.found if options.all else unexplained:
            print(each)
        failed |= bool(unexplained)
        print(
            f"{library}: {result.classes} classes, {result.members} members, {result.operations} operations;"
            f" {len(result.found)} differ, {len(unexplained)} without a reason",
            flush=True,
        )
        lines.append((library, result, reasons))
    is_whole = {*options.libraries} == {*LIBRARIES}
    unused = [row for row in known if "used" not in row and (is_whole or row["library"] in options.libraries)]
    for row in unused:
        print("No difference is like", row)
    if options.write:
        _write(lines)
    return int(failed or bool(unused))


def _write(lines: list[tuple[str, Compared, Counter[str]]]) -> None:
    with COUNTS.open("w", newline="") as file:
        table: Any = csv.writer(file, lineterminator="\n")
        table.writerow(["library", "classes", "members", "operations", "differ", "reason", "times"])
        for library, result, reasons in lines:
            counts = [result.classes, result.members, result.operations, len(result.found)]
            for reason, times in sorted(reasons.items()):
                table.writerow([library, *counts, reason, times])


if __name__ == "__main__":
    sys.exit(main())
