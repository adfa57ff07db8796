"""Records of `logging` as lines of text or JSON, with the id of the request in which they were made."""

import json
import logging
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from antiphon.features.logs.escaping import escaped, lines_below, one_line
from antiphon.handler.scope import find_current_request

if TYPE_CHECKING:
    from collections.abc import Callable

_encode = json.JSONEncoder(default=str, allow_nan=False, separators=(",", ":")).encode
_PLAIN = frozenset((str, int, bool, float, type(None)))
"""Types of values that all encoders write alike, except for numbers that JSON can't express."""

NO_ID = "-"
"""The request id of a record that was made outside of any request."""
_LONGEST_ID = 200
_STANDARD = {*vars(logging.makeLogRecord({})), "asctime", "message", "taskName", "request_id"}
"""Attributes of records that are not extra."""


class RequestIDFilter(logging.Filter):
    """A filter for handlers that gives each record a ``request_id``: that of the current request, else "-"."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Set the attribute unless the record has one. Return True, so no record is left out."""
        if not hasattr(record, "request_id"):
            request = find_current_request()
            record.request_id = NO_ID if request is None else request._id
        return True


class TextFormatter(logging.Formatter):
    """A formatter for people: the time (UTC), the level, the message, and the request's id in brackets.

    The id is that of ``RequestIDFilter``; it is left out if the message contains it. Control characters and line ends
    are escaped, so that no message can look like several or color a terminal.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, with its traceback below."""
        line = text_line(record.created, record.levelname, record.getMessage(), request_id(record))
        if record.exc_info:
            line += f"\n{lines_below(self.formatException(record.exc_info))}"
        if record.stack_info:
            line += f"\n{lines_below(self.formatStack(record.stack_info))}"
        return line


class JSONFormatter(logging.Formatter):
    """A formatter for programs: one JSON object a line, in ASCII.

    Its members are ``time`` (UTC, RFC 3339), ``level``, ``logger``, ``message``, ``request_id`` (that of
    ``RequestIDFilter``, if there is one), ``exception`` and ``stack`` (the traceback as text), and each attribute that
    the record was given as ``extra``.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        members = json_members(record.created, record.levelname, record.name, record.getMessage(), request_id(record))
        if record.exc_info:
            members["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            members["stack"] = self.formatStack(record.stack_info)
        for name, value in vars(record).items():
            if name not in _STANDARD:
                members.setdefault(name, value)
        return encode(members)


def text_line(created: float, level: str, message: str, id_: str | None) -> str:
    """Return the line of a record for people; ``created`` is in seconds since the epoch."""
    if not message.isprintable():
        message = one_line(message)
    if id_ is None or id_ in message:
        return f"{timestamp(created)} {level} {message}"
    return f"{timestamp(created)} {level} {message} [{id_}]"


def json_members(created: float, level: str, logger: str, message: str, id_: str | None) -> dict[str, Any]:
    """Return the first members of a record's JSON object; ``created`` is in seconds since the epoch."""
    members = {"time": timestamp(created), "level": level, "logger": logger, "message": message}
    if id_ is not None:
        members["request_id"] = id_
    return members


def timestamp(created: float) -> str:
    """Return a time, given in seconds since the epoch, as UTC in the format of RFC 3339, with milliseconds."""
    since_epoch, milliseconds = divmod(int(created * 1e3), 1000)
    return f"{_second(since_epoch)}.{milliseconds:03}Z"


@lru_cache(maxsize=4)
def _second(since_epoch: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(since_epoch))


def request_id(record: logging.LogRecord) -> str | None:
    """Return the request id of a record, escaped, since it may come from a client; None if it has none."""
    id_ = getattr(record, "request_id", NO_ID)
    return None if id_ == NO_ID else escaped_id(id_)


def escaped_id(id_: object) -> str:
    """Return a request id, escaped, since it may come from a client."""
    return escaped(str(id_), _LONGEST_ID)


def encode(members: dict[str, Any]) -> str:
    """Return an object as JSON in ASCII, with text for values that JSON can't express."""
    if _PLAIN.issuperset(map(type, members.values())) and (quick := _encode_plain(members)):
        return quick
    try:
        return _encode(members)
    except (TypeError, ValueError, RecursionError):
        return json.dumps(
            {name: value if isinstance(value, int | str) else repr(value) for name, value in members.items()},
            separators=(",", ":"),
        )


def _encode_plain(members: dict[str, Any]) -> str | None:
    """Return an object of plain values as JSON, if it is all ASCII and no number becomes null."""
    try:
        encoded = _plain_encoder()(members)
    except (ValueError, OverflowError):  # lone surrogates, and numbers of more than 64 bits
        return None
    return encoded.decode() if encoded.isascii() and b"null" not in encoded else None


@lru_cache(maxsize=1)
def _plain_encoder() -> "Callable[[object], bytes]":
    from msgspec.json import Encoder  # imported late, since logs in text don't need it

    return Encoder().encode
