"""Finding the plan that handles a request, inside middleware if there is any, and responding if there is no plan."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from itertools import takewhile
from types import MappingProxyType
from typing import Any, NamedTuple, Self, TypeAlias

from antiphon.app.dispatch.dispatch import as_inner, dispatch, respond_at_once, run_nested
from antiphon.app.dispatch.hooks import Hook
from antiphon.app.dispatch.middleware import Middleware
from antiphon.app.dispatch.plan import DELEGATED, LAZY, LOOP, HandlerStack, Plan
from antiphon.app.planning.cross_site import SAFE_METHODS
from antiphon.app.planning.request_checks import RequestChecks
from antiphon.handler.contract import ON_THREAD, Steps
from antiphon.handler.drive import run_async
from antiphon.http.errors import (
    BadRequest,
    HTTPError,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
    without_traceback,
)
from antiphon.http.head import Head
from antiphon.http.urls.path import (
    check_path,
    hidden_segments,
    quote_segment,
    quoted_root,
    raw_segments,
    with_or_without_slash,
)
from antiphon.http.urls.url import URL, decode_path
from antiphon.request.caller import AROUND
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.routing.router import Params, Prefixes, Router


def malformed_path(head: Head) -> HTTPError | None:
    """Return the error for a malformed path (RFC 3986 §2.1) that the server let through; None for a valid path."""
    path = head.path
    raw = head.raw_path
    if raw is not None:
        try:
            decode_path(raw)
        except ValueError as error:
            return BadRequest(f"The path is malformed: {error}.")
        return None
    if "\0" in path:
        return BadRequest("The path is malformed: it contains a NUL.")
    if "\ufffd" in path:
        return BadRequest("The path is malformed: it is not UTF-8.")
    return None


def respond_to_options(fields: Mapping[str, str], request: Request) -> Response:  # noqa: ARG001 - handlers get the request
    """Respond to OPTIONS with the path's header fields, including the allowed methods (RFC 9110 §9.3.7)."""
    return Response(None, 204, fields)


def redirect_to_other_form(encoded_slashes: bool, request: Request) -> Response:
    """Redirect to the path with or without a trailing slash."""
    path = request.path
    raw = request.raw_path if encoded_slashes else None
    segments = with_or_without_slash(raw_segments(raw, path) or path.split("/"))
    root = quoted_root(request.root_path, path, request.raw_path)
    path = "/".join(map(quote_segment, segments))
    query = request.query_string
    return Response.redirect(URL.build(scheme="http", host="", root_path=root, path=path, query=query), 308)


def respond_not_found(request: Request) -> Response:
    """Take the handler's place in a plan for requests without a route. Such requests always have an error."""
    raise AssertionError(request)


Matched: TypeAlias = tuple[Mapping[str, Plan], Mapping[str, Any]]
"""The plan of each method, and the values of the route's parameters."""

Found: TypeAlias = tuple[Plan, HTTPError | None]
"""The plan for a request, and the request's error, if any."""

_PERCENT = ord("%")
"""A number, because searching for bytes takes ten times as long in Python."""
_NO_PARAMS: Mapping[str, Any] = MappingProxyType(Params())


class AnyMethod(dict[str, Plan]):
    """A mapping with one plan for every method."""

    def __missing__(self, method: str) -> Plan:
        return self[""]

    def get(self, method: str, default: Any = None) -> Plan:  # noqa: ARG002 - there is always one
        """Return the plan."""
        return self[method]


class MountPlans(NamedTuple):
    """The plans of a mount: for requests, and for WebSocket handshakes."""

    requests: Plan
    handshakes: Plan


