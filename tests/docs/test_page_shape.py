"""How-to pages are short, begin with what most readers need, and don't drown it in exceptions.

Pages that are above a bound stand in `above.csv`, with what they have: it only gets shorter, and its figures smaller.
`python -m tests.docs.test_page_shape` prints what all pages have.
"""

import csv
import re
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

HOW_TO = Path(__file__).parents[2] / "docs/how-to"
BOUNDS = {"words": 900, "exceptions": 35, "listing": 25, "stretch": 150}
"""Words of prose, the percentage of them in sentences about exceptions, the lines of the first listing, and the most
words in a row without a heading, a table or code.
"""
with Path(__file__).with_name("above.csv").open(newline="") as file:
    ABOVE = {(row["page"], row["measure"]): int(row["figure"]) for row in csv.DictReader(file)}

_exception = re.compile(
    r"\b(unless|except|only (if|when)|can(no|')t|must not|may not|otherwise|not yet|fails?|refused|raises?|errors?|without"
    r"|limits?|never|at most|(is|do|does)n't|until|[45]\d\d|warning|even if|but)\b", re.IGNORECASE,
).search  # fmt: skip
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LISTING = re.compile(r"^( *)```+[^\n]*\n(.*?)^\1```+$", re.MULTILINE | re.DOTALL)
_PARTS = re.compile(r"^#[^\n]*$|^\|[^\n]*$|\0", re.MULTILINE)
_PARAGRAPHS = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )")
_SENTENCES = re.compile(r"(?<=[.?!:])\s+(?=[A-Z*`\[(])")


def measured(text):
    """What a page has of each measure."""
    text = _COMMENT.sub("", text)
    first = _LISTING.search(text)
    parts = [sentences_of(part) for part in _PARTS.split(_LISTING.sub("\0", text))]
    words, exceptions = (
        sum(len(sentence.split()) for part in parts for sentence in part if is_counted(sentence))
        for is_counted in (bool, _exception)
    )
    return {
        "words": words,
        "exceptions": round(100 * exceptions / max(words, 1)),
        "listing": len(first[2].splitlines()) if first else 0,
        "stretch": max(sum(len(sentence.split()) for sentence in part) for part in parts),
    }


def sentences_of(text):
    """The sentences of a part, with the text of links, and one word for each piece of code."""
    text = re.sub(r"`[^`]+`", "x", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text))
    paragraphs = [re.sub(r"^([-*]|\d+\.) ", "", each.strip()) for each in _PARAGRAPHS.split(text)]
    return [sentence for each in paragraphs for sentence in _SENTENCES.split(each) if sentence]


PAGES = {page.stem: measured(page.read_text()) for page in sorted(HOW_TO.glob("*.md"))}


def test_a_page_is_measured():
    text = "# A\n\nOne word more. It fails!\n\n```python\na = 1\nb = 2\n```\n\n- **Two** [words](b.md).\n"
    assert measured(text) == {"words": 7, "exceptions": 29, "listing": 2, "stretch": 5}


def test_the_list_has_each_page_above_a_bound_with_its_figure():
    found = {(page, measure): figure for page, all_ in PAGES.items() for measure, figure in all_.items()}
    assert {key: figure for key, figure in found.items() if figure > BOUNDS[key[1]]} == ABOVE


def test_no_program_keeps_data_where_a_restart_forgets_it():
    keeps = re.compile(r"^(?!with Client).*(mkdtemp\(\).*\.db\b|Store\(.*mkdtemp\()", re.MULTILINE)
    found = {page.name: keeps.findall(page.read_text()) for page in HOW_TO.parent.rglob("*.md")}
    assert {page: lines for page, lines in found.items() if lines} == {}


if __name__ == "__main__":
    for name, figures in PAGES.items():
        sys.stdout.write(f"{name:32}" + "".join(f"{figure:8}" for figure in figures.values()) + "\n")
