"""Safe lines of text or JSON, with the id of the request, for `logging` records and for requests in the access log."""

import json
import logging
import re
import time
from collections.abc import Mapping
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from antiphon import current_request
from antiphon.embedding import RequestState, accelerated

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon import Request


LONGEST = 1000
"""The maximum number of characters of a client's text to log."""
_SAFE = "/!$&'()*+,;=:@"

_is_plain = re.compile(rf"[\w.~{re.escape(_SAFE)}-]{{0,{LONGEST}}}", re.ASCII)


def escaped(text: str, longest: int = LONGEST) -> str:
    """Return a decoded path, or other text from a client, encoded as in a URL's path. Text that is too long is cut and
    ends in `...`.
    """
    if len(text) <= longest and ((text.isascii() and text.isalnum()) or _is_plain.fullmatch(text)):
        return text
    quoted = quote(text[: longest + 1], _SAFE, errors="replace")
    if len(quoted) <= longest:
        return quoted
    return re.sub("%.?$", "", quoted[:longest]) + "..."


_OF_ORDER = "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
"""Line breaks, and characters that change the order in which others are shown."""
_replace_controls = re.compile(f"[\x00-\x08\n-\x1f\x7f-\x9f{_OF_ORDER}]")
_replace_controls_in_lines = re.compile(f"[\x00-\x08\v-\x1f\x7f-\x9f{_OF_ORDER}]")
_indent_forged_records = re.compile(r"^(?=\d{4}-\d\d-\d\dT)", re.MULTILINE)


def one_line(text: str) -> str:
    """Return text with control characters and line breaks, but not tabs, escaped as in Python literals.

    This includes the characters that show others in another order.
    """
    return _replace_controls.sub(_as_literal, text)


def lines_below(text: str) -> str:
    """Return a traceback's lines without control characters, so that none looks like the start of a record."""
    return _indent_forged_records.sub("  ", _replace_controls_in_lines.sub(_as_literal, text))


def _as_literal(found: re.Match[str]) -> str:
    return ascii(found[0])[1:-1]


_encode = json.JSONEncoder(default=str, allow_nan=False, separators=(",", ":")).encode
_PLAIN = frozenset((str, int, bool, float, type(None)))
"""Types whose values all encoders write alike, except numbers that JSON can't express."""

NO_ID = "-"
"""The request id in a record that was made outside any request."""
_LONGEST_ID = 200
_STANDARD = {*vars(logging.makeLogRecord({})), "asctime", "message", "taskName", "request_id"}
"""Attributes that every record has, which are not extra."""


class RequestIDFilter(logging.Filter):
    """A filter for handlers that gives each record a ``request_id``: the current request's id, or "-" if there is
    none."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Set the attribute unless the record already has it. Return True, so that no record is dropped."""
        if not hasattr(record, "request_id"):
            request = current_request(None)
            record.request_id = NO_ID if request is None else RequestState(request).id
        return True


class TextFormatter(logging.Formatter):
    """A formatter for people: the time (UTC), the level, the message, and the request's id in brackets.

    The id is the one that ``RequestIDFilter`` sets; it is omitted if the message contains it. Control characters and
    line breaks are escaped, so that no message can look like several messages or change a terminal's colors.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's line, followed by its traceback."""
        line = text_line(record.created, record.levelname, record.getMessage(), request_id(record))
        if record.exc_info:
            line += f"\n{lines_below(self.formatException(record.exc_info))}"
        if record.stack_info:
            line += f"\n{lines_below(self.formatStack(record.stack_info))}"
        return line


class JSONFormatter(logging.Formatter):
    """A formatter for programs: one JSON object per line, in ASCII.

    Its members are ``time`` (UTC, RFC 3339), ``level``, ``logger``, ``message``, ``request_id`` (if ``RequestIDFilter``
    has set one), ``exception`` and ``stack`` (the traceback as text), and each attribute passed to the record as
    ``extra``.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's line."""
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
    """Return a record's line for people; ``created`` is Unix time in seconds."""
    if not message.isprintable():
        message = one_line(message)
    if id_ is None or id_ in message:
        return f"{timestamp(created)} {level} {message}"
    return f"{timestamp(created)} {level} {message} [{id_}]"


