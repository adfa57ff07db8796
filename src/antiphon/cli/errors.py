"""The errors that end the command: each a short message on stderr, without a traceback, and an exit code.

The exit code is 0 after a stop that somebody asked for.
"""

from typing import ClassVar


class CommandError(Exception):
    """An error that ends the command. Its message is for people."""

    exit_code: ClassVar[int] = 1
    page: str = ""
    """A page on the error, in HTML, from the worker that has met it; empty if there is none."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadCommand(CommandError):
    """A mistake in the command, or in the module that it names. Click ends with the same code for wrong options."""

    exit_code: ClassVar[int] = 2


class Refused(CommandError):
    """A refusal by the system: an address that is taken, not permitted, or not this machine's."""

    exit_code: ClassVar[int] = 3


class StartupFailed(CommandError):
    """An error of the application's startup."""


class WorkerEnded(CommandError):
    """The end of a worker that nobody asked to end."""


class StartTimeout(WorkerEnded):
    """The end of a worker that has not served in its time, and was killed."""
