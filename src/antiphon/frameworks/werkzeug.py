"""Support for Werkzeug, Flask and Quart."""

import sys
from typing import Any
from weakref import ref

from antiphon.explanations import explained
from antiphon.frameworks.framework import ALL_METHODS, Framework, FrameworkResponse, ViewRoute, own_limits
from antiphon.frameworks.shared_bodies import (
    encoded_form,
    environ_request,
    never,
    read_request,
    scope_request,
    whole_file,
)
from antiphon.http.errors import HTTPError
from antiphon.http.limits import Limits
from antiphon.request.request import Request


class Werkzeug(Framework):
    """Support for Werkzeug, whose requests have an environ and keep their data or the parsed form."""

    module = "werkzeug.wrappers"
    gives = frozenset({"user"})

    def user(self, given: Any) -> Any:
        """Return REMOTE_USER from the server or middleware."""
        return given.remote_user

    def request(self, given: Any, second: Any = None) -> Request:
        """Return the request."""
        environ = given.environ
        request = environ_request(environ)
        if request.head.has_body:
            known = vars(given)
            if "form" in known or "stream" in known:
                request = read_request(environ, _data_of(given))
        return request

    def limits(self, given: Any) -> Limits:
        """Return ``MAX_CONTENT_LENGTH``, ``MAX_FORM_MEMORY_SIZE`` and ``MAX_FORM_PARTS``."""
        most, memory = given.max_content_length, given.max_form_memory_size
        if memory is not None and given.mimetype == "application/x-www-form-urlencoded":
            most = memory if most is None else min(most, memory)
        return own_limits(body=most, form=memory, parts=given.max_form_parts)

    def response(self, response: FrameworkResponse, given: Any) -> Any:
        """Return a Werkzeug, Flask or Quart response."""
        made = sys.modules[self.module].Response(response.body, status=response.status)
        made.headers.clear()
        made.headers.extend(response.fields)
        return made


class Flask(Werkzeug):
    """Support for Flask, which doesn't pass its request to views."""

    module = "flask"
    awaits_coroutine_functions = True
    gives = frozenset({"user", "session"})

    def session(self, given: Any) -> Any:
        """Return the session of the current context; None if there is no secret key."""
        session = sys.modules[self.module].session._get_current_object()
        return None if type(session).__name__ == "NullSession" else session

    def add_route(self, app: Any, route: ViewRoute) -> None:
        """Add a view to an application or a blueprint; the view handles other methods itself."""
        app.add_url_rule(route.path, route.name, route.view, methods=ALL_METHODS, provide_automatic_options=False)

    def current(self) -> Any:
        """Return the request of the current context."""
        module = sys.modules.get(self.module)
        return module.request if module is not None and module.has_request_context() else None

    def respond_to_errors(self, given: Any) -> None:
        """Add an error handler to the current app, for errors in any blueprint without its own handler."""
        app = sys.modules[self.module].current_app
        app.error_handler_spec[None][None].setdefault(HTTPError, self._respond_to_error)

    def _respond_to_error(self, error: HTTPError) -> Any:
        from antiphon.frameworks.recognition import error_like

        return error_like(error, self.current())


class Quart(Flask):
    """Support for Quart, on an event loop, where a task of its server receives the body."""

    relied_on = "_form", "_files"
    seen_in = "quart", "0.23"
    is_async = needs_async_views = True
    module = "quart"
    gives = frozenset({"session"})

    def user(self, given: Any) -> None:
        """Return None: Quart has no users."""

    def request(self, given: Any, second: Any = None) -> Request:
        """Return the request with the data of the body that has arrived; ``aload`` waits for the rest."""
        from antiphon.frameworks.connection import by_cancellation

        request = scope_request(given.scope, _ReceivedByQuart(given))
        request.head.has_left = by_cancellation()  # type: ignore[attr-defined]  # of the head of a scope
        return request

    async def _respond_to_error(self, error: HTTPError) -> Any:  # Quart calls others on threads, away from its loop
        return super()._respond_to_error(error)

    async def aload(self, given: Any, request: Request) -> None:
        """Wait for the body, which Quart also keeps. Raises Quart's error above its limit."""
        content = request.content
        if request.head.has_body and not content.is_complete:
            data = await _data_from_quart(given)
            content.data, content.is_complete, content.received = data, True, len(data)

    def run_on_loop(self, function: Any) -> Any:
        """Raise TypeError, because code on a Quart thread can't find its loop."""
        raise explained(
            "view-on-thread", TypeError('a view in Quart is `async def`, or looks like it: @view(interface="asgi")')
        )


class _ReceivedByQuart:
    """The body as received by Quart, as a single message."""

    def __init__(self, given: Any) -> None:
        self._given: Any = ref(given)

    async def __call__(self) -> dict[str, Any]:
        given, self._given = self._given(), tuple
        return {"type": "http.request", "body": await _data_from_quart(given)} if given else await never()


async def _data_from_quart(given: Any) -> bytes:
    data: bytes = await given.get_data(cache=True, parse_form_data=False)
    form = getattr(given, "_form", None)
    if data or form is None:
        return data
    return encoded_form(given.content_type or "", form.items(multi=True), _files_of(given._files))


def _data_of(given: Any) -> bytes:
    data: bytes = given.get_data(cache=True)
    if data or "form" not in vars(given):
        return data
    return encoded_form(given.content_type or "", given.form.items(multi=True), _files_of(given.files))


def _files_of(files: Any) -> list[tuple[str, Any, bytes]]:
    chosen = files.items(multi=True) if files is not None else ()
    return [(name, file, whole_file(file.stream)) for name, file in chosen]
