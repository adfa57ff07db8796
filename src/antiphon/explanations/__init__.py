"""Errors for programmers, each kind with an id that ``antiphon explain`` accepts to say what to do, and advice."""

from typing import TypeVar

E = TypeVar("E", bound=BaseException)


def explained(kind: str, error: E) -> E:
    """Return an error with a note (PEP 678) that names the command to explain its kind.

    ``kind`` is an id for ``antiphon explain``. Those of another package begin with the name of its entry point in the
    group ``antiphon.explanations`` and a dot: ``raise explained("flags.unknown-flag", LookupError(...))``. The file
    errors.md of the package explains them.
    """
    error.add_note(f"{COMMAND} {kind}")
    return error


COMMAND = "To read more: antiphon explain"
"""The beginning of the note."""


_MOST = 100
"""The maximum number of pieces of advice that one object logs, since clients choose what they ask for."""


class Advice:
    """A log of settings that names each setting once."""

    __slots__ = ("_given",)

    def __init__(self) -> None:
        self._given: set[str] = set()

    def give(self, refused: str, setting: str) -> None:
        """Log that something was refused, and the setting that accepts it."""
        if setting in self._given or len(self._given) >= _MOST:
            return
        import logging

        self._given.add(setting)
        logging.getLogger("antiphon").warning("%s was refused; if it should not be: %s", refused, setting)
