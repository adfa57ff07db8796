"""Errors that msgspec lets through plain where it is the value that doesn't fit, such as a moment in the year 10000."""

import re

import msgspec
from msgspec import inspect

from antiphon.serialization.types import parts

PLAIN = (ValueError, TypeError, OverflowError)
"""What msgspec may raise for a value instead of a ValidationError."""

_SIGNALING_NAN = "Cannot hash a signaling NaN value"
_UNHASHABLE = {
    "unhashable type: 'list'": "an array can't be in a set",
    "unhashable type: 'dict'": "an object can't be in a set",
}
_YEAR = re.compile(r"year -?\d+ is out of range")
_PACKAGE = "antiphon.serialization."


def refusal(error: Exception, info: inspect.Type | None = None) -> msgspec.ValidationError:
    """The fault of the value. Raises the error itself where it is the programmer's.

    That are those that Python code raised, such as a default factory, and sets of what never has a hash: without Any
    among the parts of its type (``info``, if it is known) no value could be to blame.
    """
    message = str(error)
    if message == _SIGNALING_NAN:
        return msgspec.ValidationError("must not be a signaling NaN")
    if not _is_from_here(error):
        raise error
    if isinstance(error, TypeError):
        words = next((words for known, words in _UNHASHABLE.items() if known in message), None)
        if words is None or not (info is None or _has_any(info)):
            raise error
        return msgspec.ValidationError(words)
    return msgspec.ValidationError("Timestamp is out of range" if _YEAR.match(message) else message)


def _is_from_here(error: Exception) -> bool:
    """Whether it was raised by what this package calls, in C, and not by Python code that was called from there."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is None or str(last.tb_frame.f_globals.get("__name__")).startswith(_PACKAGE)


def _has_any(info: inspect.Type) -> bool:
    return any(isinstance(part, inspect.AnyType) for _, part in parts("", info))
