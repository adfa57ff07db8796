"""The application: what was registered is planned once, and served by any server."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, Literal, TypeVar

from antiphon.adapters.servable import Servable
from antiphon.app.conflicts import check_route_names, places
from antiphon.app.cross_site import SAFE_METHODS, TrustedOrigins, check_cross_site
from antiphon.app.dispatch import Plan, dispatch
from antiphon.app.feature import Feature
from antiphon.app.hooks import Hook, hook
from antiphon.app.own_answers import (
    answer_nothing,
    answer_options,
    header_too_large,
    malformed_path,
    redirect_to_other_form,
)
from antiphon.app.raw_segments import raw_segments, with_or_without_slash
from antiphon.app.reverse import Reverse
from antiphon.app.router import Resource, Router, SamePathsError
from antiphon.app.routes import Route, Routes
from antiphon.body.limits import Limits
from antiphon.drive import run_async
from antiphon.handler import Steps
from antiphon.http.errors import (
    HTTPError,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
)
from antiphon.request import Request
from antiphon.response import Response

F = TypeVar("F", bound=Callable[..., Any])


class App(Routes, Servable):
    """A web application, served as WSGI, ASGI or RSGI.

    ``limits`` bound every request, as far as a route does not say otherwise. ``redirect_slashes`` leads requests to
    the path that differs from theirs by the slash at its end, where only that one is answered (308).
    ``encoded_slashes`` has ``%2F`` stay in its segment where the server gives the path as it was sent; else it is a
    slash like the others.

    Writes that a page of another site makes are refused (403), but for pages of ``trusted_origins``, such as
    "https://shop.example.com"; ``cross_site_writes`` lets all of them pass.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        redirect_slashes: bool = False,
        encoded_slashes: bool = False,
        trusted_origins: Iterable[str] = (),
        cross_site_writes: bool = False,
    ) -> None:
        Routes.__init__(self)
        Servable.__init__(self)
        self.limits = limits or Limits()
        self.trusted_origins = TrustedOrigins(trusted_origins)
        self._lets_all_write = cross_site_writes
        self._on_startup: list[Hook] = []
        self._on_shutdown: list[Hook] = []
        self._router: Router[Plan] | None = None
        self._unrouted: Plan
        self._redirects_slashes = redirect_slashes
        self._encoded_slashes = encoded_slashes
        self._redirecting: Plan
        self._redirected: set[Plan] = set()
        self._defaults: dict[Plan, Mapping[str, Any]] = {}
        self._reverse: Reverse | None = None

    # Registering

    def check_open(self) -> None:
        """Raise RuntimeError when the application serves already, and nothing can be registered any more."""
        if self._router is not None:
            raise RuntimeError("this app serves requests already: register routes and hooks before its first one")

    def use(self, feature: "Feature[App]") -> None:
        """Have a feature install itself: ``app.use(Cors(["https://shop.example.com"]))``."""
        self.check_open()
        feature.install(self)

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
        hooks: Iterable[Any] = [*(route.hook for route in self.registered), *self._before, *self._after]
        return "asgi" if any(part.is_async for part in [*hooks, *self._middleware]) else "wsgi"

    def freeze(self) -> Router[Plan]:
        """Plan each route. Done before the first request; raises ValueError for routes that are in each other's way."""
        check_route_names(self.registered)
        router: Router[Plan] = Router(self._converters)
        owners: dict[tuple[Resource[Plan], str], Route] = {}
        for route in self.registered:
            resource = self._resource(router, route, owners)
            plan = self._plan(route.hook.around(True), route.name, route.limits)
            self._note(plan, route)
            for method in route.methods:
                earlier = owners.setdefault((resource, method), route)
                if earlier is not route:
                    raise ValueError(f"{method} {route.where} is answered by both {places(earlier, route)}")
                resource.methods[method] = plan
            if route.defaults:
                router.search_for(route.pattern)
        if not self._encoded_slashes:
            router.trust_slashes()
        for resource in router.resources:
            self._complete(resource.methods)
        blocks = not any(route.hook.is_async for route in self.registered)
        self._unrouted = self._plan(Hook(answer_nothing, False, blocks), None)
        self._redirecting = self._plan(
            Hook(partial(redirect_to_other_form, self._encoded_slashes), False, blocks), None
        )
        self._reverse = Reverse(self.registered, self._converters, self._encoded_slashes)
        self._router = router
        return router

    def _resource(
        self, router: Router[Plan], route: Route, owners: dict[tuple[Resource[Plan], str], Route]
    ) -> Resource[Plan]:
        try:
            return router.resource(route.pattern, route.host)
        except SamePathsError as error:
            earlier = next(earlier for (resource, _), earlier in owners.items() if resource is error.earlier)
            raise ValueError(f"{error}: {places(earlier, route)}") from None

    def _note(self, plan: Plan, route: Route) -> None:
        """Keep what matters only for the requests whose path is searched."""
        if route.defaults:
            self._defaults[plan] = route.defaults
        if self._redirects_slashes if route.redirect_slashes is None else route.redirect_slashes:
            self._redirected.add(plan)

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
            methods["OPTIONS"] = self._plan(Hook(partial(answer_options, allow), False, blocks), None)

    # Serving

    def handle(self, request: Request) -> Steps[Response]:
        """The steps that answer a request."""
        plan, error = self._route(request)
        return dispatch(plan, request, error)

    def answer(self, request: Request) -> Awaitable[Response]:
        """The response, awaited on an event loop."""
        plan, error = self._route(request)
        steps = dispatch(plan, request, error)
        return run_async(steps) if plan.hops else steps

    def _route(self, request: Request) -> tuple[Plan, HTTPError | None]:
        """The plan for a request, and what is wrong with the request."""
        router = self._router or self.freeze()
        head = request.head
        if head.header_size > self.limits.headers:
            return self._refuse(request, header_too_large(head.header_size, self.limits.headers))
        path = head.path
        methods = router.literal.get(path)
        if methods is None:
            segments = None
            if self._encoded_slashes and path.count("/") > 1 and b"%2" in (raw := head.raw_path or b""):
                segments = raw_segments(raw, path)
            methods = router.deep.get(path) if segments is None else None
            if methods is None:
                try:
                    methods, request.params = self._search(router, request, segments)
                except HTTPError as error:
                    return self._refuse(request, error)
        plan = methods.get(head.method)
        if plan is None:
            allow = sorted(methods)
            detail = f"{head.method} is not answered at {path[:200]}; {', '.join(allow)} are"
            return self._refuse(request, MethodNotAllowed(detail, allow=allow))
        request.route = plan
        request.limits = plan.limits
        return plan, None if head.method in SAFE_METHODS else self._refused_write(request)

    def _refused_write(self, request: Request) -> HTTPError | None:
        if not self._lets_all_write:
            try:
                check_cross_site(request, self.trusted_origins)
            except HTTPError as error:
                return error
        return None

    def _search(
        self, router: Router[Plan], request: Request, segments: list[str] | None
    ) -> tuple[dict[str, Plan], Mapping[str, Any]]:
        head = request.head
        path = head.path
        if not (path.isascii() and path.isprintable() and "%" not in path) and (error := malformed_path(head)):
            raise error
        host = request.host if router.has_hosts else ""
        try:
            found = router.search(path, segments, host)
            if found is None and self._redirected and self._other_form(router, request, segments, host):
                return {head.method: self._redirecting}, {}
        except Exception as error:  # raised by a converter of the application's own
            raise InternalServerError("A part of the path could not be converted.") from error
        if found is None:
            raise NotFound(f"There is nothing at {path[:200]}.")
        if self._defaults and (defaults := self._defaults.get(found[0].get(head.method, self._unrouted))):
            return found[0], {**defaults, **found[1]}
        return found

    def _other_form(self, router: Router[Plan], request: Request, segments: list[str] | None, host: str) -> bool:
        """Whether a route that redirects answers this method at the path with, or without, a slash at its end."""
        path = request.path
        if path.endswith("//") or path == "/":
            return False
        other = path[:-1] if path[-1:] == "/" else f"{path}/"
        methods = router.literal.get(other) if segments is None else None
        if methods is None:
            found = router.search(other, segments and with_or_without_slash(segments), host)
            methods = found[0] if found else {}
        return methods.get(request.method) in self._redirected

    def url_for(self, name: str, /, **params: object) -> str:
        """The URL of a route below the root path, percent-encoded; for a route with a host ``//host/path``.

        What is no parameter of the route becomes the query: None is left out, a list or tuple repeated. Raises
        LookupError for an unknown name, ValueError, which names the route and the parameter, for one that is missing
        or doesn't fit.
        """
        reverse = self._reverse or Reverse(self.registered, self._converters, self._encoded_slashes)
        return reverse.url(name, params)

    def _refuse(self, request: Request, error: HTTPError) -> tuple[Plan, HTTPError]:
        request.route = self._unrouted
        request.limits = self.limits
        return self._unrouted, error

    async def startup(self) -> None:
        """Plan the routes, then call what ``on_startup`` was given."""
        if self._router is None:
            self.freeze()
        for on_startup in self._on_startup:
            await on_startup.placed().call()

    async def shutdown(self) -> None:
        """Call what ``on_shutdown`` was given."""
        for on_shutdown in self._on_shutdown:
            await on_shutdown.placed().call()
