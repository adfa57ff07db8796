"""WebOb and Pyramid."""

from collections.abc import Mapping
from typing import Any

from antiphon.frameworks.framework import Answer, Framework
from antiphon.frameworks.shared_bodies import environ_request
from antiphon.request.request import Request


class WebOb(Framework):
    """WebOb and Pyramid, whose request is an environ with an input that can be read again from its start."""

    def owns(self, given: Any) -> bool:
        """Return True for a request."""
        return hasattr(given, "environ")

    def request(self, given: Any, second: Any = None) -> Request:
        """Return the request."""
        return environ_request(given.environ)

    def path_params(self, given: Any) -> Mapping[str, Any]:
        """Return the parameters of a route of Pyramid."""
        return getattr(given, "matchdict", None) or {}

    def response(self, answer: Answer, given: Any) -> Any:
        """Return a response of the request's own class, such as Pyramid's."""
        made = (getattr(given, "ResponseClass", None) or _of_webob())()
        made.status_int = answer.status
        if isinstance(answer.body, bytes):
            made.body = answer.body
        else:
            made.app_iter = answer.body
        made.headerlist = [*answer.fields]
        return made


def _of_webob() -> Any:
    from webob import Response

    return Response
