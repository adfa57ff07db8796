"""The host that an environ names."""

from functools import lru_cache
from typing import TYPE_CHECKING

from antiphon.http import BadRequest
from antiphon.http.head import check_host

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_LONGEST_KNOWN = 300
"""Characters of the longest host that is remembered."""


def host_mistake(environ: "WSGIEnvironment") -> str | None:
    """Return what is wrong with the Host of an environ; None for a well-formed one, and without any."""
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
