"""How Antiphon and others stood when the corpora were last run, and the reason for each difference of Antiphon."""

import csv
import json
from pathlib import Path

HERE = Path(__file__).parent
COUNTS = HERE / "counts.json"
DIFFERENCES = HERE / "differences.csv"
COLUMNS = ("corpus", "case", "right", "found", "reason")

REASONS = {
    "nameless": "RFC 6265bis keeps a cookie without a name, as browsers do; RFC 6265 drops it.",
    "control": "RFC 6265bis drops a cookie with a control character; RFC 6265 ends it there, as this case does.",
    "escaped path": "A cookie's path is compared as it is written.",
    "empty domain": "The last Domain wins, and RFC 6265bis treats an empty one as missing.",
    "space": "Some clients write a space beside `=`. Their parameters are understood, too.",
    "stray quote": "A quote stands where no value begins. No parameter is guessed after that.",
    "last backslash": "A backslash at the end escapes nothing, and is dropped.",
    "line end": "A header has no line ends.",
    "above Latin-1": "A header has no characters above U+00FF.",
    "characters": "`URL` refuses what browsers drop or replace: control characters, spaces at an end, backslashes.",
    "slashes": "`URL` requires exactly two slashes before a host; browsers tolerate other numbers.",
    "numbers": "A host that browsers read as a different IPv4 address than it looks like is refused.",
    "IDNA": "A host with non-ASCII characters or percent-escapes is refused.",
    "punctuation": "A host has ASCII letters, digits and `-._~`.",
    "Punycode": "Names in Punycode are not decoded.",
    "file": "`file:` is a scheme like any other, whose URLs may have a port.",
    "port": "A port has at most five digits.",
}


def differences() -> list[dict[str, str]]:
    with DIFFERENCES.open(newline="") as file:
        return [*csv.DictReader(file)]


def write_differences(rows: list[dict[str, str]]) -> None:
    with DIFFERENCES.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def counts() -> dict:
    return json.loads(COUNTS.read_text())


def write_counts(measured: dict) -> None:
    COUNTS.write_text(json.dumps(measured, indent=1) + "\n")
