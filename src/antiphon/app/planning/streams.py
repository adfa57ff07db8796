"""The plans for those who watch a live route: a stream of its block, outside of the route's middleware and hooks.

The requests that a feature makes for them, in order to render the block, pass through all of these.
"""

from typing import Any, Protocol

from antiphon.app.dispatch.hooks import Hook
from antiphon.app.dispatch.plan import HandlerStack, Plan
from antiphon.app.planning.matching import Found, Routing
from antiphon.explanations import explained
from antiphon.handler.callables import describe
from antiphon.request.request import Request
from antiphon.response.response import Response


class Watching(Protocol):
    """A feature that sends live blocks to their watchers."""

    def _is_watcher(self, request: Request) -> bool:
        """Return True if a GET asks for a stream of the block."""
        ...

    async def _respond(self, request: Request) -> Response:
        """Return the stream, or the response that refuses it."""
        ...


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
        raise explained("missing-feature", RuntimeError(f"{named} is live, which needs app.use(Live())"))
    if "GET" not in route.methods:
        message = f"{named} is live, so it must be a route for GET: {route.pattern!r}"
        raise explained("bad-route-option", ValueError(message))
    around = HandlerStack(error_handlers=stack.error_handlers, finishers=stack.finishers)
    handler = Hook(routing.watching._respond, True)
    routing.streams[plan] = Plan(route._replace(deadline=None), handler, around, body=plan.body)
