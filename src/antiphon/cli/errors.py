"""Errors that end the command, each with a short message for stderr, without a traceback, and an exit code.

After a requested stop, the exit code is 0.
"""

from typing import ClassVar


class CommandError(Exception):
    """An error that ends the command, with a message for people."""

    exit_code: ClassVar[int] = 1
    page: str = ""
    """An HTML page about the error, from the worker in which it occurred; empty if there is none."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadCommand(CommandError):
    """A mistake in the command or in the module that it names. Click uses the same exit code for wrong options."""

    exit_code: ClassVar[int] = 2


class Refused(CommandError):
    """A refusal by the system, for example of an address that is taken, not permitted, or another machine's."""

    exit_code: ClassVar[int] = 3


class StartupFailed(CommandError):
    """A failed startup of the application."""


class WorkerEnded(CommandError):
    """A worker that ended unexpectedly."""


class WorkerKilled(WorkerEnded):
    """A worker that a signal ended before it served."""


class StartTimeout(WorkerKilled):
    """A worker that was not ready to serve in time and was killed."""
