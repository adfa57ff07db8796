"""Features in plans: what they do for the keys of routes, and what they add to responses, as plain data."""

from collections.abc import Callable, Iterable, Mapping
from contextvars import copy_context
from typing import Any, NamedTuple

from antiphon.app.dispatch.dispatch import dispatch
from antiphon.app.dispatch.hooks import Hook
from antiphon.app.dispatch.middleware import middleware
from antiphon.app.dispatch.plan import Body, HandlerStack, Plan
from antiphon.app.planning.matching import Found, Routing, respond_not_found
from antiphon.app.registry import RouteGroup
from antiphon.app.route import Route
from antiphon.app.route_keys import KeyHandling, RequestHandler, is_set
from antiphon.explanations import explained
from antiphon.handler.callables import describe, is_async
from antiphon.handler.contract import finish
from antiphon.handler.drive import driven, run_sync
from antiphon.http.errors import HTTPError
from antiphon.request.request import Request
from antiphon.response.response import Response


def planned_for_keys(group: RouteGroup, route: Route, handler: Hook, stack: HandlerStack) -> tuple[Hook, HandlerStack]:
    """Return a route's handler and its stack with what features do for its keys."""
    handlings = [*group.handlings(route)]
    for each in handlings:
        if not each.is_later:
            handler = _within(each.inner, route, handler)
    for each in handlings:
        if each.is_later and each.around is not None:
            handler, stack = _accepting(each.around, route, _within(each.inner, route, handler), stack)
        else:
            handler = _within(each.around, route, handler)
        if each.outermost is not None:
            stack = stack._replace(middleware=(middleware(each.outermost(route)), *stack.middleware))
    return handler, stack


def _within(around: Callable[[Route, RequestHandler], RequestHandler] | None, route: Route, handler: Hook) -> Hook:
    """Return what a function returns instead of a handler, or the handler."""
    function = handler.function if around is None else around(route, handler.function)
    return handler if function is handler.function else handler._replace(function=function, raw_handler=None)


def check_needs(group: RouteGroup, route: Route) -> None:
    """Raise RuntimeError for a key of a route that needs a feature that the application doesn't use."""
    for key in route.meta:
        value = route.meta[key]
        if key.needs is None or not is_set(value) or group.handling(key, value) is not None:
            continue
        needed = key.needs if isinstance(key.needs, str) else key.needs(value)
        name = f"{describe(route.handler)} has {key.name}={value!r}"
        raise explained("missing-feature", f"{name}, which needs app.use({needed})", RuntimeError)


def _accepting(
    around: Callable[[Route, RequestHandler], RequestHandler], route: Route, handler: Hook, stack: HandlerStack
) -> tuple[Hook, HandlerStack]:
    """Return what accepts the requests of a route whose handler is called later, and the stack around it.

    The handler is called later, perhaps more than once, so only its dependencies and error handlers are around it,
    and middleware that opens when a dependency is read.
    """
    opened = tuple(part for part in stack.middleware if part.when_read is not None)
    within = stack._replace(middleware=opened, before=(), after=(), finishers=())
    plan = Plan(route._replace(deadline=None), handler.for_handler(True), within.at(route), body=Body(route.receive))
    function = around(route, _carrying_out(plan.arrange()[0]))
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


class RoutingInstead(Routing):
    """The plans of an application in which some GET requests are handled by another plan than their route's."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.instead: dict[Plan, tuple[Callable[[Request], bool], Plan]] = {}

    def find(self, request: Request) -> Found:
        """Find the plan for a request, and the request's error, if any."""
        plan, error = super().find(request)
        if error is None and request.method == "GET" and plan in self.instead:
            includes, other = self.instead[plan]
            if includes(request):
                return other, None
        return plan, error

    def add(self, plan: Plan, stack: HandlerStack, handlings: Iterable[KeyHandling]) -> None:
        """Plan what features do instead of the handler."""
        for each in handlings:
            if each.instead is not None:
                includes, function = each.instead
                around = HandlerStack(error_handlers=stack.error_handlers, finishers=stack.finishers)
                route = plan.route._replace(deadline=None)
                other = Plan(route, Hook(function, is_async(function)), around, body=plan.body)
                self.instead[plan] = includes, other.arrange()[0]


class Added(NamedTuple):
    """A response with which a feature responds itself, header fields that it adds to all responses of a route, or what
    it reads from requests.

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
    parameter: tuple[str, Mapping[str, Any]] | None = None
    """A header field that the feature reads, and the schema of its value (OpenAPI)."""
    form_field: str | None = None
    """The field of a form that may have the parameter's value instead."""
    security: tuple[str, Mapping[str, Any]] | None = None
    """The name and the security scheme (OpenAPI) of a proof that clients send besides their user's credentials."""
    is_optional: bool = False
    """True if requests without the parameter or the proof are accepted, too."""
    protects: str | None = None
    """The protection that a route has by this, for audits, such as "CSRF token"."""
    per_minute: float | None = None
    """The maximum number of requests per minute of one caller."""
    by: Callable[[Request], Any] | None = None
    """The application's function that tells callers apart."""
