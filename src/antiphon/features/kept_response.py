"""Responses that a store keeps and returns again, in a form that idempotent writes and the cache share."""

from collections.abc import Collection, Mapping
from typing import Any

from antiphon.response.response import Response, response_of

OF_ONE_EXCHANGE = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"})
"""Fields of one framing and one connection, which are not kept (RFC 9110 §7.6.1)."""

OF_ONE_VISITOR = OF_ONE_EXCHANGE | {"ratelimit", "ratelimit-policy", "set-cookie"}
"""These, and fields for the first visitor: a rate limit tells a caller what is left."""


def keep(response: Response, left_out: Collection[str] = OF_ONE_VISITOR) -> dict[str, Any]:
    """Return the status, fields and body (in bytes) of a response in the form that a store keeps."""
    fields = [[name, value] for name, value in response._fields if name not in left_out]
    return {"status": response.status, "fields": fields, "body": response.body}


def give_again(data: Mapping[str, Any]) -> Response:
    """Return a new response, made from the value of ``keep``."""
    response = response_of(data["body"], [(name, value) for name, value in data["fields"]])
    if data["status"] != 200:
        response.status = data["status"]
    return response
