"""Features in plans: what they do for the options of routes, and what they add to responses, as plain data."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import copy_context
from functools import update_wrapper
from typing import Any, NamedTuple, Protocol, TypeAlias

from antiphon.app.dispatch.arguments import arguments_of
from antiphon.app.dispatch.dispatch import dispatch
from antiphon.app.dispatch.hooks import Hook, MiddlewareFunction, hook
from antiphon.app.dispatch.middleware import Middleware, middleware
from antiphon.app.dispatch.plan import Body, HandlerStack, Plan
from antiphon.app.planning.matching import Found, Routing, respond_not_found
from antiphon.app.registry import Registry
from antiphon.app.route import Route
from antiphon.explanations import explained
from antiphon.handler.callables import describe
from antiphon.handler.contract import finish
from antiphon.handler.drive import driven, run_sync
from antiphon.http.errors import HTTPError
from antiphon.request.caller import CONFIRM, arrivals
from antiphon.request.request import Request
from antiphon.response.response import Response

SurroundIdempotent: TypeAlias = Callable[
    [Route, Callable[[Request], Any]], tuple[MiddlewareFunction, Callable[[Request], Any]]
]
"""A function that receives an idempotent route and its handler, as a function of only the request. It returns the
route's outermost middleware, and the function to call instead of the handler.
"""


class Resuming(Protocol):
    """A feature that continues the uploads to resumable routes."""

    def _upload_routes(self, route: Route) -> Iterable[Route]:
        """Return the routes of the uploads to a route."""
        ...

    def _surround(self, route: Route, handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        """Return the function to call instead of the handler; it is ``def`` or ``async def`` like the handler."""
        ...

    def _upload_fields(self, route: Route) -> Mapping[str, str]:
        """Return the fields of the response to OPTIONS."""
        ...


SurroundDurable: TypeAlias = Callable[[Route, Callable[[Request], Any]], Callable[[Request], Any]]
"""A function that receives a durable route, and the function that carries out one of its requests and returns the whole
response: the handler with only its dependencies, ``def`` or ``async def`` like the handler. It returns the function to
call instead of the handler.
"""


class Watching(Protocol):
    """A feature that sends live blocks to their watchers."""

    def _is_watcher(self, request: Request) -> bool:
        """Return True if a GET asks for a stream of the block."""
        ...

    async def _respond(self, request: Request) -> Response:
        """Return the stream, or the response that refuses it."""
        ...


class RouteFeatures:
    """The features of an application that handle routes with certain options. Each registers before the first request,
    and is put around the handlers when the routes are planned.
    """

    def __init__(self, registry: Registry, check_open: Callable[[], None]) -> None:
        self._registry = registry
        self._check_open = check_open
        self.surrounds_idempotent: SurroundIdempotent | None = None
        self.idempotent_watch: MiddlewareFunction | None = None
        self.resuming: Resuming | None = None
        self.surrounds_durable: SurroundDurable | None = None
        self.watching_live: Watching | None = None
        self.signature_checks: dict[str, Callable[[Route], Callable[[Request], Any]]] = {}
        """By the names that ``signed_by`` accepts, functions that return the hook that refuses unsigned requests."""
        self._cache_watch: tuple[MiddlewareFunction, MiddlewareFunction] | None = None

    def _check_unused(self, earlier: object, option: str) -> None:
        """Raise ValueError if another feature handles the routes with an option."""
        self._check_open()
        if earlier is not None:
            raise explained(
                "feature-used-twice", f"another feature already handles the {option} routes of this app: use one"
            )

    def surround_idempotent(self, surround: SurroundIdempotent, watch: MiddlewareFunction) -> None:
        """Let ``surround`` supply the middleware and the handler of each ``idempotent`` route.

        When the route is planned, it is called with the route, and the handler as a function of the request. The
        middleware is the outermost one. The function that ``surround`` returns is called instead of the handler, and is
        ``def`` or ``async def`` like the handler. ``watch`` is middleware around the middleware that opens before
        routing. Raises ValueError if another feature already does this.
        """
        self._check_unused(self.surrounds_idempotent, "idempotent")
        self.surrounds_idempotent = surround
        self.idempotent_watch = watch

    def resume_uploads(self, resuming: Resuming) -> None:
        """Let a feature continue the uploads to ``resumable`` routes. Raises ValueError if another feature does."""
        self._check_unused(self.resuming, "resumable")
        self.resuming = resuming

    def upload_routes(self, route: Route) -> Iterator[Route]:
        """Yield the routes of the uploads to a resumable route, whose handlers get the request."""
        if route.resumable and self.resuming is not None:
            for each in self.resuming._upload_routes(route):
                arguments = arguments_of(each.handler, ("request",))
                yield each._replace(hook=hook(each.handler), arguments=arguments)

    def surround_durable(self, surround: SurroundDurable) -> None:
        """Let ``surround`` supply the function that accepts the requests of each ``durable`` route.

        Raises ValueError if another feature already does this.
        """
        self._check_unused(self.surrounds_durable, "durable")
        self.surrounds_durable = surround

    def watch_live(self, watching: Watching) -> None:
        """Let a feature respond to the watchers of ``live`` routes. Raises ValueError if another feature does."""
        self._check_unused(self.watching_live, "live")
        self.watching_live = watching

    def check_signatures(self, name: str, check_for: Callable[[Route], Callable[[Request], Any]]) -> None:
        """Let ``check_for`` supply the hook of each route that is ``signed_by`` the given name. The hook refuses
        unsigned requests.

        Raises ValueError if a feature already has the name.
        """
        self._check_open()
        if name in self.signature_checks:
            raise explained(
                "feature-used-twice",
                f"this app already has Signatures with the name {name!r}: give these another name=",
            )
        self.signature_checks[name] = check_for

    def surround_with_cache(
        self, around: MiddlewareFunction, early: Callable[[Request], Response | None],
        where_hooked: tuple[MiddlewareFunction, MiddlewareFunction], watch: MiddlewareFunction | None, *,
        blocking: bool,
    ) -> None:  # fmt: skip
        """Register a cache's middleware, and the function that is called first and may return a stored response.

        ``where_hooked`` is the middleware that replaces it, and the middleware inside the hooks, for routes with hooks
        before the handler. ``watch`` is middleware around all other middleware; it is left out if the cache is
        outermost. Raises ValueError if there is already a cache.
        """
        self._check_open()
        if self._cache_watch is not None:
            raise explained("feature-used-twice", "this app already has a cache: use one")
        self._cache_watch = None if watch is None else (watch, around)
        outside, inside = (middleware(function, blocking=blocking) for function in where_hooked)
        cache = middleware(around, blocking=blocking)._replace(early=early, where_hooked=(outside, inside))
        self._registry.middleware.append(cache)

    def watching(self) -> tuple[Middleware, ...]:
        """Return a cache's middleware that surrounds all other middleware, unless the cache itself does."""
        if self._cache_watch is None:
            return ()
        watch, inside = self._cache_watch
        outermost = [*self._registry.before_routing, *self._registry.middleware][0]
        return () if outermost.function == inside else (middleware(watch),)

    def before_routing(self) -> list[Middleware]:
        """Return the middleware that surrounds the middleware that opens before routing."""
        watches = [] if self.idempotent_watch is None else [middleware(self.idempotent_watch)]
        return [*watches, *self.watching()]

    # Planning

    def around(self, route: Route, handler: Hook, stack: HandlerStack) -> tuple[Hook, HandlerStack]:
        """Return the handler and its stack with what features do for the options of the route."""
        asks = route.tool is not None and route.tool.confirm is not None
        if route.durable:
            handler, stack = self._durable(route, handler, stack)  # it refuses the other two
            return (_confirmed(handler) if asks else handler), stack
        handler = _confirmed(handler) if asks else handler
        if route.idempotent:
            handler, stack = self._surrounded(route, handler, stack)
        return (self._resumed(route, handler) if route.resumable else handler), stack

    def signer_check(self, route: Route, name: str) -> Hook:
        """Return the hook, supplied by a feature, that refuses requests without a signature."""
        if name not in self.signature_checks:
            known = f", which has {', '.join(map(repr, self.signature_checks))}" if self.signature_checks else ""
            raise explained(
                "missing-feature",
                f"{describe(route.handler)} is signed by {name!r}, which needs"
                f" app.use(Signatures(keys, name={name!r})) in its app{known}",
                RuntimeError,
            )
        return hook(self.signature_checks[name](route))

    def _surrounded(self, route: Route, handler: Hook, stack: HandlerStack) -> tuple[Hook, HandlerStack]:
        """Return the handler of an idempotent route and the stack around it, as supplied by a feature.

        The feature's middleware is the outermost, so it also sees failures in all other middleware, such as a failed
        commit.
        """
        if self.surrounds_idempotent is None:
            raise explained(
                "missing-feature",
                f"{describe(route.handler)} is idempotent, which needs app.use(IdempotentWrites(store))",
                RuntimeError,
            )
        around, function = self.surrounds_idempotent(route, handler.function)
        stack = stack._replace(middleware=(middleware(around), *stack.middleware))
        return handler._replace(function=function, raw_handler=None), stack

    def _resumed(self, route: Route, handler: Hook) -> Hook:
        """Return the handler of a resumable route, as supplied by a feature."""
        if self.resuming is None:
            raise explained(
                "missing-feature",
                f"{describe(route.handler)} is resumable, which needs app.use(ResumableUploads(store))",
                RuntimeError,
            )
        return handler._replace(function=self.resuming._surround(route, handler.function), raw_handler=None)

    def _durable(self, route: Route, handler: Hook, stack: HandlerStack) -> tuple[Hook, HandlerStack]:
        """Return what accepts the requests of a durable route, as supplied by a feature, and the stack around it.

        The handler is called later, perhaps more than once, so only its dependencies and error handlers are around it,
        and middleware that opens when a dependency is read.
        """
        if self.surrounds_durable is None:
            raise explained(
                "missing-feature",
                f"{describe(route.handler)} is durable, which needs app.use(Durable(database_url))",
                RuntimeError,
            )
        opened = tuple(part for part in stack.middleware if part.when_read is not None)
        within = stack._replace(middleware=opened, before=(), after=(), finishers=())
        plan = Plan(route._replace(deadline=None), handler.for_handler(True), within, body=Body(route.receive))
        function = self.surrounds_durable(route, _carrying_out(plan))
        # What only the handler reads is not opened to accept a request.
        stack = stack.resolving_for(route._replace(handler=respond_not_found))
        return handler._replace(function=function, raw_handler=None), stack


