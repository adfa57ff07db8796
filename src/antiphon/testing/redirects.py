"""Which request follows a redirect (RFC 9110 §15.4)."""

import re

from antiphon.http.url import URL, unquote
from antiphon.testing.sent_request import SentRequest
from antiphon.testing.servers.exchange import Head

MOST = 20
"""Redirects that are followed in a row."""

_REDIRECTS = (301, 302, 303, 307, 308)

_dots = re.compile(r"(?<![^/])(?:\.|%2e){1,2}(?![^/])", re.IGNORECASE)


def next_request(request: SentRequest, head: Head) -> SentRequest | None:
    """The request that a browser would make next, or None: for other responses, and redirects to elsewhere.

    Elsewhere is what no HTTP server answers, such as ``mailto:``. Raises ValueError for a Location that is no
    URL, and for a body that would have to be sent again and can't be.
    """
    location = head.headers.get("location")
    if head.status not in _REDIRECTS or location is None:
        return None
    url = _resolve(request.url, location)
    if url.scheme not in ("http", "https") or not url.host:
        return None
    method = redirected_method(request.method, head.status)
    if method == request.method and not isinstance(request.content, bytes | list | tuple):
        raise ValueError(f"a {head.status} asks for the body a second time, but its iterator has been used up")
    return request.redirected(url, method)


def _resolve(base: URL, location: str) -> URL:
    """As browsers do: segments of dots are removed, also where the dots are escaped (URL Standard §4.1)."""
    path = location.partition("#")[0].partition("?")[0]
    return base.join(_dots.sub(lambda dots: unquote(dots[0]), path) + location[len(path) :])


def redirected_method(method: str, status: int) -> str:
    """The method after a redirect: a POST becomes a GET where browsers make it one."""
    if status == 303:
        return method if method == "HEAD" else "GET"
    return "GET" if status in (301, 302) and method == "POST" else method
