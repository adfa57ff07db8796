# pyright: reportMissingImports=false
"""Support for Starlette, FastAPI and Litestar."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any, ClassVar

from antiphon.concurrency.crossing import Crossing
from antiphon.explanations import explained
from antiphon.frameworks.framework import Ended, Framework, FrameworkResponse, ViewRoute
from antiphon.frameworks.shared_bodies import BODY, encoded_form, refuse_reread, replaying, scope_request, whole_file
from antiphon.handler.callables import is_async
from antiphon.http.errors import HTTPError
from antiphon.http.limits import Limits
from antiphon.lazy import class_if_imported
from antiphon.request.request import Request
from antiphon.response.response import Response


class Starlette(Framework):
    """Support for Starlette and FastAPI, whose requests have a scope and ``receive``, and keep the body once read."""

    is_async = awaits_coroutine_functions = True
    relied_on = "_receive", "_stream_consumed", "_form"
    seen_in = "starlette", "1.10"
    parameters = "{{{}}}", "{{{}:path}}"
    gives = frozenset({"user", "session"})
    raises: ClassVar[tuple[tuple[Any, ...], ...]] = (
        ("starlette.exceptions", "HTTPException", "status_code", "detail"),
        ("fastapi.exceptions", "RequestValidationError", 422),
    )
    _receive = "_receive"
    """The attribute of a request that contains its ``receive``."""

    def owns(self, given: Any) -> bool:
        """Return True for a request."""
        return hasattr(given, "receive")

    def request(self, given: Any, second: Any = None) -> Request:
        """Return the request, whose body the framework can still read."""
        kept = None if BODY in given.scope else self._kept(given)
        if kept is not None:
            return scope_request(given.scope, given.receive, kept if isinstance(kept, bytes) else _form_of(given, kept))
        was_read = BODY not in given.scope and getattr(given, "_stream_consumed", False)
        request = scope_request(given.scope, _read_before if was_read else given.receive)
        if request.head.has_body and not was_read:
            setattr(given, self._receive, replaying(request.content))
        return request

    def _kept(self, given: Any) -> Any:
        """Return the body that the framework has received, or the form that it has parsed from the body."""
        body = vars(given).get("_body")
        if isinstance(body, bytes):
            return body
        return vars(given).get("_form") if vars(given).get("_stream_consumed") else None

    def failure(self, given: Any, error: Exception, response: FrameworkResponse) -> Exception | None:
        """Return the error itself, which dependencies and middleware also see."""
        scope = given.scope
        if "starlette.exception_handlers" not in scope:
            return None
        self.keep_response(scope, error, self.response(response, given))
        self.respond_to_errors(given)
        _respond_to_others(scope["app"].middleware_stack)
        return error

    def at_end(self, given: Any, function: Ended) -> bool:
        """Tell the function when FastAPI's dependencies have ended or, in Starlette, when the response was sent."""
        stack = given.scope.get("fastapi_inner_astack")
        if stack is None:
            given.scope[_ENDED] = function
        else:
            inner = stack.pop_all()
            stack.push_async_exit(partial(_tell, function))
            stack.push_async_exit(inner)
        return True

    def respond_to_errors(self, given: Any) -> None:
        """Add an error handler to the app that handles the request."""
        if handlers := given.scope.get("starlette.exception_handlers"):
            handlers[0].setdefault(HTTPError, self._respond_to_error)

    async def _respond_to_error(self, given: Any, error: HTTPError) -> Any:
        return self.take_response(given.scope, error) or self.error_response(error, given)

    def user(self, given: Any) -> Any:
        """Return the user of AuthenticationMiddleware."""
        return given.scope.get("user")

    def user_id(self, given: Any) -> object:
        """Return the user's ``identity``, or the name of a ``SimpleUser``, which has no other."""
        user = self.user(given)
        try:
            return getattr(user, "identity", None)
        except NotImplementedError:
            return getattr(user, "username", None)

    def session(self, given: Any) -> Any:
        """Return the session of SessionMiddleware."""
        return given.scope.get("session")

    def add_route(self, app: Any, route: ViewRoute) -> None:
        """Add a view to an application or a router; the view handles other methods itself."""
        router = getattr(app, "router", app)
        path = getattr(router, "prefix", "") + route.path  # FastAPI adds it only to its own kind of routes
        router.add_route(path, route.view, route.methods, route.name, include_in_schema=False)

    def path_params(self, given: Any) -> Mapping[str, Any]:
        """Return the parameters of the route."""
        params: Mapping[str, Any] = given.scope.get("path_params") or {}
        return params

    def content(self, given: Any) -> Any:
        """Return the content, the chunks of a stream, or a file."""
        file = getattr(given, "path", None)
        return Response.file(file).body if file else super().content(given)

    def response(self, response: FrameworkResponse, given: Any) -> Any:
        """Return a Starlette response. A stream is always closed, whatever its client does."""
        from starlette.background import BackgroundTask
        from starlette.responses import Response as Bytes

        made = Bytes(response.body, response.status) if isinstance(response.body, bytes) else _streamed()(response)
        made.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.fields]
        if (ended := given.scope.pop(_ENDED, None)) is not None:
            made.background = BackgroundTask(ended, None)
        return made


async def _read_before() -> Any:
    refuse_reread("await body()")


_ENDED = "antiphon.ended"


async def _tell(function: Ended, _kind: object, error: BaseException | None, _traceback: object) -> None:
    await Crossing().run_shielded(partial(function, error))