class Routing:
    """The plans of an application: its routes, its mounts, and responses for requests without either."""

    def __init__(self, checks: RequestChecks, router: Router[Plan], encoded_slashes: bool) -> None:
        self.checks = checks
        self.router = router
        self.encoded_slashes = encoded_slashes
        self.looks = True
        """True if each request's head is checked before its plan is found."""
        self.mounts: Prefixes[MountPlans] = Prefixes({})
        self.defaults: dict[Plan, Mapping[str, Any]] = {}
        """The parameter defaults of the plans that have any."""
        self.redirected: set[Plan] = set()
        """The plans to which requests are redirected if their path differs only in the trailing slash."""
        self.unguarded: set[tuple[str, str]] = set()
        """The paths and methods that are handled on every host, and before any middleware."""
        self.redirecting: Plan
        self.refusing: dict[str, Plan] = {}
        """The plans for requests without a route: each blueprint's by name, and the application's under ""."""
        self.blueprints: Prefixes[str] = Prefixes({})

    def look(self, request: Request) -> HTTPError | None:
        """Check a request's head and return the error, if any."""
        checks, head = self.checks, request.head
        if head.host_line not in checks.known_hosts and (error := checks.host_error(head)):
            return error
        if checks.has_rules:
            return checks.look_at_head(request, for_any_host=self.is_unguarded(head))
        return checks.size_error(head) if checks.looks_at_heads else None

    def is_unguarded(self, head: Head) -> bool:
        """True if the request's route is handled on every host, and before any middleware."""
        return (head.path, head.method) in self.unguarded

    def without_looking(self) -> Self:
        """Return this routing for requests whose heads have already been checked."""
        other = copy(self)
        other.looks = False
        return other

    def methods_at(self, head: Head) -> Mapping[str, Plan]:
        """Return the plans of a path by method, without any checks: none if there is no route, or only a mount."""
        methods: Mapping[str, Plan] | None = self.router.literal.get(head.path)
        if methods is not None:
            return methods
        try:
            found = self.router.search(head.path, None, head.authority if self.router.has_hosts else "")
        except Exception:  # raised by one of the application's converters
            return {}
        return {} if found is None else found[0]

    def find(self, request: Request) -> Found:
        """Find the plan for a request, and the request's error, if any."""
        checks, head = self.checks, request.head
        if head.host_line not in checks.plain_hosts and self.looks:
            if error := self.look(request):
                return self.refuse(request, error)
            head = request.head
        path = head.path
        methods: Mapping[str, Plan] | None = self.router.literal.get(path)
        if methods is None:
            found = self._search(request)
            if isinstance(found, HTTPError):
                return self.refuse(request, found, self._blueprint_of(request))
            methods, request.path_params = found
        plan = methods.get(head.method)
        if plan is None:
            return self.refuse(request, _not_allowed(request, methods), common_blueprint(methods))
        request.route = plan.route
        ready = plan.found or plan.arrange()
        if plan.checks_writes and head.method not in SAFE_METHODS:
            return plan, checks.refused_write(request)
        return ready

    def refuse(self, request: Request, error: HTTPError, blueprint: str = "") -> tuple[Plan, HTTPError]:
        """Return a blueprint's or the application's plan for requests without a route, and the error."""
        plan = self.refusing[blueprint]
        request.route = plan.route
        return plan, error

    def _search(self, request: Request) -> Matched | HTTPError:
        head = request.head
        router = self.router
        path, raw = head.path, head.raw_path
        # Without the path as sent, only these characters show that it was malformed. Some servers pass on a bare NUL.
        is_encoded = "\0" in path or (_PERCENT in raw if raw is not None else "\ufffd" in path)
        try:
            if not path.startswith("/"):
                check_path(path)
            segments = self._encoded_segments(head) if is_encoded else None
        except HTTPError as error:
            return without_traceback(error)
        host = request.host if router.has_hosts else ""
        try:
            # Routes come before redirects, and these before mounts.
            found = router.search(path, segments, host) or self._elsewhere(request, segments, host)
        except Exception as error:  # raised by one of the application's converters
            return _not_converted(error)
        if found is None:
            return NotFound(f"There is nothing at {_whole_path(request)}.")
        if self.defaults and (defaults := self.defaults.get(found[0].get(head.method, self.redirecting))):
            return found[0], Params({**defaults, **found[1]})
        return found

    def _encoded_segments(self, head: Head) -> list[str] | None:
        """Return a path's segments if some contain encoded slashes. Raises BadRequest for a malformed path."""
        path = head.path
        if not (path.isascii() and path.isprintable() and "%" not in path) and (error := malformed_path(head)):
            raise error
        return self._hidden_segments(head)

    def _hidden_segments(self, head: Head) -> list[str] | None:
        return hidden_segments(head) if self.encoded_slashes else None

    def _elsewhere(self, request: Request, segments: list[str] | None, host: str) -> Matched | None:
        """Find what responds if no route matches: a redirect to the path's other form, or a mount."""
        if self.redirected and self._other_form(request, segments, host):
            return AnyMethod({"": self.redirecting}), _NO_PARAMS
        if self.mounts and (mounted := self.mounts.find(request.path, request.host, segments)):
            plans, head = mounted.found, request.head
            is_handshake = getattr(head, "channel", None) is not None
            return AnyMethod({"": plans.handshakes if is_handshake else plans.requests}), mounted.params
        return None

    def _other_form(self, request: Request, segments: list[str] | None, host: str) -> bool:
        """True if a route that accepts redirects matches the path with or without its trailing slash."""
        path = request.path
        if path.endswith("//") or path == "/":
            return False
        other = path[:-1] if path[-1:] == "/" else f"{path}/"
        methods = self.router.literal.get(other) if segments is None else None
        if methods is None:
            found = self.router.search(other, segments and with_or_without_slash(segments), host)
            methods = found[0] if found else {}
        return methods.get(request.method) in self.redirected

    def _blueprint_of(self, request: Request) -> str:
        """Return the name of the innermost blueprint whose prefix matches the path; set the prefix's parameters."""
        if not self.blueprints:
            return ""
        below = self.blueprints.find(request.path, request.host, self._hidden_segments(request.head))
        if below is None:
            return ""
        request.path_params = below.params
        return below.found


