"""The application for WSGI servers. Every application speaks WSGI."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

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
from antiphon.dialects.microdot.absent import without_websockets
from antiphon.dialects.microdot.application import Microdot as BaseMicrodot
from antiphon.dialects.microdot.mappings import NoCaseDict

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = [
    "AsyncBytesIO",
    "Microdot",
    "NoCaseDict",
    "Request",
    "Response",
    "URLPattern",
    "abort",
    "iscoroutine",
    "redirect",
    "send_file",
]

__getattr__ = without_websockets(__name__)


class Microdot(BaseMicrodot):
    """A web application."""

    def wsgi_app(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a WSGI server."""
        return self(environ, start_response)
