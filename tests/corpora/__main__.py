"""`python -m tests.corpora`: fetch the corpora that HTTP's authors publish, and run them on Antiphon and on others.

With `--write`, keep the counts and the differences; a new difference needs a reason, by hand. Without network the
corpora that aren't here are left out.
"""

import sys
from datetime import date
from http.client import HTTPException
from importlib.metadata import PackageNotFoundError, version

from tests.corpora import cookies, known, mime_types, structured_fields, urls
from tests.corpora.corpus import Corpus, differences
from tests.corpora.sources import SOURCES, fetch, is_here

CORPORA = (*structured_fields.CORPORA, *cookies.CORPORA, *mime_types.CORPORA, *urls.CORPORA)
LIBRARIES = ("Antiphon", "Werkzeug", "Starlette", "Falcon", "WebOb")


def main() -> int:
    for source in SOURCES:
        try:
            fetch(source)
        except (OSError, HTTPException) as error:
            print(f"Skipped {source.repository}, which can't be fetched: {error}")
    here = [corpus for corpus in CORPORA if is_here(corpus.source)]
    print(f"{'':28}{'cases':>7}" + "".join([f"{name:>11}" for name in LIBRARIES]))
    counts = {corpus.name: _counts(corpus) for corpus in here}
    if "--write" in sys.argv[1:]:
        _write(here, counts)
    unknown = [row for row in _differences(here) if row["reason"] not in known.REASONS]
    for row in unknown:
        print(f"Without a reason: {row}")
    return bool(unknown)


def _counts(corpus: Corpus) -> dict[str, int]:
    cases = len([*corpus.cases()])
    counts = {"cases": cases}
    for name in corpus.readers:
        try:
            counts[name] = cases - len(differences(corpus, name))
        except ImportError as error:
            print(f"{name} is left out: {error}")
    print(f"{corpus.name:28}{cases:7}" + "".join([f"{counts.get(name, ''):>11}" for name in LIBRARIES]))
    return counts


def _differences(corpora: list[Corpus]) -> list[dict[str, str]]:
    """Return Antiphon's differences, with the reasons that are known."""
    reasons = {(row["corpus"], row["case"]): row["reason"] for row in known.differences()}
    return [
        {"corpus": corpus.name, **found._asdict(), "reason": reasons.get((corpus.name, found.case), "")}
        for corpus in corpora
        for found in differences(corpus)
    ]


def _write(here: list[Corpus], counts: dict[str, dict[str, int]]) -> None:
    names = {corpus.name for corpus in here}
    kept = [row for row in known.differences() if row["corpus"] not in names]
    known.write_differences([*kept, *_differences(here)])
    today = date.today()
    measured = {
        "when": f"{today.day} {today:%B %Y}",
        "versions": {name: found for name in LIBRARIES[1:] if (found := _version(name))},
        "counts": {**known.counts()["counts"], **counts},
    }
    known.write_counts(measured)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
