"""The application for WSGI servers, although every application supports WSGI."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from antiphon.dialects.microdot import (
    AsyncBytesIO,
    Request,
    Response,
    URLPattern,
    abort,
    iscoroutine,
    redirect,
    send_file,
)
from antiphon.dialects.microdot.application import Microdot as BaseMicrodot
from antiphon.dialects.microdot.mappings import NoCaseDict
from antiphon.dialects.microdot.websocket import WebSocket, websocket_upgrade, with_websocket

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = [
    "AsyncBytesIO", "Microdot", "NoCaseDict", "Request", "Response", "URLPattern", "WebSocket", "abort",
    "iscoroutine", "redirect", "send_file", "websocket_upgrade", "with_websocket",
]  # fmt: skip


class Microdot(BaseMicrodot):
    """A web application."""

    def __call__(self, head: Any, second: Any, send: Any = None, /) -> Any:
        """Handle a call from a WSGI server with ``wsgi_app``, or from an ASGI server."""
        return self.wsgi_app(head, second) if send is None else super().__call__(head, second, send)

    def wsgi_app(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a call from a WSGI server. Override it, or replace it with a WSGI application that wraps this one."""
        return super().__call__(environ, start_response)
