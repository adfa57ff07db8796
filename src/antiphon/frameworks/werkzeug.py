"""Support for Werkzeug, Flask and Quart."""

import sys
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any
from weakref import ref

from antiphon.explanations import explained
from antiphon.frameworks.connection import by_cancellation
from antiphon.frameworks.framework import Framework, FrameworkResponse, ViewRoute
from antiphon.frameworks.recognition import unwrapped
from antiphon.frameworks.shared_bodies import encoded_form, environ_request, never, scope_request, whole_file
from antiphon.http.errors import HTTPError
from antiphon.http.limits import Limits
from antiphon.request.request import Request
from antiphon.response.response import Response


class Werkzeug(Framework):
    """Support for Werkzeug, whose requests have an environ and keep their data or the parsed form."""

    module = "werkzeug.wrappers"
    gives = frozenset({"user"})
    raises = (("werkzeug.exceptions", "HTTPException", "code", "description"),)

    def _package(self) -> Any:
        """Return the module of the framework's names, which is loaded, since it has made a request."""
        return sys.modules[self.above + self.module]

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
                request = environ_request(environ, _data_of(given))
        return request

    def limits(self, given: Any) -> Limits:
        """Return ``MAX_CONTENT_LENGTH``, ``MAX_FORM_MEMORY_SIZE`` and ``MAX_FORM_PARTS``."""
        most, memory = given.max_content_length, given.max_form_memory_size
        if memory is not None and given.mimetype == "application/x-www-form-urlencoded":
            most = memory if most is None else min(most, memory)
        return self.own_limits(body=most, form=memory, parts=given.max_form_parts)

    def response(self, response: FrameworkResponse, given: Any) -> Any:
        """Return a Werkzeug, Flask or Quart response."""
        made = self._package().Response(response.body, status=response.status)
        made.headers.clear()
        made.headers.extend(response.fields)
        return made

    def told(self, error: Any) -> HTTPError | Response | None:
        """Return an error, or a response, which ``abort`` may also have been given."""
        given = getattr(error, "response", None) or ((error.code or 500) < 400 and error.get_response())
        return self.returned(given) if given else super().told(error)

    def content(self, given: Any) -> Any:
        """Return the content, or the chunks of a stream, which close the response."""
        return given.get_app_iter({"REQUEST_METHOD": "GET"}) if given.is_streamed else given.get_data()


