"""One function as a view of every framework, with a plan like that of a route: hooks before it, and writes."""

import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextvars import copy_context
from functools import partial, update_wrapper
from inspect import Parameter, Signature
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeAlias, TypeVar, overload

from antiphon.app.answering.dependencies import Dependencies
from antiphon.app.answering.dispatch import answer_at_once, as_inner, dispatch
from antiphon.app.answering.hooks import BeforeHook, Hook, MiddlewareFunction, hook
from antiphon.app.answering.middleware import middleware
from antiphon.app.answering.plan import BARE, LOOP, STACKED, THREAD, HandlerStack, Plan
from antiphon.app.planning.cross_site import SAFE_METHODS
from antiphon.app.route import Route, before_hooks
from antiphon.body.receiver import result_of
from antiphon.concurrency.loop import running_loop
from antiphon.explanations import explained
from antiphon.frameworks.framework import DEFAULTS, Framework, answer_to, stop_watching
from antiphon.frameworks.recognition import current_given, framework_of, unwrapped
from antiphon.handler.callables import check_arguments
from antiphon.handler.contract import Steps, describe, failed, finish, is_async, signature_of
from antiphon.handler.drive import run_async, run_sync
from antiphon.handler.scope import in_scope, reset_current_request, set_current_request
from antiphon.http.errors import HTTPError, without_traceback
from antiphon.http.limits import Limits
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


