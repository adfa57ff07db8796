"""Support for Bottle, which doesn't pass its request to views."""

import sys
from collections.abc import Mapping
from typing import Any

from antiphon.frameworks.framework import Framework, FrameworkRequest, FrameworkResponse, ViewRoute
from antiphon.frameworks.shared_bodies import environ_request
from antiphon.http.errors import HTTPError
from antiphon.http.limits import Limits
from antiphon.request.request import Request


class _Visitor(FrameworkRequest):
    """The visitor of a Bottle request, based on REMOTE_USER from the server or middleware."""

    __slots__ = ("_name",)

    def __init__(self, framework: Framework, given: Any) -> None:
        super().__init__(framework, given)
        self._name = given.environ.get("REMOTE_USER")

    @property
    def user(self) -> Any:
        """The user's name."""
        return self._name


class Bottle(Framework):
    """Support for Bottle, whose request is an environ, with the body in a file once it has been read."""

    parameters = "<{}>", "<{}:path>"
    gives = frozenset({"user"})
    raises = (("bottle", "HTTPError", "status_code", "body"), ("bottle", "HTTPResponse", ""))

    def native(self, given: Any) -> FrameworkRequest:
        """Return the visitor. The name is read now, because the request can be read only on this thread."""
        return _Visitor(self, given)

    def add_route(self, app: Any, route: ViewRoute) -> None:
        """Add a view to an application; the view handles other methods itself."""
        app.route(route.path, "ANY", route.view, name=route.name)

    def request(self, given: Any, second: Any = None) -> Request:
        """Return the request."""
        environ = given.environ
        if "bottle.request.body" in environ:
            body = given.body  # from its start
            data = body.read()
            body.seek(0)
            return environ_request(environ, data)
        return environ_request(environ)

    def limits(self, given: Any) -> Limits:
        """Return ``MEMFILE_MAX``, which Bottle applies to forms and JSON."""
        most = given.MEMFILE_MAX
        if given.content_type.lower().startswith("application/x-www-form-urlencoded"):
            return self.own_limits(body=most)
        return self.own_limits(form=most, json=most)

    def path_params(self, given: Any) -> Mapping[str, Any]:
        """Return no parameters, because Bottle passes them to the view."""
        return {}

    def failure(self, given: Any, error: Exception, response: FrameworkResponse) -> Exception:
        """Return the error itself or, as ``abort`` of Bottle does, an HTTPError, which plugins also see."""
        from bottle import HTTPError as BottleError

        app, is_expected = given.environ["bottle.app"], isinstance(error, HTTPError)
        status = response.status if is_expected else 500
        self.keep_response(given.environ, error, response)
        handler = app.error_handler.get(status, app.default_error_handler)
        if not isinstance(handler, _Responder):
            app.error_handler[status] = _Responder(handler)
        return BottleError(status, exception=error) if is_expected else error

    def response(self, response: FrameworkResponse, given: Any) -> Any:
        """Return a Bottle response."""
        from bottle import HTTPResponse

        made: Any = HTTPResponse(status=response.status)
        made.body = response.body
        for name, value in response.fields:
            made.add_header(name.title(), value)
        return made

    def current(self) -> Any:
        """Return the request that Bottle is handling on this thread, if there is one."""
        module = sys.modules.get("bottle")
        if module is None:
            return None
        try:
            return module.request if "REQUEST_METHOD" in module.request.environ else None
        except RuntimeError:  # this thread has not handled any request
            return None


class _Responder:
    """A handler that responds to the errors of views, and leaves all others to the app's own handler."""

    def __init__(self, own: Any) -> None:
        self._own = own

    def __call__(self, raised: Any) -> Any:
        from bottle import request, response

        made: FrameworkResponse | None = Framework.take_response(request.environ, raised.exception)
        if made is None:
            return self._own(raised)
        response.status = made.status
        for name in dict(made.fields):
            response.headers.pop(name.title(), None)
        for name, value in made.fields:
            response.add_header(name.title(), value)
        return made.body