class Flask(Werkzeug):
    """Support for Flask, which doesn't pass its request to views."""

    module = "flask"
    awaits_coroutine_functions = True
    gives = frozenset({"user", "session"})

    def user(self, given: Any) -> Any:
        """Return the user of Flask-Login, otherwise REMOTE_USER from the server or middleware."""
        user = self._logged_in()
        return super().user(given) if user is None else user

    def _logged_in(self) -> Any:
        """Return the user of Flask-Login, or None for an anonymous visitor or an application without logins."""
        package = self._package()
        if "flask_login" not in sys.modules or not package.has_request_context():  # the request may have ended
            return None
        if getattr(package.current_app, "login_manager", None) is None:
            return None
        user = sys.modules["flask_login"].current_user._get_current_object()
        return user if getattr(user, "is_authenticated", False) else None

    def user_id(self, given: Any) -> object:
        """Return the id by which Flask-Login knows its user."""
        user = self._logged_in()
        return None if user is None else user.get_id()

    def login_cookies(self, given: Any) -> tuple[str, ...]:
        """Return the cookies of the session that belongs to Flask-Login's user. Another loader may have found it."""
        known, session = self.user_id(given), self.session(given)
        if known is None or session is None or session.get("_user_id") != known:
            return ()
        config = self._package().current_app.config
        return config["SESSION_COOKIE_NAME"], config.get("REMEMBER_COOKIE_NAME", "remember_token")

    def session(self, given: Any) -> Any:
        """Return the session of the current context; None if there is no secret key."""
        session = self._package().session._get_current_object()
        return None if type(session).__name__ == "NullSession" else session

    def add_route(self, app: Any, route: ViewRoute) -> None:
        """Add a view to an application or a blueprint; the view handles other methods itself."""
        app.add_url_rule(route.path, route.name, route.view, methods=route.methods, provide_automatic_options=False)

    def current(self) -> Any:
        """Return the request of the current context."""
        module = sys.modules.get(self.above + self.module)
        return module.request if module is not None and module.has_request_context() else None

    def failure(self, given: Any, error: Exception, response: FrameworkResponse) -> Exception:
        """Return the error itself, which signals and functions for the teardown also see, or, as ``abort`` of Flask
        does, an exception that is the response.
        """
        made: Any = self.response(response, given)
        if isinstance(error, HTTPError):
            raised: Exception = import_module(f"{self.above}werkzeug.exceptions").HTTPException(response=made)
            return raised
        app, kinds = self._package().current_app, type(error).__mro__
        known = [app.error_handler_spec[name][None] for name in (*given.blueprints, None)]
        if not any(kind in handlers for handlers in known for kind in kinds[: kinds.index(Exception)]):
            self._package().after_this_request(self._replacing(made))
        return error

    def _replacing(self, made: Any) -> Any:
        return lambda _response: made

    def respond_to_errors(self, given: Any) -> None:
        """Add an error handler to the current app, for errors in any blueprint without its own handler."""
        app = self._package().current_app
        app.error_handler_spec[None][None].setdefault(HTTPError, self._respond_to_error)

    def _respond_to_error(self, error: HTTPError) -> Any:
        return self.error_response(error, unwrapped(self.current()))


class Kay(Werkzeug):
    """Support for Kay, a dialect whose requests have a user and a session if the settings name them."""

    module = "kay.werkzeug.wrappers"
    gives = frozenset({"user", "session"})

    def user(self, given: Any) -> Any:
        """Return the user of AUTH_USER_BACKEND, otherwise REMOTE_USER from the server or middleware."""
        user = getattr(given, "user", None)
        is_anonymous = getattr(user, "is_anonymous", user is None)
        is_nobody = is_anonymous() if callable(is_anonymous) else is_anonymous
        return super().user(given) if is_nobody else user

    def user_id(self, given: Any) -> object:
        """Return the ``key()`` of a model, by which the backend finds it again."""
        key = getattr(self.user(given), "key", None)
        return key() if callable(key) else None

    def session(self, given: Any) -> Any:
        """Return the session of SessionMiddleware."""
        return getattr(given, "session", None)


class Quart(Flask):
    """Support for Quart, on an event loop, where a task of its server receives the body."""

    relied_on = "_form", "_files"
    seen_in = "quart", "0.23"
    is_async = needs_async_views = True
    module = "quart"
    gives = frozenset({"session"})

    def content(self, given: Any) -> Any:
        """Return the content, or the chunks of a stream."""
        return getattr(given.response, "data", None) or _chunks_of(given.response)

    def user(self, given: Any) -> None:
        """Return None: Quart has no users."""

    def _logged_in(self) -> None:
        """Return None, as Flask-Login is not for Quart."""

    def request(self, given: Any, second: Any = None) -> Request:
        """Return the request with the data of the body that has arrived; ``aload`` waits for the rest."""
        request = scope_request(given.scope, _ReceivedByQuart(given))
        request.head.has_left = by_cancellation()  # type: ignore[attr-defined]  # of the head of a scope
        return request

    def _replacing(self, made: Any) -> Any:
        async def replace(_response: Any) -> Any:
            return made

        return replace

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
            "view-on-thread", 'a view in Quart is `async def`, or looks like it: @view(interface="asgi")', TypeError
        )


async def _chunks_of(body: Any) -> AsyncIterator[bytes]:
    async with body as chunks:
        async for chunk in chunks:
            yield chunk


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
