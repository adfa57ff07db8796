"""The plan of a view, like that of a route: hooks before it, and writes that are carried out once."""

from collections.abc import Callable, Iterable, Mapping
from functools import update_wrapper
from typing import Any, Protocol, TypeAlias

from antiphon.app.answering.dependencies import Dependencies
from antiphon.app.answering.dispatch import answer_at_once, dispatch
from antiphon.app.answering.hooks import Hook, hook
from antiphon.app.answering.middleware import middleware
from antiphon.app.answering.nested import as_inner
from antiphon.app.answering.plan import BARE, LOOP, STACKED, THREAD, HandlerStack, Plan
from antiphon.app.planning.cross_site import SAFE_METHODS
from antiphon.app.route import Route, before_hooks
from antiphon.app.signatures import BeforeHook, MiddlewareFunction
from antiphon.body.receiver import result_of
from antiphon.handler.contract import Steps, is_async
from antiphon.handler.scope import in_scope
from antiphon.http.errors import HTTPError, without_traceback
from antiphon.http.urls.path import check_path
from antiphon.request.dependencies import Dependency, ReadableDependency
from antiphon.request.request import Request
from antiphon.request.route import NO_ROUTE
from antiphon.response.response import Response


class WriteOnce(Protocol):
    """A feature that carries out a write once, such as ``IdempotentWrites``."""

    def _surround(
        self, route: Route, handler: Callable[[Request], Any]
    ) -> tuple[MiddlewareFunction, Callable[[Request], Any]]: ...


Call: TypeAlias = tuple[tuple[Any, ...], Mapping[str, Any]]
"""The arguments of a view other than its request: its own object if it is a method, and those by name."""

_CALL = Dependency[Call]("call of a view")


class _NoDependencies(Dependencies):
    """The dependencies of a view, which no application provides."""

    def read(self, dependency: ReadableDependency[Any], request: Request) -> Any:
        raise dependency.not_provided(has_app=False)


class ViewPlan:
    """The plan of a view's function, which requests go through like the plan of a route, but without an application."""

    def __init__(
        self, function: Callable[..., Any], before: BeforeHook | Iterable[BeforeHook], idempotent: WriteOnce | None
    ) -> None:
        handler = hook(_of_request(function))
        name = getattr(function, "__name__", "") or type(function).__name__
        route = Route(
            "", (), name, function, None, None, NO_ROUTE.limits, None, handler,
            idempotent=idempotent is not None, before=before_hooks(before), dependencies=_NoDependencies(),
        )  # fmt: skip
        stack = HandlerStack(before=route.before)
        self._plan = self._of_writes = _plan(route, handler, stack)
        if idempotent is not None:
            around, once = idempotent._surround(route, handler.function)
            stack = stack._replace(middleware=(middleware(around),))
            self._of_writes = _plan(route, handler._replace(function=once), stack)

    def answer(self, request: Request, call: Call) -> Response | Steps[Response]:
        """Return the response, or the steps to it if something has to wait, on a thread or on an event loop.

        The body is left to the framework, which may read it, too.
        """
        plan, limits = self._plan if request.method in SAFE_METHODS else self._of_writes, request.limits
        request.route = plan.route
        if limits is not plan.route.limits:
            request.limits = limits
        request[_CALL] = call
        error, head = _error_in(request), request.head
        answers_here = error is None and plan.runs_on is (THREAD if head.blocks else LOOP)
        if not head.has_body:
            is_direct = answers_here and plan.surroundings is not STACKED
            return answer_at_once(plan, request) if is_direct else dispatch(plan, request, error)
        if answers_here and plan.surroundings is BARE and (head.blocks or request.content.is_complete):
            return _answer_loaded(plan, request)
        return as_inner(request, dispatch(plan, request, error))


def _answer_loaded(plan: Plan, request: Request) -> Response | Steps[Response]:
    """Load a body that a thread can wait for, or that has arrived, and answer immediately if it can be read."""
    content = request.content
    outermost = content.outermost
    content.outermost = outermost or request  # this leaves the body to the framework
    try:
        result_of(content.load(request.limits))
        answer = answer_at_once(plan, request)
    except HTTPError as unreadable:
        answer = dispatch(plan, request, unreadable)
    finally:
        content.outermost = outermost
    return answer if isinstance(answer, Response) else as_inner(request, answer)


def _plan(route: Route, handler: Hook, stack: HandlerStack) -> Plan:
    if handler.is_async:
        handler = handler._replace(function=in_scope(handler.function, None), raw_handler=handler.function)
    return Plan(route, handler.for_handler(True), stack)


def _of_request(function: Callable[..., Any]) -> Callable[[Request], Any]:
    """Return a function that takes only the request, and is ``def`` or ``async def`` like the given one."""

    def called(request: Request) -> Any:
        bound, named = request[_CALL]
        return function(*bound, request, **named)

    async def acalled(request: Request) -> Any:
        return await called(request)

    return update_wrapper(acalled if is_async(function) else called, function)


def _error_in(request: Request) -> HTTPError | None:
    try:
        check_path(request.head.path)
    except HTTPError as error:
        return without_traceback(error)
    return None