def _respond_to_others(outermost: Any) -> None:
    """Let the layer that responds to unexpected errors send a view's response. It raises the error again."""
    kind: Any = class_if_imported("starlette.middleware.errors", "ServerErrorMiddleware")
    layer: Any = outermost
    while layer is not None and not (kind and isinstance(layer, kind)):
        layer = getattr(layer, "app", None)
    if layer is None or isinstance(layer.handler, _Responder):
        return
    layer.handler = _Responder(layer.handler or layer.error_response)


class _Responder:
    """A handler that responds to the errors of views, and leaves all others to the app's own handler."""

    def __init__(self, own: Any) -> None:
        self._own = own

    async def __call__(self, given: Any, error: Exception) -> Any:
        from starlette.concurrency import run_in_threadpool

        if (response := Framework.take_response(given.scope, error)) is not None:
            return response
        return await (self._own(given, error) if is_async(self._own) else run_in_threadpool(self._own, given, error))


@cache
def _streamed() -> Any:
    from starlette.responses import Response as Base

    class Streamed(Base):
        """A Starlette response that Antiphon streams."""

        def __init__(self, response: FrameworkResponse) -> None:
            super().__init__(None, response.status)
            self._body = response.body

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.raw_headers]
            response = Response(None, self.status_code, fields)
            response.body = self._body
            await response(scope, receive, send)
            if self.background is not None:
                await self.background()

    return Streamed


def _form_of(given: Any, form: Any) -> bytes:
    fields, files = [], []
    for name, value in form.multi_items():
        if isinstance(value, str):
            fields.append((name, value))
        else:
            files.append((name, value, whole_file(value.file)))
    return encoded_form(given.headers.get("content-type", ""), fields, files)


class Litestar(Starlette):
    """Support for Litestar, which recognizes responses by class and stores bodies differently."""

    relied_on = "_body", "_form", "_connection_state"
    seen_in = "litestar", "2.25"
    needs_async_views = True
    _receive = "receive"

    parameters = "{{{}:str}}", "{{{}:path}}"
    gives = frozenset({"user", "session", "csrf_token"})
    raises = (("litestar.exceptions", "HTTPException", "status_code", "detail"),)

    def session(self, given: Any) -> Any:
        """Return the session of the session middleware."""
        session = given.scope.get("session")
        return session if isinstance(session, dict) else None

    def csrf_token(self, given: Any) -> str | None:
        """Return the token of the CSRF middleware, which ``csrf_config`` adds."""
        from litestar.template.base import csrf_token

        return csrf_token({"request": given}) or None

    def csrf_field(self, given: Any) -> str:
        """Return the name that Litestar always uses."""
        return "_csrf_token"

    def add_route(self, app: Any, route: ViewRoute) -> None:
        """Add a view to an application or a router."""
        from litestar import route as decorate

        methods: Any = [*route.methods]  # a list of the names that it knows
        app.register(decorate(route.path, http_method=methods, name=route.name, include_in_schema=False)(route.view))

    def limits(self, given: Any) -> Limits:
        """Return the route's ``request_max_body_size`` and the app's ``multipart_form_part_limit``."""
        handler = given.scope.get("route_handler")
        most = handler.resolve_request_max_body_size() if hasattr(handler, "resolve_request_max_body_size") else None
        return self.own_limits(body=most, parts=given.app.multipart_form_part_limit)

    def check_awaits(self) -> None:
        """Raise TypeError, because Litestar treats the result of such a function as data."""
        raise explained(
            "view-on-thread", 'a view in Litestar is `async def`, or looks like it: @view(interface="asgi")', TypeError
        )

    def at_end(self, given: Any, function: Ended) -> bool:
        """Return False: dependencies have ended when the server reads the response."""
        return False

    def failure(self, given: Any, error: Exception, response: FrameworkResponse) -> Exception:
        """Return the error itself, which dependencies and hooks also see, after adding a handler for this request."""
        made, state = self.response(response, given), given._connection_state
        state.exception_handlers = {**state.exception_handlers, type(error): lambda _given, _error: made}
        return error

    def _kept(self, given: Any) -> Any:
        body = given._body
        if not isinstance(body, bytes):
            body = given._connection_state.body
        if isinstance(body, bytes):
            return body
        form = given._form
        return form if hasattr(form, "multi_items") else None

    def returned(self, given: Any) -> Response:
        """Return one of Litestar's responses as a ``Response``, or what one writes that makes others."""
        return super().returned(given.to_asgi_response(None, None) if hasattr(given, "to_asgi_response") else given)

    def response(self, response: FrameworkResponse, given: Any) -> Any:
        """Return a Litestar response."""
        return _of_litestar()(response)


@cache
def _of_litestar() -> Any:
    from litestar.response import Response as Base

    class Responded(Base):
        """A Litestar response that Antiphon sends. The headers and cookies of its route are added."""

        def __init__(self, response: FrameworkResponse) -> None:
            super().__init__(None, status_code=response.status)
            self._response = response

        def to_asgi_response(self, *_: Any, headers: Any = None, cookies: Any = None, **__: Any) -> Any:
            response, background = self._response.response, self.background
            for name, value in {**(headers or {}), **self.headers}.items():
                response.headers.setdefault(name, value)
            for cookie in (*(cookies or ()), *self.cookies):
                response.headers.add("set-cookie", cookie.to_header(header=""))

            async def responded(scope: Any, receive: Any, send: Any) -> None:
                await response(scope, receive, send)
                if background is not None:
                    await background()

            return responded

    return Responded
