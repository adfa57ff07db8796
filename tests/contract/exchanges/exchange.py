"""An exchange: a request, and the response that every server must give to it."""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from tests.contract.application.answers import AFTER, MARK
from tests.contract.messages import Fields, ReceivedResponse, SentRequest

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json"
BYTES = "application/octet-stream"
PROBLEM = "application/problem+json"

REQUEST_ID = "0" * 32
"""Stands for the random name of a request, in expected responses and in received ones."""

NOTHING: Mapping[str, object] = MappingProxyType({})

_is_request_id = re.compile(r"[0-9a-f]{32}").fullmatch


class Expected(NamedTuple):
    """The end-to-end part of a response, exactly: ``fields`` are each name's lines in order."""

    status: int
    fields: dict[str, list[str]]
    body: bytes


class Exchange(NamedTuple):
    """A request with the response that is expected. The name says what is promised."""

    name: str
    request: SentRequest
    expected: Expected

    def received(self, response: ReceivedResponse) -> Expected:
        """What was received, to be compared with what is expected.

        A server may tell the length of a stream that turned out to be empty.
        """
        received = seen(response)
        told = received.status == 200 and received.fields.get("content-length") == ["0"]
        if told and "content-length" not in self.expected.fields:
            del received.fields["content-length"]
        return received


def seen(response: ReceivedResponse) -> Expected:
    """What was received, as it is compared: the request's id, which is random, as zeros."""
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
    """The response of the contract's application. ``length`` is that of the body; None where none is declared."""
    content = body.encode() if isinstance(body, str) else body
    if length == -1:
        length = len(content)
    lines = [*marks, *fields]
    if content_type is not None:
        lines.append(("content-type", content_type))
    if length is not None:
        lines.append(("content-length", str(length)))
    names = sorted({name for name, _ in lines})
    return Expected(status, {name: [value for key, value in lines if key == name] for name in names}, content)


def _dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def in_json(value: object, status: int = 200, *fields: tuple[str, str]) -> Expected:
    """A response with a value as JSON."""
    return answer(_dumped(value), JSON, status, *fields)


def problem(
    status: int, title: str, detail: str, *fields: tuple[str, str], members: Mapping[str, object] = NOTHING
) -> Expected:
    """The response to an error, as problem details (RFC 9457)."""
    told = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    body = _dumped({**told, **members, "request_id": REQUEST_ID})
    always = (("x-request-id", REQUEST_ID), ("cache-control", "no-store"), ("vary", "accept"))
    return answer(body, PROBLEM, status, *always, *fields)


FAILED = problem(500, "Internal Server Error", "The server failed to answer; the failure has been logged.")
"""The response to an error that nobody was meant to see."""


def without_body(expected: Expected) -> Expected:
    """The same in answer to HEAD (RFC 9110 §9.3.2)."""
    return expected._replace(body=b"")


def both(
    name: str,
    expected: Expected,
    target: str,
    method: str = "GET",
    *fields: tuple[str, str],
    body: bytes | tuple[bytes, ...] | None = None,
) -> list[Exchange]:
    """The exchange with a handler and with its twin: ``{colour}`` is filled into the target."""
    return [
        Exchange(
            f"{name} ({colour})",
            SentRequest(method, target.replace("{colour}", colour), fields, body),
            _coloured(expected, colour),
        )
        for colour in ("def", "async")
    ]


def _coloured(expected: Expected, colour: str) -> Expected:
    """The response with the colour filled into its body; its length is that of the result."""
    body = expected.body.replace(b"{colour}", colour.encode())
    fields = dict(expected.fields)
    if body != expected.body:
        fields["content-length"] = [str(len(body))]
    return Expected(expected.status, fields, body)
