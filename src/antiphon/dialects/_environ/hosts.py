"""The host that an environ names."""

from functools import lru_cache
from typing import TYPE_CHECKING

from antiphon.http import BadRequest
from antiphon.http.head import check_host

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_LONGEST_KNOWN = 300
"""The length of the longest host that is remembered, in characters."""


def host_mistake(environ: "WSGIEnvironment") -> str | None:
    """Return the error in the Host of an environ, or None if it is well-formed or missing."""
    host: str | None = environ.get("HTTP_HOST")
    if not host:
        return None
    return _mistake(host) if len(host) <= _LONGEST_KNOWN else _mistake.__wrapped__(host)


@lru_cache(256)
def _mistake(host: str) -> str | None:
    try:
        check_host(host, "1.1")
    except BadRequest as error:
        return error.detail
    return None