class CheckSignature(Protocol):
    """A feature that refuses requests that are not signed, such as ``Signatures``."""

    def _hook(self, *, for_async: bool) -> Callable[[Request], Any]: ...


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
        self,
        function: Callable[..., Any],
        before: BeforeHook | Iterable[BeforeHook],
        idempotent: WriteOnce | None,
        signed_by: CheckSignature | None,
    ) -> None:
        handler = hook(_of_request(function))
        checks = () if signed_by is None else (hook(signed_by._hook(for_async=handler.is_async)),)
        name = getattr(function, "__name__", "") or type(function).__name__
        route = Route(
            "", (), name, function, None, None, NO_ROUTE.limits, None, handler,
            idempotent=idempotent is not None, before=(*checks, *before_hooks(before)), dependencies=_NoDependencies(),
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
    """Load a body that a thread can wait for, or that has arrived, and respond immediately if it can be read."""
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


V = TypeVar("V", bound=Callable[..., Any])

_LITESTARS = "__import__('litestar').Request"
"""The annotation that Litestar reads. It is evaluated in the namespace of the view's module, once that is imported."""


@overload
def view(function: Callable[..., Any], /) -> Callable[..., Any]: ...
@overload
def view(
    *,
    interface: Literal["wsgi", "asgi"] | None = None,
    limits: Limits | None = None,
    before: BeforeHook | Iterable[BeforeHook] = (),
    idempotent: WriteOnce | None = None,
    signed_by: CheckSignature | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...
def view(
    function: Callable[..., Any] | None = None,
    /,
    *,
    interface: Literal["wsgi", "asgi"] | None = None,
    limits: Limits | None = None,
    before: BeforeHook | Iterable[BeforeHook] = (),
    idempotent: WriteOnce | None = None,
    signed_by: CheckSignature | None = None,
) -> Any:
    """Turn a function that takes a ``Request`` into a view for every framework that ``Request.of`` supports.

    You can use this as a decorator. The function is ``def`` or ``async def``, and returns what handlers return. Its
    other parameters are those of the route, by name; ``request.path_params`` has all of them. The body is loaded before
    the call, within ``limits`` and the framework's own limits, and errors become problem details or a page.
    What the framework does around its views, such as sessions and protection against requests from other sites, still
    works.

    Frameworks see a ``def`` or an ``async def`` function, as it was written, unless ``interface`` says which one they
    should see: "wsgi" for an ``async def`` in Flask, or in Falcon without an event loop; "asgi" for a ``def`` in
    aiohttp, Litestar, Quart, or in Falcon with an event loop. Other frameworks accept either.

    ``before`` is one or several functions that take the request, called before the body is loaded. Each can return the
    answer instead, or raise an error, as ``RateLimit("5/minute")`` does. With ``idempotent=IdempotentWrites(store)``, a
    request that writes is carried out once for each Idempotency-Key. With ``signed_by=Signatures(keys)``, only requests
    that are signed are accepted. All of them work as for a route of an ``App``.

    Raises TypeError for functions that can't be called with a request, ValueError for an unknown interface, and for a
    view that can't be carried out once, such as a generator.
    """
    if interface not in (None, "wsgi", "asgi"):
        raise explained("bad-view", ValueError(f"the interface of a view must be 'wsgi' or 'asgi', not {interface!r}"))
    if function is None:
        return partial(
            view, interface=interface, limits=limits, before=before, idempotent=idempotent, signed_by=signed_by
        )
    return _viewed(View(function, limits, before, idempotent, signed_by), function, interface)


def _viewed(called: "View", function: Callable[..., Any], interface: str | None) -> Callable[..., Any]:
    looks_async = interface == "asgi" or (interface is None and called.is_async)

    def call(*args: Any, **kwargs: Any) -> Any:
        given, framework, rest = called.find(args, kwargs)
        if looks_async and framework.awaits_coroutine_functions:
            return called.answer_on_loop(given, framework, rest)
        if framework.runs_on_loop(given) and running_loop() is not None:
            framework.check_awaits()
            return called.answer_on_loop(given, framework, rest)
        if framework.runs_on_loop(given) and (called.is_async or not framework.calls_on_threads):
            return framework.run_on_loop(partial(called.answer_on_loop, given, framework, rest))
        return called.answer(given, framework, rest)

    return _dressed(_marked(call) if looks_async else call, called, function)


def _marked(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that looks like an ``async def``, but responds immediately if nothing awaits it.

    Python 3.11 can't mark a function like that: there it is an ``async def``, and always has to be awaited.
    """
    if sys.version_info >= (3, 12):
        from inspect import markcoroutinefunction

        return markcoroutinefunction(call)

    async def acall(*args: Any, **kwargs: Any) -> Any:
        result = call(*args, **kwargs)
        return await result if isinstance(result, Coroutine) else result

    return acall


def _dressed(call: V, called: "View", function: Callable[..., Any]) -> V:
    """Give a view the names of its function, and the signature that FastAPI and Litestar use to call it."""
    update_wrapper(call, function, ("__module__", "__name__", "__qualname__", "__doc__"))
    del call.__wrapped__  # type: ignore[attr-defined]  # they would look at the function's own signature
    call.__signature__ = called.signature  # type: ignore[attr-defined]
    call.__annotations__ = {each.name: each.annotation for each in called.signature.parameters.values()}
    call.__annotations__ |= {"request": _LITESTARS, "return": Any}
    return call


class View:
    """A function that handles requests of any framework."""

    def __init__(
        self,
        function: Callable[..., Any],
        limits: Limits | None,
        before: BeforeHook | Iterable[BeforeHook],
        idempotent: WriteOnce | None,
        signed_by: CheckSignature | None,
    ) -> None:
        if not callable(function):
            check_arguments(function, "request")
        self._function = function
        self._limits = limits or DEFAULTS
        parameters = [*signature_of(function).parameters.values()]
        self._has_self = bool(parameters) and parameters[0].name == "self"
        wanted = parameters[self._has_self + 1 :]
        if len(parameters) <= self._has_self:
            check_arguments(function, "request")
        self._takes_all = any(each.kind is Parameter.VAR_KEYWORD for each in wanted)
        self._wanted = [
            each.name for each in wanted if each.kind not in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
        ]
        self.is_async = is_async(function)
        self._plan = ViewPlan(function, before, idempotent, signed_by)
        self.signature = _ViewSignature(wanted)

    def find(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "tuple[Any, Framework, _Rest]":
        """Return the request among a view's arguments, or the current one, its framework, and the other arguments.

        Raises TypeError if there is none.
        """
        for index, each in enumerate(args):
            given = unwrapped(each)
            if (framework := framework_of(given)) is not None:
                return given, framework, _Rest(args[:index], args[index + 1 :], kwargs)
        for name, each in kwargs.items():
            given = unwrapped(each)
            if type(given) is dict:  # data from a client, which may look like an environ
                continue
            if (framework := framework_of(given)) is not None:
                return given, framework, _Rest(args, (), {key: kwargs[key] for key in kwargs if key != name})
        given = current_given()
        if given is None or (framework := framework_of(given)) is None:
            kinds = ", ".join(type(each).__qualname__ for each in (*args, *kwargs.values())) or "none"
            raise explained(
                "unknown-request",
                TypeError(
                    f"{describe(self._function)} is a view, but none of its arguments is a request: {kinds}; and"
                    " Flask, Quart and Bottle are not handling one here"
                ),
            )
        return given, framework, _Rest(args[: self._has_self], args[self._has_self :], kwargs)

    def answer(self, given: Any, framework: Framework, rest: "_Rest") -> Any:
        """Handle the request on this thread."""
        request = framework.bounded_request(given, None, self._limits)
        context = copy_context()
        response = context.run(self._answer, request, given, framework, rest)
        try:
            if not isinstance(response, Response):
                response = run_sync(response, context)
            answer = context.run(answer_to, request, response, framework.runs_on_loop(given))
        finally:
            del response  # an error that the view has raised keeps this frame
        return framework.response(answer, rest.target(framework, given))

    async def answer_on_loop(self, given: Any, framework: Framework, rest: "_Rest") -> Any:
        """Handle the request on an event loop, in the current task."""
        from antiphon.frameworks.connection import check_not_cancelled

        request = framework.bounded_request(given, None, self._limits)
        token = set_current_request(request)
        response: Response | None = None
        answered: Response | Coroutine[Any, Any, Response] | None = None
        try:
            is_received = request.head.has_body and framework.receives_bodies
            response = await _refused(framework, given, request) if is_received else None
            if response is None:
                answered = self._answer(request, given, framework, rest)
                response = answered if isinstance(answered, Response) else await run_async(answered)
                if answered is not response:
                    check_not_cancelled()
            answer = answer_to(request, response, framework.runs_on_loop(given))
        except BaseException:
            stop_watching(request)
            if request._deferred:  # the framework has no response whose end it could wait for
                await run_async(finish(request))
            raise
        finally:
            reset_current_request(token)
            del response, answered  # as above
        if not answer.is_streamed:
            stop_watching(request)
        made = framework.response(answer, rest.target(framework, given))
        return await made if isinstance(made, Coroutine) else made

    def _answer(
        self, request: Request, given: Any, framework: Framework, rest: "_Rest"
    ) -> Response | Coroutine[Any, Any, Response]:
        params = {**framework.path_params(given), **rest.named}
        if rest.after:
            positional = [each for each in rest.after if isinstance(each, str | int)]
            params |= dict(zip([name for name in self._wanted if name not in params], positional, strict=False))
        request.path_params = named = params
        if params and not self._takes_all:
            named = {name: params[name] for name in self._wanted if name in params}
        return self._plan.answer(request, (rest.before[:1] if self._has_self else (), named))


async def _refused(framework: Framework, given: Any, request: Request) -> Response | None:
    """Wait for a body that the framework receives, and return the response if the body is refused."""
    try:
        await framework.aload(given, request)
    except HTTPError as error:
        return failed(request, error)
    return None


class _Rest:
    """The arguments of a view other than its request."""

    __slots__ = ("after", "before", "named")

    def __init__(self, before: tuple[Any, ...], after: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        self.before = before
        self.after = after
        self.named = named

    def target(self, framework: Framework, given: Any) -> Any:
        """Return the object that makes a response: the request, or Falcon's response after it."""
        return self.after[0] if framework.fills_response and self.after else given


class _ViewSignature(Signature):
    """The signature of a view: a request, and the parameters of the route.

    FastAPI and FastHTML look at the type of the request, which is Starlette's as soon as that is imported.
    """

    def __init__(self, wanted: list[Parameter]) -> None:
        request = Parameter("request", Parameter.POSITIONAL_OR_KEYWORD)
        others = [
            each.replace(kind=Parameter.KEYWORD_ONLY) for each in wanted if each.kind is Parameter.POSITIONAL_OR_KEYWORD
        ]
        super().__init__([request, *others], return_annotation=Any)

    @property
    def parameters(self) -> MappingProxyType[str, Parameter]:
        """The parameters by name."""
        found = super().parameters
        requests = sys.modules.get("starlette.requests")
        if requests is None:
            return found
        return MappingProxyType({**found, "request": found["request"].replace(annotation=requests.Request)})
