"""`python -m scripts.lint_answers FILE`: lint the answers that `tests.corpora.answers` wrote, with httplint.

It runs in an environment of its own: a package that httplint needs has modules named `tests`, which would hide ours.
"""

import base64
import json
import sys
from collections import Counter
from email.utils import formatdate
from pathlib import Path
from typing import Any

KNOWN = {
    "FRESHNESS_HEURISTIC": "The application sets how long caches may keep a response (`cache_for`); these don't.",
    "FRESHNESS_NO_CACHE_NO_VALIDATOR": "The application chose `no-cache` for a response without an entity tag.",
    "STORE_PUBLIC_UNNECESSARY": "The application chose `public`.",
    "VARY_COMPLEX": "A page with blocks, in two languages and for logged-in users, varies by all of these.",
    "STATUS_BAD_REQUEST": "The request was malformed.",
    "PARTIAL_WITHOUT_RANGE": "Only for several ranges, whose parts have a Content-Range each (RFC 9110 §15.3.7.2).",
}
"""Notes that are no faults, and why."""


def notes(answer: dict[str, Any]) -> list[str]:
    """Return the names of the notes on an answer that are faults or warnings."""
    from httplint import HttpResponseLinter, levels

    lint = HttpResponseLinter(no_content=answer["method"] == "HEAD")
    lint.process_response_topline(b"HTTP/1.1", str(answer["status"]).encode(), b"")
    fields = [*answer["headers"], ("Date", formatdate(usegmt=True))]
    lint.process_headers([(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields])
    lint.feed_content(base64.b64decode(answer["body"]))
    lint.finish_content(True)
    return [type(note).__name__ for note in lint.notes if note.level in (levels.BAD, levels.WARN)]


def is_known(note: str, answer: dict[str, Any]) -> bool:
    """True if a note on this answer is no fault."""
    if note == "PARTIAL_WITHOUT_RANGE":
        return str(dict(answer["headers"])["content-type"]).startswith("multipart/byteranges")
    return note in KNOWN


def main(file: str) -> int:
    """Print how often each note is found, and those that are faults. Return 1 if there are some."""
    answers = json.loads(Path(file).read_text())
    found = [(note, answer) for answer in answers for note in notes(answer)]
    print(
        f"{len(answers)} answers:", *(f"{count} x {note}" for note, count in Counter(note for note, _ in found).items())
    )
    faults = [(note, answer) for note, answer in found if not is_known(note, answer)]
    for note, answer in faults:
        print(f"{note}: {answer['status']} {answer['name']} {answer['headers']}")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
