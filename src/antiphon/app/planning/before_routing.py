"""Middleware that is open before a route is found: the handler inside finds the route, and hands the request on."""

from collections.abc import Callable, Sequence

from antiphon.app.answering.dispatch import dispatch
from antiphon.app.answering.hooks import Hook
from antiphon.app.answering.middleware import Middleware
from antiphon.app.answering.nested import run_nested
from antiphon.app.answering.plan import DELEGATED, LOOP, HandlerStack, Plan
from antiphon.app.planning.matching import Found, Routing
from antiphon.http.errors import HTTPError
from antiphon.request.request import Request
from antiphon.response.response import Response


def find_after(
    middleware: Sequence[Middleware], stack: HandlerStack, routing: Routing
) -> Callable[[Request], Found] | None:
    """Return a function that finds the plan with this middleware for each request; None without any middleware.

    The plan's handler finds the route when the middleware has opened. A request with a bad head gets none.
    """
    if not middleware:
        return None
    inside = routing.without_looking()

    async def route(request: Request, unreadable: HTTPError | None = None) -> Response:
        plan, error = inside.find(request)
        return await hand_on(plan, request, error or unreadable)

    async def refuse(request: Request, error: HTTPError) -> Response:
        plan, _ = routing.refuse(request, error)
        return await hand_on(plan, request, error)

    unrouted = routing.refusing[""]
    known = unrouted.route._replace(is_before_routing=True)
    handler = Hook(route, True, unrouted.handler.blocks)
    around = stack._replace(middleware=tuple(middleware), resolving=(), before=(), after=())
    seeking = Plan(known, handler, around, body=DELEGATED, refuse=route)
    refusing = Plan(known, handler, around, body=DELEGATED, refuse=refuse)

    def find(request: Request) -> Found:
        if routing.is_unguarded(request.head):
            return routing.find(request)
        error = routing.look(request)
        request.route = known
        return (seeking if error is None else refusing), error

    return find


async def hand_on(plan: Plan, request: Request, error: HTTPError | None) -> Response:
    """Let a plan inside the middleware answer, with its own place, body and middleware."""
    return await run_nested(request, dispatch(plan, request, error), plan.runs_on is not LOOP)
