"""Responses made of the results of handlers: native ones for servers, Microdot's own for programs."""

from typing import Any, NoReturn

from antiphon import Request as NativeRequest
from antiphon import Response as NativeResponse
from antiphon.dialects.microdot.request import Request
from antiphon.dialects.microdot.response import JSON, Response, to_response
from antiphon.embedding import json_encoder, only_typed, response_of

_JSON_ONLY = only_typed(JSON)
_USUAL = {
    media_type: only_typed(f"{media_type}; charset=UTF-8")
    for media_type in ("text/plain", "text/html", "application/json")
}
"""The header fields of most responses, by their media type."""


def native_answer(request: Request, result: Any) -> NativeResponse:
    """Return the native response for a handler's result. Raises what ``Response.native`` raises."""
    body: Any = result
    status = 200
    if type(result) is tuple and len(result) == 2 and type(result[1]) is int:
        body, status = result
    kind = type(body)
    if kind is str and (fields := _USUAL.get(Response.default_content_type)):
        response = response_of(body.encode(), fields)
    elif kind is dict or kind is list:
        response = response_of(json_encoder()(body), _JSON_ONLY)
    else:
        response, status = to_response(result).native(), 200
    if status != 200:
        response.status = status
    if request.failure is not None:
        response.error = request.failure
    if request.native.consulted:
        response.vary(*request.native.consulted)
    return response


def own_answer(request: Request, result: Any) -> Response:
    """Return Microdot's response for a handler's result."""
    response = to_response(result)
    if request.native.consulted:
        named = [name.strip() for name in response.headers.get("Vary", "").split(",") if name.strip()]
        named += [name.title() for name in request.native.consulted]
        response.headers["Vary"] = ", ".join({name.lower(): name for name in named}.values())
    return response


def raised(_request: NativeRequest, error: Exception) -> NoReturn:
    """Raise an error that nobody handled."""
    raise error