def _whole_path(request: Request) -> str:
    """Return the start of the path that the client sent, with the prefix of a mounted application."""
    return (request.root_path + request.path)[:200]


def _not_converted(error: Exception) -> InternalServerError:
    failure = InternalServerError("A part of the path could not be converted.")
    failure.__cause__ = error  # its frames don't refer to the failure, which would leave both to the garbage collector
    return failure


def _not_allowed(request: Request, methods: Mapping[str, Plan]) -> MethodNotAllowed:
    allow = sorted(methods)
    detail = f"{request.method} is not allowed at {_whole_path(request)}; {', '.join(allow)} are"
    return MethodNotAllowed(detail, allow=allow)


def common_blueprint(methods: Mapping[str, Plan]) -> str:
    """Return the name of the innermost blueprint to which all plans belong; "" for the application."""
    names = [(plan.route.blueprint or "").split(".") for plan in methods.values()]
    levels = takewhile(lambda level: len({*level}) == 1, zip(*names, strict=False))
    return ".".join(level[0] for level in levels)


def find_after(
    middleware: Sequence[Middleware], stack: HandlerStack, routing: Routing
) -> Callable[[Request], Found] | None:
    """Return a function that finds the plan with this middleware for each request; None if there is no middleware.

    The plan's handler finds the route once the middleware has opened. The middleware doesn't run for a request with a
    bad head. If there is no body, and the route's plan runs where the middleware does, the plan responds at once if
    possible.
    """
    if not middleware:
        return None
    # The head has been checked before this middleware was opened.
    inside = routing.without_looking()

    def find_inside(request: Request) -> Found:
        plan, error = inside.find(request)
        if AROUND in request and plan not in request[AROUND].plans:  # the middleware has rewritten the request
            raise NotFound("Middleware has rewritten the call into that of another route.")
        return plan, error

    async def route(request: Request, unreadable: HTTPError | None = None) -> Response:
        plan, error = find_inside(request)
        return await hand_on(plan, request, error or unreadable)

    async def refuse(request: Request, error: HTTPError) -> Response:
        plan, _ = routing.refuse(request, error)
        return await hand_on(plan, request, error)

    def route_in_place(request: Request) -> Response | _Waiting:
        plan, error = find_inside(request)
        if error is not None or plan.at_once_on is not in_place.runs_on:
            return _Waiting(hand_on(plan, request, error))
        result = respond_at_once(plan, request)
        try:
            return result if isinstance(result, Response) else _Waiting(as_inner(request, result))
        finally:
            del result  # an error raised inside keeps this frame

    unrouted = routing.refusing[""]
    known, blocks = unrouted.route._replace(is_before_routing=True), unrouted.handler.blocks
    handler = Hook(route, True, blocks)
    # Hooks and dependencies are in the plan that is found inside.
    around = stack._replace(middleware=tuple(middleware), resolving=(), before=(), after=()).at(known)
    seeking = Plan(known, handler, around, body=DELEGATED, refuse=route).arrange()[0]
    refusing = Plan(known, handler, around, body=DELEGATED, refuse=refuse).arrange()[0]
    in_place = Plan(known, Hook(route_in_place, False, blocks), around, body=LAZY).arrange()[0]
    # None is neither True nor False, so that no request is handled in place.
    begins_in_place = None if in_place.at_once_on is None else blocks

    def find(request: Request) -> Found:
        if routing.is_unguarded(request.head):
            return routing.find(request)
        error = routing.look(request)
        request.route = known
        if error is not None:
            return refusing, error
        head = request.head
        return (seeking if head.has_body or head.blocks is not begins_in_place else in_place), None

    return find


class _Waiting(NamedTuple):
    """The steps of a plan that could not respond at once. They return to where the middleware around that plan runs."""

    steps: Steps[Response]

    def __response__(self, request: Request) -> Awaitable[Response]:
        return _back_on_thread(self.steps) if request.head.blocks else run_async(self.steps)


async def _back_on_thread(steps: Steps[Response]) -> Response:
    response = await steps
    await ON_THREAD
    try:
        return response
    finally:
        del response  # an error raised inside keeps this frame


async def hand_on(plan: Plan, request: Request, error: HTTPError | None) -> Response:
    """Let a plan inside the middleware respond: it runs where it must, and has its own body policy and middleware."""
    return await run_nested(request, dispatch(plan, request, error), plan.runs_on is not LOOP)
