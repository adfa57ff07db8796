"""The application for ASGI servers. Every application supports ASGI; this one adds lifespan functions."""

from typing import Any

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
from antiphon.dialects.microdot.application import Lifespan, LifespanFunction, overridable
from antiphon.dialects.microdot.application import Microdot as BaseMicrodot
from antiphon.dialects.microdot.mappings import NoCaseDict
from antiphon.dialects.microdot.websocket import WebSocket, websocket_upgrade, with_websocket

__all__ = [
    "AsyncBytesIO", "Microdot", "NoCaseDict", "Request", "Response", "URLPattern", "WebSocket", "abort",
    "iscoroutine", "redirect", "send_file", "websocket_upgrade", "with_websocket",
]  # fmt: skip


class Microdot(BaseMicrodot):
    """A web application with coroutine functions to run before the first request and after the last one.

    Each receives a lifespan scope as in ASGI. They run under every server.
    """

    def __init__(
        self, lifespan_startup: LifespanFunction | None = None, lifespan_shutdown: LifespanFunction | None = None
    ) -> None:
        super().__init__()
        self.lifespan_startup = lifespan_startup
        self.lifespan_shutdown = lifespan_shutdown

    @property
    def _lifecycle(self) -> Lifespan:
        """The functions to run before the first request and after the last one."""
        return Lifespan(self.lifespan_startup, self.lifespan_shutdown)

    def __call__(self, head: Any, second: Any, send: Any = None, /) -> Any:
        """Handle a call from an ASGI server, with ``asgi_app`` if that is overridden, or from a WSGI server."""
        if send is None:
            return super().__call__(head, second)
        if "asgi_app" in self.overridden:
            return self.asgi_app(head, second, send)
        return super().__call__(head, second, send)

    @overridable
    async def asgi_app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Handle an ASGI server's call. Override it, or replace it with an ASGI application that wraps this one."""
        await super().__call__(scope, receive, send)
