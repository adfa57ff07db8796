"""Checks of the head of an environ, for applications that a WSGI server calls without a host around them."""

from functools import lru_cache
from typing import TYPE_CHECKING

from antiphon.embedding import query_too_long
from antiphon.http import HTTPError, Limits
from antiphon.http.head import check_host

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_LONGEST_KNOWN = 300
"""The length of the longest host that is remembered, in characters."""
_LIMITS = Limits()
_OLD = "HTTP/1.0"


def head_error(environ: "WSGIEnvironment") -> HTTPError | None:
    """Return the error for an environ whose Host is missing, repeated or malformed, or whose query is too long.

    An environ that names no protocol may have no Host: a program made it.
    """
    host: str = environ.get("HTTP_HOST", "")
    protocol = environ.get("SERVER_PROTOCOL", _OLD)
    version = "1.0" if protocol in (_OLD, "HTTP/1") else protocol.partition("/")[2]  # Granian writes the latter
    checked = _host_error if len(host) <= _LONGEST_KNOWN else _host_error.__wrapped__
    if error := checked(host, version):
        return error
    query: str = environ.get("QUERY_STRING", "")
    return query_too_long(query.encode("latin-1", "replace"), _LIMITS) if len(query) > _LIMITS.query else None


@lru_cache(256)
def _host_error(host: str, version: str) -> HTTPError | None:
    try:
        check_host(host, version)
    except HTTPError as error:
        return error.with_traceback(None)
    return None
