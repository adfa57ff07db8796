"""Requests that are sent: to a WSGI application in this process, or to a server."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from antiphon.dialects._environ.calling import call_application
from antiphon.dialects.webob.environ_properties import made_on_use
from antiphon.dialects.webob.keywords import also_called
from antiphon.dialects.webob.request.body import RequestBody

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Answer: TypeAlias = tuple[str, list[tuple[str, str]], Iterable[bytes]]
"""The status line, the header fields and the body of a response."""
CaughtAnswer: TypeAlias = tuple[str, list[tuple[str, str]], Iterable[bytes], Any]


class RequestSending(RequestBody):
    """A request that can be sent."""

    @made_on_use
    def ResponseClass() -> Any:  # noqa: N802 - its name
        """The class of responses."""
        from antiphon.dialects.webob.response import Response

        return Response

    @overload
    def call_application(self, application: "WSGIApplication", catch_exc_info: Literal[False] = False) -> Answer: ...
    @overload
    def call_application(self, application: "WSGIApplication", catch_exc_info: Literal[True]) -> CaughtAnswer: ...
    def call_application(self, application: "WSGIApplication", catch_exc_info: bool = False) -> Answer | CaughtAnswer:
        """Call a WSGI application, and return status line, header fields and body of its answer. Close the body.

        With ``catch_exc_info`` the error that the application answers is returned, too, as a triple, or None; without,
        it is raised.
        """
        if self.is_body_seekable:
            self.body_file_raw.seek(0)
        caught: list[Any] = []
        body, status, fields = call_application(application, self.environ, caught=caught if catch_exc_info else None)
        return (status, fields, body, caught[-1] if caught else None) if catch_exc_info else (status, fields, body)

    @also_called("wsgi_application", "application")
    def send(self, application: "WSGIApplication | None" = None, catch_exc_info: bool = False) -> Any:
        """Return the response of a WSGI application; of the server that the URL names without an application.

        With ``catch_exc_info`` an error that the application answers is not raised.
        """
        application = self.make_default_send_app() if application is None else application
        if catch_exc_info:
            status, fields, body, _ = self.call_application(application, catch_exc_info=True)
        else:
            status, fields, body = self.call_application(application)
        return self.ResponseClass(status=status, headerlist=list(fields), app_iter=body)

    get_response = send

    def make_default_send_app(self) -> "WSGIApplication":
        """Return the application that ``send`` calls if none is given: one that sends requests to servers."""
        from antiphon.dialects.webob.client import send_request_app

        return send_request_app
