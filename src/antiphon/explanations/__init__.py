"""Errors for programmers, each kind with an id that ``antiphon explain`` accepts to say what to do."""

from typing import TypeVar

E = TypeVar("E", bound=BaseException)


def explained(kind: str, error: E) -> E:
    """Return an error with a note (PEP 678) that names the command that explains its kind.

    ``kind`` is an id for ``antiphon explain``. Those of another package begin with the name of its entry point in the
    group ``antiphon.explanations`` and a dot: ``raise explained("flags.unknown-flag", LookupError(...))``. The file
    errors.md of the package explains them.
    """
    error.add_note(f"{COMMAND} {kind}")
    return error


COMMAND = "To read more: antiphon explain"
"""The beginning of the note."""
