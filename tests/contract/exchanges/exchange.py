"""An exchange: a request, and the response that every server must give."""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from tests.contract.application.answers import AFTER, MARK
from tests.contract.wire import Fields, ReceivedResponse, SentRequest

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json"
BYTES = "application/octet-stream"
PROBLEM = "application/problem+json"

REQUEST_ID = "0" * 32
"""A stand-in for the random id of a request, in expected and in received responses."""

NOT_SNIFFED = ("x-content-type-options", "nosniff")
"""The field with which text is streamed, so that browsers show each chunk at once."""

STREAMED = (("incremental", "?1"), ("x-accel-buffering", "no"))
"""The fields that ask proxies to pass on each chunk of a stream (RFC 10036)."""

NOTHING: Mapping[str, object] = MappingProxyType({})

_is_request_id = re.compile(r"[0-9a-f]{32}").fullmatch


class Expected(NamedTuple):
    """The end-to-end part of a response, exactly: ``fields`` are each name's lines in order."""

    status: int
    fields: dict[str, list[str]]
    body: bytes


class Exchange(NamedTuple):
    """A request with the expected response. The name says what is promised."""

    name: str
    request: SentRequest
    expected: Expected

    def over(self, version: str) -> "Exchange":
        """Return the same exchange over another version of HTTP, which some responses tell."""
        return self._replace(expected=_replaced(self.expected, '"http_version":"1.1"', f'"http_version":"{version}"'))

    def received(self, response: ReceivedResponse) -> Expected:
        """Return a response in the form of an expected one.

        A server may add the Content-Length of an empty stream.
        """
        received = seen(response)
        is_empty = received.status == 200 and received.fields.get("content-length") == ["0"]
        if is_empty and "content-length" not in self.expected.fields:
            del received.fields["content-length"]
        return received


def seen(response: ReceivedResponse) -> Expected:
    """Return a response in the form of an expected one, with zeros for the random id of the request."""
    fields = response.end_to_end()
    body = response.body
    given = fields.get("x-request-id", [""])[0]
    if _is_request_id(given):
        fields["x-request-id"] = [REQUEST_ID]
        body = body.replace(given.encode(), REQUEST_ID.encode())
    return Expected(response.status, fields, body)


def answer(
    body: bytes | str = b"",
    content_type: str | None = TEXT,
    status: int = 200,
    *fields: tuple[str, str],
    length: int | None = -1,
    marks: Fields = (MARK, AFTER),
) -> Expected:
    """Return a response of the contract's application, with the body's Content-Length or ``length`` (None: without)."""
    content = body.encode() if isinstance(body, str) else body
    if length == -1:
        length = len(content)
    lines = [*marks, *fields]
    if content_type is not None:
        lines.append(("content-type", content_type))
        if content_type.startswith("text/plain") or content_type == PROBLEM:
            lines.append(NOT_SNIFFED)
    if length is not None:
        lines.append(("content-length", str(length)))
    names = sorted({name for name, _ in lines})
    return Expected(status, {name: [value for key, value in lines if key == name] for name in names}, content)


def _dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def in_json(value: object, status: int = 200, *fields: tuple[str, str]) -> Expected:
    return answer(_dumped(value), JSON, status, *fields)


def problem(
    status: int, title: str, detail: str, *fields: tuple[str, str], members: Mapping[str, object] = NOTHING
) -> Expected:
    """Return the response to an error, as problem details (RFC 9457)."""
    standard = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    body = _dumped({**standard, **members, "request_id": REQUEST_ID})
    always = (("x-request-id", REQUEST_ID), ("cache-control", "no-store"), ("vary", "accept"))
    return answer(body, PROBLEM, status, *always, *fields)


FAILED = problem(500, "Internal Server Error", "The server failed to handle the request; the failure has been logged.")
"""The response to an unhandled error."""


def without_body(expected: Expected) -> Expected:
    """Return the same response to HEAD (RFC 9110 §9.3.2)."""
    return expected._replace(body=b"")


def both(
    name: str,
    expected: Expected,
    target: str,
    method: str = "GET",
    *fields: tuple[str, str],
    body: bytes | tuple[bytes, ...] | None = None,
) -> list[Exchange]:
    """Return the exchange with a ``def`` handler and with its ``async def`` twin.

    ``{def}`` in the target and in the expected body stands for ``def`` or ``async``.
    """
    return [
        Exchange(
            f"{name} ({handler})",
            SentRequest(method, target.replace("{def}", handler), fields, body),
            _replaced(expected, "{def}", handler),
        )
        for handler in ("def", "async")
    ]


def _replaced(expected: Expected, old: str, new: str) -> Expected:
    """Replace text in the body, and correct the Content-Length."""
    body = expected.body.replace(old.encode(), new.encode())
    fields = dict(expected.fields)
    if body != expected.body:
        fields["content-length"] = [str(len(body))]
    return Expected(expected.status, fields, body)
