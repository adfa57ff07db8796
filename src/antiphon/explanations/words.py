"""Names and arguments of other frameworks, by object, and what to write instead: the rows of ``words.tsv``."""

import os


def _tables() -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = {}
    with open(os.path.join(os.path.dirname(__file__), "words.tsv"), encoding="utf-8") as file:
        _, *rows = file.read().splitlines()
    for row in rows:
        place, words, ours = row.split("\t")
        table = tables.setdefault(place, {})
        for word in words.split():
            table[word] = ours
    return tables


WORDS = _tables()
"""For each class, function or package, other names and Antiphon's. A class's "when set" has attributes that programs
set elsewhere, and that would have no effect here.
"""

ROUTES = WORDS["Routes"] | WORDS["Routes, when set"]
ROUTES_ATTRIBUTES = WORDS["Routes, when set"] | {
    word: f"App({ours})" if ours.partition("=")[0].isidentifier() else ours
    for word, ours in WORDS["App.__init__"].items()
}
"""Attributes of other frameworks' apps that would have no effect here, and Antiphon's equivalents."""