def json_members(created: float, level: str, logger: str, message: str, id_: str | None) -> dict[str, Any]:
    """Return the first members of a record's JSON object; ``created`` is Unix time in seconds."""
    members = {"time": timestamp(created), "level": level, "logger": logger, "message": message}
    if id_ is not None:
        members["request_id"] = id_
    return members


def timestamp(created: float) -> str:
    """Return a Unix time in seconds as UTC in RFC 3339 format, with milliseconds."""
    since_epoch, milliseconds = divmod(int(created * 1e3), 1000)
    return f"{_second(since_epoch)}.{milliseconds:03}Z"


@lru_cache(maxsize=4)
def _second(since_epoch: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(since_epoch))


def request_id(record: logging.LogRecord) -> str | None:
    """Return a record's request id, escaped since it may come from a client; None if it has none."""
    id_ = getattr(record, "request_id", NO_ID)
    return None if id_ == NO_ID else escaped_id(id_)


def escaped_id(id_: object) -> str:
    """Return a request id, escaped since it may come from a client."""
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
    """Return an object of plain values as JSON if the JSON is all ASCII and no number becomes null."""
    try:
        encoded = _plain_encoder()(members)
    except (ValueError, OverflowError):  # lone surrogates, and numbers of more than 64 bits
        return None
    return encoded.decode() if encoded.isascii() and b"null" not in encoded else None


@lru_cache(maxsize=1)
def _plain_encoder() -> "Callable[[object], bytes]":
    from msgspec.json import Encoder  # imported late, since text logs don't need it

    return Encoder().encode


NAME = "antiphon.access"
"""The name of the access log's logger."""
LONGEST_METHOD = 30
OPTIONAL: dict[str, "Callable[[Request], str]"] = {
    "ip": lambda request: escaped(request.ip or ""),
    "trace_id": lambda request: parent.trace_id if (parent := request.traceparent) else "",
}
"""Attributes of a request that are logged only by name; empty if it has none."""

_first_values = itemgetter("method", "path", "status", "bytes", "milliseconds")


def request_fields(
    method: str, path: str, route: str, status: int, size: int, seconds: float, id_: str, is_disconnected: bool
) -> dict[str, Any]:
    """Return the attributes of a request's record."""
    return {
        "method": escaped(method, LONGEST_METHOD),
        "path": escaped(path),
        "route": route,
        "status": status,
        "bytes": size,
        "milliseconds": round(seconds * 1e3, 3),
        "request_id": id_,
        "disconnected": is_disconnected,
    }


def message_of(fields: Mapping[str, Any]) -> tuple[str, tuple[object, ...]]:
    """Return a record's message and its arguments: ``GET /users/7 200 512 bytes 1.3 ms /users/<int:id>``.

    A WebSocket's message continues: ``GET /live 101 512 bytes 1.3 ms /live closed with 1000, 3 messages in, 2 out``.
    """
    message = "%s %s %d %d bytes %.1f ms"
    values: tuple[object, ...] = _first_values(fields)
    if fields["route"]:
        message += " %s"
        values += (fields["route"],)
    if "close_code" in fields:
        message += " closed with %d, %d messages in, %d out"
        values += (fields["close_code"], fields["messages_received"], fields["messages_sent"])
    for name in OPTIONAL:
        if name in fields:
            message += f" {name}=%s"
            values += (fields[name],)
    return message + (" disconnected" if fields["disconnected"] else ""), values


@accelerated
def request_as_text(created: float, *request: Any) -> str:
    """Return a request's line, as ``TextFormatter`` formats its record.

    ``created`` is Unix time in seconds; the other arguments are those of ``request_fields``.
    """
    fields = request_fields(*request)
    message, values = message_of(fields)
    return text_line(created, "INFO", message % values, _shown_id(fields))


@accelerated
def request_as_json(created: float, *request: Any) -> str:
    """Return a request's line, as ``JSONFormatter`` formats its record. See ``request_as_text``."""
    fields = request_fields(*request)
    message, values = message_of(fields)
    members = json_members(created, "INFO", NAME, message % values, _shown_id(fields))
    del fields["request_id"]
    return encode(members | fields)


def _shown_id(fields: Mapping[str, Any]) -> str | None:
    id_ = fields["request_id"]
    return None if id_ == NO_ID else escaped_id(id_)
