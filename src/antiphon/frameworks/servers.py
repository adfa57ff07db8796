"""Requests straight from servers: a WSGI environ, an ASGI scope, an RSGI scope and protocol."""

from typing import Any

from antiphon.explanations import explained
from antiphon.frameworks.answer import Answer
from antiphon.frameworks.framework import Framework
from antiphon.frameworks.shared_bodies import environ_request, scope_request
from antiphon.request.request import Request
from antiphon.response.response import Response


class Servers(Framework):
    """The arguments of an application: an environ, or a scope and a second one. The answer is also an application."""

    def runs_on_loop(self, given: Any) -> bool:
        """Return True for a scope."""
        return not isinstance(given, dict) or "REQUEST_METHOD" not in given

    def request(self, given: Any, second: Any = None) -> Request:
        """Return the request. Raises TypeError for a scope without its second argument, or of a different type."""
        if isinstance(given, dict):
            if "REQUEST_METHOD" in given:
                return environ_request(given)
            if given.get("type") == "http" and second is not None:
                return scope_request(given, second)
        elif second is not None:
            from antiphon.adapters.rsgi import RSGIHead

            return Request(RSGIHead(given, second))
        raise explained(
            "unknown-request",
            TypeError(
                "a request is made from an environ, from an ASGI scope of the type http and its receive, or from an"
                " RSGI scope and its protocol: Request.of(scope, receive)"
            ),
        )

    def response(self, answer: Answer, given: Any) -> Response:
        """Return a response that is an application for the server."""
        return answer.response
