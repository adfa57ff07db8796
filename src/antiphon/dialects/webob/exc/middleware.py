"""Middleware that answers with exceptions of HTTP."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from antiphon.dialects.webob.exc.base import HTTPException
from antiphon.dialects.webob.lines import Lines

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class HTTPExceptionMiddleware:
    """A WSGI application around another one, which answers with the HTTP exceptions that the other raises when called.

    Those that the body raises pass: by then the head is sent.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""
        try:
            return self.application(environ, start_response)
        except HTTPException as raised:
            raised_here = sys.exc_info()

            def start(status: str, headers: Lines, exc_info: Any = None) -> Any:
                return start_response(status, headers, exc_info or raised_here)

            return raised(environ, start)