def _carrying_out(plan: Plan) -> Callable[[Request], Any]:
    """Return a function that handles a stored request by a plan, and then calls its ``after_response`` functions."""

    async def steps(request: Request) -> Response:
        request.route = plan.route
        try:
            response = await dispatch(plan, request)
            return response.freeze() if request.head.blocks else await response.afreeze()
        finally:
            await finish(request)

    async def acarry_out(request: Request) -> Response:
        return await driven(steps(request))

    def carry_out(request: Request) -> Response:
        return run_sync(steps(request), copy_context())

    return acarry_out if plan.handler.is_async else carry_out


def _confirmed(handler: Hook) -> Hook:
    """Return the handler of a tool that a person must agree to, which asks when all checks before it have passed."""
    function = handler.function

    def confirmed(request: Request) -> Any:
        confirm = next((each[CONFIRM] for each in arrivals(request) if CONFIRM in each), None)
        if confirm is not None:
            confirm(request)
        return function(request)

    return handler._replace(function=update_wrapper(confirmed, function), raw_handler=None)


class LiveRouting(Routing):
    """The plans of an application with a feature for live routes, each of which has another plan for its watchers."""

    def __init__(self, watching: Watching, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.watching = watching
        self.streams: dict[Plan, Plan] = {}

    def find(self, request: Request) -> Found:
        """Find the plan for a request, and the request's error, if any."""
        plan, error = super().find(request)
        if plan in self.streams and error is None and request.method == "GET" and self.watching._is_watcher(request):
            return self.streams[plan], None
        return plan, error


def plan_stream(routing: Routing, plan: Plan, stack: HandlerStack) -> None:
    """Plan the responses to the watchers of a live route.

    Raises RuntimeError without a feature for it, and ValueError for a route that isn't for GET.
    """
    route = plan.route
    named = describe(route.handler)
    if not isinstance(routing, LiveRouting):
        raise explained("missing-feature", f"{named} is live, which needs app.use(Live())", RuntimeError)
    if "GET" not in route.methods:
        message = f"{named} is live, so it must be a route for GET: {route.pattern!r}"
        raise explained("bad-route-option", message)
    around = HandlerStack(error_handlers=stack.error_handlers, finishers=stack.finishers)
    handler = Hook(routing.watching._respond, True)
    routing.streams[plan] = Plan(route._replace(deadline=None), handler, around, body=plan.body)


class Added(NamedTuple):
    """A response with which a feature responds itself, or header fields that it adds to all responses of a route.

    A feature or a hook tells it without being read: its ``__adds__(route, method)`` yields these.
    """

    status: int | None = None
    """The status of the feature's own response; None for fields of other responses."""
    error: type[HTTPError] | None = None
    """The class of the error that the feature raises, if its own response is an error."""
    detail: str | None = None
    """The error's message, with varying parts in braces."""
    type: str | None = None
    """The type of the error's problem details (RFC 9457)."""
    members: Mapping[str, Any] = {}
    """The types of the further members of the problem details, by name."""
    headers: tuple[str, ...] = ()
    """The names of header fields, in lower case."""
    cookies: tuple[str, ...] = ()
    """The names of cookies that may be set."""
    needs: str | None = None
    """A header field without which a response of the route is left as it is."""
