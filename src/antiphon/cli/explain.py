"""`antiphon explain`: the meaning of each kind of error, and what to write instead."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from antiphon.cli.errors import BadCommand
from antiphon.explanations.texts import Explanation, UnreadableError, explanations, explanations_of, packages


def explanation_of(kind: str) -> str:
    """Return the explanation of a kind of error.

    Raises `BadCommand` for an unknown kind, with similar ones, or for a package whose explanations can't be read.
    """
    package, dot, _ = kind.partition(".")
    try:
        known = explanations_of(package) if dot else explanations()
    except UnreadableError as error:
        raise BadCommand(f"{error}.") from None
    if kind not in known:
        near = get_close_matches(kind, known or explanations(), 3, 0.4)
        meant = f"Did you mean {' or '.join(near)}?" if near else "Without an id, the command lists all."
        raise BadCommand(f"There is no error {kind!r}. {meant}")
    return f"{kind}\n\n{known[kind].as_plain_text.rstrip()}"


def listed() -> Iterator[str]:
    """Yield the lines of a list of all kinds of errors by section: our own, then those of other packages."""
    yield from _lines(explanations().values())
    for package in packages():
        try:
            yield from _lines(explanations_of(package).values())
        except UnreadableError as error:
            yield f"\n{error}."


def _lines(known: Iterable[Explanation]) -> Iterator[str]:
    width = max((len(each.kind) for each in known), default=0)
    section = ""
    for each in known:
        if each.section != section:
            section = each.section
            yield f"\n{section}\n"
        yield f"  {each.kind:{width}}  {each.summary}"
