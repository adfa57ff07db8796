"""Answers of the application itself, before or instead of a handler."""

from collections.abc import Mapping

from antiphon.http.errors import BadRequest, HTTPError
from antiphon.http.head import Head
from antiphon.http.urls.path import quote_segment, quoted_root, raw_segments, with_or_without_slash
from antiphon.http.urls.url import URL, decode_path
from antiphon.request.request import Request
from antiphon.response.response import Response


def malformed_path(head: Head) -> HTTPError | None:
    """Return the error for a malformed path (RFC 3986 §2.1) that the server let through; None for a good one."""
    path = head.path
    raw = head.raw_path
    if raw is not None:
        try:
            if b"%" in raw:
                decode_path(raw)
        except ValueError as error:
            return BadRequest(f"The path is malformed: {error}.")
        return None
    if "\0" in path:
        return BadRequest("The path is malformed: it has a NUL.")
    if "\ufffd" in path:
        return BadRequest("The path is malformed: it is not UTF-8.")
    return None


def answer_options(fields: Mapping[str, str], request: Request) -> Response:  # noqa: ARG001 - handlers get the request
    """Answer OPTIONS with the methods that are allowed at a path, among other fields (RFC 9110 §9.3.7)."""
    return Response(None, 204, fields)


def redirect_to_other_form(encoded_slashes: bool, request: Request) -> Response:
    """Redirect to the path with, or without, a slash at its end."""
    path = request.path
    raw = request.raw_path if encoded_slashes else None
    segments = with_or_without_slash(raw_segments(raw, path) or path.split("/"))
    root = quoted_root(request.root_path, path, request.raw_path)
    path = "/".join(map(quote_segment, segments))
    query = request.query_string
    return Response.redirect(URL.build(scheme="http", host="", root_path=root, path=path, query=query), 308)


def answer_nothing(request: Request) -> Response:
    """Stand in for a handler in a plan for requests without a route, which always have an error."""
    raise AssertionError(request)
