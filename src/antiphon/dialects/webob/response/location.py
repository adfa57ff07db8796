"""The Location of a response, made absolute when it is sent (RFC 9110 §10.2.2)."""

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from antiphon.dialects.webob.header_values import SCHEME_RE

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_is_plain_path = re.compile(r"/(?![/.])(?>(?:[^\t\r\n/]++|/(?!\.))*)").fullmatch
"""Match an absolute path without dot segments and without what browsers drop: it is resolved by putting it after."""
_DROPPED_BY_BROWSERS = str.maketrans("", "", "\t\r\n")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def absolute_location(environ: "WSGIEnvironment", location: str) -> str:
    """Return a location as a URL: one with a scheme as it is, any other as a path on the host of the request.

    Only a location with a scheme can lead to another host. Browsers drop tabs and line ends before they read it, so
    they are dropped here, too, before it is looked at. Control characters and what is not ASCII are percent-encoded:
    not every interface could send them. Raises UnicodeEncodeError for a lone surrogate.
    """
    url = _resolved(environ, location)
    if url.isascii() and url.isprintable():
        return url
    from antiphon.http.urls.url import as_uri

    return as_uri(url)


def _resolved(environ: "WSGIEnvironment", location: str) -> str:
    if _is_plain_path(location):
        return _origin(environ) + location
    location = location.translate(_DROPPED_BY_BROWSERS)
    if SCHEME_RE.match(location):
        return location
    if location.startswith("//"):
        location = f"/%2f{location[2:]}"
    from antiphon.http.urls.url import resolve  # late: most locations are plain paths

    return resolve(request_uri(environ), location)


def request_uri(environ: "WSGIEnvironment") -> str:
    """Return the URL of a request without its query, and without the default port of its scheme."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return _origin(environ) + quote(path.encode("latin-1"))


def _origin(environ: "WSGIEnvironment") -> str:
    scheme = environ["wsgi.url_scheme"]
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return f"{scheme}://{host.removesuffix(_DEFAULT_PORTS.get(scheme, ':'))}"
