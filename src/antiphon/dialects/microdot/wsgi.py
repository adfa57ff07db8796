"""The application for WSGI servers. Every application speaks WSGI."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

from antiphon.dialects.microdot import AsyncBytesIO, Request, Response, URLPattern, abort, redirect, send_file
from antiphon.dialects.microdot.absent import not_offered
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
    "redirect",
    "send_file",
]


class Microdot(BaseMicrodot):
    """A web application."""

    def wsgi_app(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a WSGI server."""
        return self(environ, start_response)


def __getattr__(name: str) -> NoReturn:
    if "websocket" in name.lower():
        raise not_offered(f"wsgi.{name}", "WebSockets are refused by all of Antiphon's adapters")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
