"""`antiphon explain`: what the kinds of errors mean, and what to write instead."""

from collections.abc import Iterator
from difflib import get_close_matches

from antiphon.cli.errors import BadCommand
from antiphon.explanations.texts import explanations


def explanation_of(kind: str) -> str:
    """Return the explanation of one kind of error. Raises `BadCommand`, which names the nearest, for an unknown one."""
    known = explanations()
    if kind not in known:
        near = get_close_matches(kind, known, 3, 0.4)
        meant = f"Did you mean {' or '.join(near)}?" if near else "Without an id, the command lists all."
        raise BadCommand(f"There is no error {kind!r}. {meant}")
    return f"{kind}\n\n{known[kind].as_plain_text.rstrip()}"


def listed() -> Iterator[str]:
    """Give the lines of a list of all kinds of errors, by their sections."""
    known = explanations().values()
    width = max(len(each.kind) for each in known)
    section = ""
    for each in known:
        if each.section != section:
            section = each.section
            yield f"\n{section}\n"
        yield f"  {each.kind:{width}}  {each.summary}"
