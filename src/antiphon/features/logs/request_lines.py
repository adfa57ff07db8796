"""Requests in the access log: the attributes and the message of a record, and the line without a record."""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from antiphon.features.logs.escaping import escaped
from antiphon.features.logs.formats import NO_ID, encode, escaped_id, json_members, text_line
from antiphon.speedups import accelerated

NAME = "antiphon.access"
"""The name of the logger."""
LONGEST_METHOD = 30

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
    """Return the message of a record, with its arguments: ``GET /users/7 200 512 bytes 1.3 ms /users/<int:id>``.

    The message of a WebSocket has more: ``GET /live 101 512 bytes 1.3 ms /live closed with 1000, 3 messages in, 2
    out``.
    """
    message = "%s %s %d %d bytes %.1f ms"
    values: tuple[object, ...] = _first_values(fields)
    if fields["route"]:
        message += " %s"
        values += (fields["route"],)
    if "close_code" in fields:
        message += " closed with %d, %d messages in, %d out"
        values += (fields["close_code"], fields["messages_received"], fields["messages_sent"])
    return message + (" disconnected" if fields["disconnected"] else ""), values


@accelerated
def request_as_text(created: float, *request: Any) -> str:
    """Return the line of a request, as ``TextFormatter`` writes its record.

    ``created`` is in seconds since the epoch; the other arguments are those of ``request_fields``.
    """
    fields = request_fields(*request)
    message, values = message_of(fields)
    return text_line(created, "INFO", message % values, _shown_id(fields))


@accelerated
def request_as_json(created: float, *request: Any) -> str:
    """Return the line of a request, as ``JSONFormatter`` writes its record. See ``request_as_text``."""
    fields = request_fields(*request)
    message, values = message_of(fields)
    members = json_members(created, "INFO", NAME, message % values, _shown_id(fields))
    del fields["request_id"]
    return encode(members | fields)


def _shown_id(fields: Mapping[str, Any]) -> str | None:
    id_ = fields["request_id"]
    return None if id_ == NO_ID else escaped_id(id_)
