"""How the command fails: a short message on stderr in place of a traceback, and an exit code that says why.

The exit code is 0 after a stop that was asked for.
"""

from typing import ClassVar

from click import ClickException


class BadCommand(ClickException):
    """What was typed is wrong, or the module that it names. Click has the same code for wrong options."""

    exit_code: ClassVar[int] = 2


class Refused(ClickException):
    """The machine refuses: the port or path is taken or not permitted, or the host is none of its own."""

    exit_code: ClassVar[int] = 3


class WorkerEnded(ClickException):
    """A worker ended although nobody asked it to."""

    exit_code: ClassVar[int] = 1
