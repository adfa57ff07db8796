"""The application: what was registered is planned once, and served by any server."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Literal, TypeVar

from antiphon.adapters.servable import Servable
from antiphon.app.dispatch import Plan, dispatch
from antiphon.app.hooks import Hook, hook
from antiphon.app.router import Resource, Router, SamePathsError
from antiphon.app.routes import Route, Routes
from antiphon.body.limits import Limits
from antiphon.handler import Steps, describe
from antiphon.head import Head
from antiphon.http.errors import BadRequest, HTTPError, MethodNotAllowed, NotFound, RequestHeaderFieldsTooLarge
from antiphon.http.url import decode_path
from antiphon.request import Request
from antiphon.response import Response

F = TypeVar("F", bound=Callable[..., Any])


class App(Routes, Servable):
    """A web application, served as WSGI, ASGI or RSGI.

    ``limits`` bound every request, as far as a route does not say otherwise.
    """

    def __init__(self, *, limits: Limits | None = None) -> None:
        Routes.__init__(self)
        Servable.__init__(self)
        self.limits = limits or Limits()
        self._on_startup: list[Hook] = []
        self._on_shutdown: list[Hook] = []
        self._router: Router[Plan] | None = None
        self._unrouted: Plan

    # Registering

    def check_open(self) -> None:
        """Raise RuntimeError when the application serves already, and nothing can be registered any more."""
        if self._router is not None:
            raise RuntimeError("this app serves requests already: register routes and hooks before its first one")

    def on_startup(self, function: F) -> F:
        """Register a function that is called, or awaited, before the first request of a process."""
        self.check_open()
        self._on_startup.append(hook(function, blocking=True))
        return function

    def on_shutdown(self, function: F) -> F:
        """Register a function that is called, or awaited, after the last request; the one registered last is first."""
        self.check_open()
        self._on_shutdown.insert(0, hook(function, blocking=True))
        return function

    # Planning

    @property
    def interface(self) -> Literal["wsgi", "asgi"]:
        """WSGI when every handler, hook and middleware is sync, else ASGI."""
        hooks: Iterable[Any] = [*(route.handler for route in self.registered), *self._before, *self._after]
        return "asgi" if any(part.is_async for part in [*hooks, *self._middleware]) else "wsgi"

    def freeze(self) -> Router[Plan]:
        """Plan each route. Done before the first request; raises ValueError for routes that are in each other's way."""
        router: Router[Plan] = Router()
        owners: dict[tuple[str, str], Route] = {}
        for route in self.registered:
            resource = self._resource(router, route)
            plan = self._plan(route.handler.around(True), route.name, route.limits)
            for method in route.methods:
                earlier = owners.setdefault((resource.pattern, method), route)
                if earlier is not route:
                    raise ValueError(f"{method} {route.pattern} is answered by both {_places(earlier, route)}")
                resource.methods[method] = plan
        for resource in router.resources:
            self._complete(resource.methods)
        blocks = not any(route.handler.is_async for route in self.registered)
        self._unrouted = self._plan(Hook(_unreachable, False, blocks), None)
        self._router = router
        return router

    def _resource(self, router: Router[Plan], route: Route) -> Resource[Plan]:
        try:
            return router.resource(route.pattern)
        except SamePathsError as error:
            earlier = next(earlier for earlier in self.registered if earlier.pattern == error.earlier)
            raise ValueError(f"{error}: {_places(earlier, route)}") from None

    def _plan(self, handler: Hook, endpoint: str | None, limits: Limits | None = None) -> Plan:
        return Plan(
            self,
            endpoint,
            handler,
            limits.within(self.limits) if limits else self.limits,
            self._middleware,
            self._before,
            reversed(self._after),
            self.error_handlers,
        )

    def _complete(self, methods: dict[str, Plan]) -> None:
        """HEAD is answered as GET is, and OPTIONS with what is allowed (RFC 9110 §9.3.2, §9.3.7)."""
        if "GET" in methods:
            methods.setdefault("HEAD", methods["GET"])
        if "OPTIONS" not in methods:
            allow = ", ".join(sorted({*methods, "OPTIONS"}))
            blocks = not any(plan.is_async for plan in methods.values())
            methods["OPTIONS"] = self._plan(Hook(partial(_options, allow), False, blocks), None)

    # Serving

    def handle(self, request: Request) -> Steps[Response]:
        """The steps that answer a request."""
        router = self._router or self.freeze()
        head = request.head
        if head.header_size > self.limits.headers:
            return self._refuse(request, _too_large(head.header_size, self.limits.headers))
        path = head.path
        methods = router.literal.get(path)
        if methods is None:
            error = _malformed(head)
            found = None if error else router.search(path)
            if found is None:
                return self._refuse(request, error or NotFound(f"There is nothing at {path[:200]}."))
            methods, request.params = found
        plan = methods.get(head.method)
        if plan is None:
            allow = sorted(methods)
            detail = f"{head.method} is not answered at {path[:200]}; {', '.join(allow)} are"
            return self._refuse(request, MethodNotAllowed(detail, allow=allow))
        request.route = plan
        request.limits = plan.limits
        return dispatch(plan, request)

    def _refuse(self, request: Request, error: HTTPError) -> Steps[Response]:
        request.route = self._unrouted
        request.limits = self.limits
        return dispatch(self._unrouted, request, error)

    def startup(self) -> Steps[None]:
        """Plan the routes, then call what ``on_startup`` was given."""
        if self._router is None:
            self.freeze()
        for on_startup in self._on_startup:
            yield from on_startup.call()

    def shutdown(self) -> Steps[None]:
        """Call what ``on_shutdown`` was given."""
        for on_shutdown in self._on_shutdown:
            yield from on_shutdown.call()


def _places(one: Route, other: Route) -> str:
    return f"{describe(one.handler.function)} and {describe(other.handler.function)}"


def _malformed(head: Head) -> HTTPError | None:
    """What is wrong with a path that is not well-formed (RFC 3986 §2.1), where the server let it through."""
    path = head.path
    if path.isascii() and path.isprintable() and "%" not in path:
        return None
    raw = head.raw_path
    if raw is not None:
        try:
            if b"%" in raw:
                decode_path(raw)
        except ValueError as error:
            return BadRequest(f"The path is malformed: {error}.")
        return None
    if "\0" in path:
        return BadRequest("The path is malformed: it has a NUL.")
    if "\ufffd" in path:
        return BadRequest("The path is malformed: it is not UTF-8.")
    return None


def _too_large(size: int, limit: int) -> HTTPError:
    detail = f"The header section has {size} bytes, {limit} are accepted."
    return RequestHeaderFieldsTooLarge(detail, limit="headers")


def _options(allow: str, request: Request) -> Response:  # noqa: ARG001 - handlers get the request
    return Response(None, 204, {"allow": allow})


def _unreachable(request: Request) -> Response:
    """Stand where a handler would; the plan for what has no route always comes with an error."""
    raise AssertionError(request)
