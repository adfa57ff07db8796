"""A mounted application around native handlers, which run inside its own request: with its hooks, session, messages and
error handlers. It alone writes the session's cookie.
"""

from collections.abc import Generator, Iterable
from importlib import import_module
from typing import Any, cast

from antiphon.adapters.foreign.wsgi import make_environ
from antiphon.app.application import App
from antiphon.app.blueprint import Routes
from antiphon.app.dispatch.middleware import middleware
from antiphon.app.work import end_when_sent
from antiphon.explanations import explained
from antiphon.frameworks.recognition import supporting
from antiphon.frameworks.webob import Pyramid
from antiphon.frameworks.werkzeug import Flask
from antiphon.http.errors import HTTPError
from antiphon.request.dependencies import Dependency, OfRequest
from antiphon.request.interfaces import FlashMessage, FlashMessages
from antiphon.request.request import Request
from antiphon.response.response import Response

AROUND = Dependency["FlaskSurroundings | PyramidSurroundings"](
    "surroundings", fix='app.mount("", old, around=[blueprint of the route])'
)


def surround(app: App, routes: Routes, application: Any) -> None:
    """Let an application that is mounted in an app surround the handlers of routes. Raises TypeError for others."""
    framework = supporting(application)
    kind = KINDS.get(type(framework))
    if kind is None or not isinstance(routes, Routes):
        wanted = "an application of Flask, Pyramid or their dialects around an App or its blueprints"
        raise explained("bad-mount", f"around needs {wanted}, not {application!r} around {routes!r}", TypeError)

    def inside(request: Request) -> Generator[Response | None, Response, Response | None]:
        if not request.route.name or AROUND in request:  # the mount itself or a refusal, or it is inside already
            yield None
            return None
        request[AROUND] = surroundings = kind(framework, application)
        steps = surroundings.steps(request)
        response = next(steps)
        if response is None:
            response = yield None
        made = cast("Response", steps.send(response))
        end_when_sent(request, made, steps.close)
        return made

    routes._registry.middleware.insert(0, middleware(inside, blocking=True, loads_body=True))
    if not app.is_provided(Request.session):
        app.provide(Request.session, lambda request: request[AROUND].session)
        app.provide(Request.flash, SharedMessages)
        app.template_context(get_flashed_messages=lambda request: request.flash.take)


class Surroundings:
    """What an application gives to a handler that it surrounds. A subclass does this for one framework.

    Its ``steps`` yield the response of a hook that refuses the request, or None, receive the handler's response, and
    yield the one to send. Once that was sent, they end the application's request.
    """

    def __init__(self, framework: Any, application: Any) -> None:
        self.framework, self.application = framework, application

    def enter(self, request: Request, given: Any) -> None:
        """Let handlers use the application's own request."""
        self.given = given
        request.framework = native = self.framework.native(given)
        native.head = request.head

    @property
    def session(self) -> Any:
        """The application's own session. Raises RuntimeError if it has none."""
        if (found := self.framework.session(self.given)) is None:
            raise explained("missing-feature", "the mounted application has no sessions, or no key", RuntimeError)
        return found

    def returned(self, made: Any, before: Response) -> Response:
        """Return one of the framework's own responses as a Response to send instead of the handler's."""
        response: Response = self.framework.returned(made)
        response.error, response.is_conditional = before.error, before.is_conditional
        if before.is_streamed and not response.body:
            response.body = before.body
        return response

    def module(self, name: str) -> Any:
        """Return a module of the framework, or of its dialect."""
        return import_module(f"{self.framework.above}{name}")


