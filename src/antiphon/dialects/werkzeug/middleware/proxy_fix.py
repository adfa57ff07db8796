"""Middleware that trusts the X-Forwarded headers of known proxies."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from antiphon.dialects.werkzeug.tokens import parse_list_header

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SCHEMES = ("http", "https", "ws", "wss")
_REPLACED = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME")


class ProxyFix:
    """Middleware that reads X-Forwarded-For, -Proto, -Host, -Port and -Prefix.

    Each argument is the number of proxies that set the header. The value that the outermost of them added is trusted.
    If a header has fewer values, it is ignored. Clients can send any of these headers, so for each header, count only
    the proxies that set it. The original values are in the environ under "werkzeug.proxy_fix.orig".
    """

    def __init__(
        self,
        app: "WSGIApplication",
        x_for: int = 1,
        x_proto: int = 1,
        x_host: int = 0,
        x_port: int = 0,
        x_prefix: int = 0,
    ) -> None:
        self.app = app
        self.x_for = x_for
        self.x_proto = x_proto
        self.x_host = x_host
        self.x_port = x_port
        self.x_prefix = x_prefix

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ["werkzeug.proxy_fix.orig"] = {key: environ.get(key) for key in _REPLACED}
        if client := _believed(environ, "FOR", self.x_for):
            environ["REMOTE_ADDR"] = client
        scheme = _believed(environ, "PROTO", self.x_proto)
        if scheme in _SCHEMES:  # any other, such as javascript, would end up in links and redirects
            environ["wsgi.url_scheme"] = scheme
        if host := _believed(environ, "HOST", self.x_host):
            _set_host(environ, host)
        if port := _believed(environ, "PORT", self.x_port):
            _set_port(environ, port)
        if prefix := _believed(environ, "PREFIX", self.x_prefix):
            environ["SCRIPT_NAME"] = prefix
        return self.app(environ, start_response)


def _believed(environ: "WSGIEnvironment", name: str, proxies: int) -> str | None:
    """Return the value that the outermost of these proxies added to a header, or None."""
    written: str | None = environ.get(f"HTTP_X_FORWARDED_{name}")
    if not proxies or not written:
        return None
    values = parse_list_header(written)
    return values[-proxies] if len(values) >= proxies else None


def _set_host(environ: "WSGIEnvironment", host: str) -> None:
    environ["HTTP_HOST"] = environ["SERVER_NAME"] = host
    if _has_port(host):
        environ["SERVER_NAME"], _, environ["SERVER_PORT"] = host.rpartition(":")


def _set_port(environ: "WSGIEnvironment", port: str) -> None:
    if host := environ.get("HTTP_HOST"):
        name = host.rpartition(":")[0] if _has_port(host) else host
        environ["HTTP_HOST"] = f"{name}:{port}"
    environ["SERVER_PORT"] = port


def _has_port(host: str) -> bool:
    return ":" in host and not host.endswith("]")
