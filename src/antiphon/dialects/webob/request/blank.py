"""Environs of requests that are made here, for tests and subrequests."""

import re
import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from antiphon.dialects.webob.request.multipart_body import has_files, multipart, new_boundary, urlencoded
from antiphon.http.urls.percent import percent_decode

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_PORTS = {"http": ":80", "https": ":443"}
_has_scheme = re.compile(r"[a-z]+:", re.IGNORECASE).match
_boundary = re.compile(r'boundary=("[^"]*"|[^ ;]+)', re.IGNORECASE).search


def environ_from_url(path: str) -> "WSGIEnvironment":
    """Return the environ of a GET request for a URL, or for a path, at localhost then.

    Raises TypeError for a fragment, and a scheme other than `http` and `https`.
    """
    scheme, host = "http", "localhost:80"
    if _has_scheme(path):
        scheme, host, path, query, fragment = urlsplit(path)
        if fragment:
            raise TypeError(f"a request has no fragment: {fragment!r:.200}")
        path = f"{path}?{query}" if query else path
        host = _with_port(scheme, host, TypeError)
    before, _, query = path.partition("?")
    name, _, port = host.rpartition(":")
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquoted(before),
        "QUERY_STRING": query,
        "SERVER_NAME": name,
        "SERVER_PORT": port,
        "HTTP_HOST": host,
        "SERVER_PROTOCOL": "HTTP/1.0",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def unquoted(path: str) -> str:
    """Return a path of a URL as an environ has it."""
    return percent_decode(path.encode()).decode("latin-1")


def _with_port(scheme: str, host: str, error: type[Exception]) -> str:
    if ":" in host.rpartition("]")[2]:
        return host
    if scheme not in _PORTS:
        raise error(f"a request has the scheme http or https, not {scheme!r:.200}")
    return host + _PORTS[scheme]


def set_base(environ: "WSGIEnvironment", base_url: str) -> None:
    """Set scheme, host and the application's path. Raises ValueError for a URL with a query, a fragment, or a scheme
    other than `http` and `https`.
    """
    scheme, host, path, query, fragment = urlsplit(base_url)
    if query or fragment:
        raise ValueError(f"a base URL has no query and no fragment: {base_url!r:.200}")
    if scheme:
        environ["wsgi.url_scheme"] = scheme
    if host:
        host = _with_port(scheme, host, ValueError)
        environ["SERVER_NAME"], _, environ["SERVER_PORT"] = host.rpartition(":")
        environ["HTTP_HOST"] = host
    if path:
        environ["SCRIPT_NAME"] = unquoted(path)


def set_form(environ: "WSGIEnvironment", data: Any, content_type: str | None = None, charset: str = "utf-8") -> None:
    """Set the body: bytes, ASCII text, or the fields of a form, in a mapping or in pairs. The method becomes POST.

    A field with a file is a pair of filename and content, or an object with a filename. Raises ValueError if the
    content type is not one of forms, or not one of files. None changes nothing.
    """
    if data is None:
        return
    if environ["REQUEST_METHOD"] not in ("POST", "PUT", "PATCH"):
        environ["REQUEST_METHOD"] = "POST"
    if isinstance(data, str):
        data = data.encode("ascii")
    if not isinstance(data, bytes):
        data, content_type = _encoded([*(data.items() if hasattr(data, "items") else data)], content_type, charset)
    environ["wsgi.input"] = BytesIO(data)
    environ["webob.is_body_seekable"] = True
    environ["CONTENT_LENGTH"] = str(len(data))
    environ["CONTENT_TYPE"] = content_type or "application/x-www-form-urlencoded"


def _encoded(fields: list[tuple[Any, Any]], content_type: str | None, charset: str) -> tuple[bytes, str]:
    files = has_files(fields)
    kind = content_type or ("multipart/form-data" if files else "application/x-www-form-urlencoded")
    if kind.startswith("multipart/form-data"):
        given = _boundary(kind)
        boundary = given[1].strip('"') if given else new_boundary()
        return multipart(fields, boundary, charset), kind if given else f"{kind}; boundary={boundary}"
    if not kind.startswith("application/x-www-form-urlencoded"):
        raise ValueError(f"the body of a request of type {kind!r:.200} is given in bytes, not as fields")
    if files:
        raise ValueError(f"a form of type {kind!r:.200} has no files: leave the content type out")
    return urlencoded(fields, charset), kind