class FlaskSurroundings(Surroundings):
    """A Flask application, with the contexts of the application and the request."""

    def steps(self, request: Request) -> Generator[Response | None, Response, None]:
        app = self.application
        error: BaseException | None = None
        context = app.request_context(make_environ(request))
        context.push()
        try:
            given = context.request
            given.url_rule = app.url_rule_class(request.route.pattern, endpoint=request.route.name)
            given.view_args = dict(request.path_params)
            if context.url_adapter is not None:  # otherwise the host isn't trusted
                given.routing_exception = None
            self.enter(request, given)
            self.module("flask").request_started.send(app, _async_wrapper=app.ensure_sync)
            made, error = self._late((yield self._early()))
            yield made
        except Exception as raised:
            error = raised
            raise
        finally:
            context.pop(error)
            del error

    def _early(self) -> Response | None:
        app = self.application
        try:
            early = app.preprocess_request()
            if early is None and (refused := self.given.routing_exception) is not None:
                raise refused
        except Exception as error:
            early = app.handle_user_exception(error)
        return None if early is None else self.returned(self._made(early), Response())

    def _made(self, result: Any) -> Any:
        """Return the response of a hook or an error handler. That of an exception has a length, and is no stream."""
        return self.application.make_response(getattr(result, "get_response", lambda: result)())

    def _late(self, response: Response) -> tuple[Response, BaseException | None]:
        """Return the response to send, and the error of which functions for the teardown are told."""
        app, handled, error = self.application, None, response.error
        if isinstance(error, Exception):
            handled, error = self._handled(error)
        if handled is not None:
            made = self._made(handled)
        else:
            made = app.response_class(() if response.is_streamed else response.body, status=response.status)
            made.headers.clear()
            made.headers.extend(response.headers.items())
        return self.returned(app.finalize_request(made, from_error_handler=response.error is not None), response), error

    def _handled(self, error: Exception) -> tuple[Any, Exception | None]:
        """Return what the application's own error handler responds, or None, and the error unless it is handled."""
        app, errors = self.application, self.module("werkzeug.exceptions")
        if isinstance(error, HTTPError):
            error = errors.default_exceptions.get(error.status, errors.HTTPException)(error.detail)
        try:
            handled, left = app.handle_user_exception(error), None
        except Exception:
            self.module("flask").got_request_exception.send(app, _async_wrapper=app.ensure_sync, exception=error)
            left, error = error, errors.InternalServerError(original_exception=error)
            handled = app.handle_user_exception(error)
        return None if handled is error else handled, left

    def flash(self, message: object, category: str) -> None:
        """Queue a message."""
        self.module("flask").flash(message, category)

    def flashed(self, categories: tuple[str, ...]) -> Iterable[tuple[str, Any]]:
        """Return messages with their categories, which no page shows again."""
        return self.module("flask").get_flashed_messages(True, categories)  # type: ignore[no-any-return]


class PyramidSurroundings(Surroundings):
    """A Pyramid application, without its tweens and thread-locals."""

    def steps(self, request: Request) -> Generator[Response | None, Response, None]:
        app = self.application
        given = app.request_context(make_environ(request)).request
        try:
            given.matchdict = dict(request.path_params)
            given.root = given.context = app.root_factory(given)
            self.enter(request, given)
            app.registry.notify(self.module("pyramid.events").NewRequest(given))
            yield self._late(given, (yield None))
        finally:
            app.finish_request(given)

    def _late(self, given: Any, response: Response) -> Response:
        made = self._handled(given, response.error) if isinstance(response.error, Exception) else None
        if made is None:
            made = given.response
            made.status_int, made.headerlist = response.status, response.headers.items()
            made.body = b"" if response.is_streamed else response.body
        given._process_response_callbacks(made)
        self.application.registry.notify(self.module("pyramid.events").NewResponse(given, made))
        return self.returned(made, response)

    def _handled(self, given: Any, error: Exception) -> Any:
        """Return the response of the application's own exception view; None if it has none for this error."""
        errors = self.module("pyramid.httpexceptions")
        if isinstance(error, HTTPError):
            error = errors.status_map.get(error.status, errors.HTTPServerError)(error.detail)
        try:
            return given.invoke_exception_view((type(error), error, None))
        except errors.HTTPNotFound:
            return None

    def flash(self, message: object, category: str) -> None:
        """Queue a message; its category is the queue, of which the default one has no name."""
        self.session.flash(message, "" if category == "message" else category)

    def flashed(self, categories: tuple[str, ...]) -> Iterable[tuple[str, Any]]:
        """Return messages with their categories, which no page shows again."""
        queues = [name.removeprefix("_f_") for name in self.session if name.startswith("_f_")]
        wanted = [each for each in queues if not categories or (each or "message") in categories]
        return [(each or "message", message) for each in wanted for message in self.session.pop_flash(each)]


KINDS: dict[Any, type[FlaskSurroundings | PyramidSurroundings]] = {
    Flask: FlaskSurroundings,
    Pyramid: PyramidSurroundings,
}


class SharedMessages(OfRequest, FlashMessages):
    """The messages of the application around a handler, so that either side shows what the other has queued."""

    __slots__ = ()

    def __call__(self, message: object, category: str = "message") -> None:
        self._request[AROUND].flash(message, category)

    def take(self, *categories: str) -> list[FlashMessage]:
        return [FlashMessage(*each) for each in self._request[AROUND].flashed(categories)]
