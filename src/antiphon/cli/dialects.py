"""`antiphon run --dialect`: dialects in place before the application is imported, in each process of the command."""

from collections.abc import Sequence

from antiphon.cli.errors import BadCommand
from antiphon.dialect_imports import TooLate, UnknownDialect, install


def use(names: Sequence[str]) -> None:
    """Install the dialects of these names. Raises `BadCommand` for those that are unknown or can't be installed."""
    try:
        install(*names)
    except (TooLate, UnknownDialect) as error:
        raise BadCommand(str(error)) from None
